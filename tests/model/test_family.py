"""A workflow as a tree: who sent whom, and what never ran."""

from __future__ import annotations

from typing import Any

import pytest

from celery_tui.model import family
from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.family import Families
from celery_tui.model.observations import EventBatch, ResultMeta, Results
from celery_tui.model.peeked import End, Peeked, WaitingMessage
from celery_tui.model.plans import planned
from celery_tui.model.tree import MOST_ROWS, Kin, tree

NOW = 1_000.0


def event(kind: str, task_id: str, **fields: Any) -> Event:
    return Event(kind, NOW, "w1", uuid=task_id, **fields)


def cluster_of(*parents: tuple[str, str | None], **bounds: int) -> Cluster:
    """Tasks by (id, parent), received in that order."""
    cluster = Cluster(NOW, **bounds)
    happened = [
        event(
            "task-received", task_id, name=f"t.{task_id}", parent_id=parent, root_id=parents[0][0]
        )
        for task_id, parent in parents
    ]
    cluster.apply(EventBatch(NOW, tuple(happened), {}))
    return cluster


def ended(cluster: Cluster, kind: str, task_id: str) -> None:
    cluster.apply(EventBatch(NOW + 1, (event(f"task-{kind}", task_id, exception="E()"),), {}))


def rows(cluster: Cluster, task_id: str, most: int = MOST_ROWS) -> tuple[Kin, ...]:
    return tree(cluster.tasks, cluster.families, task_id, most).rows


def drawn(cluster: Cluster, task_id: str) -> list[str]:
    """Depth and name, and what is said of those that were not sent."""
    return [
        f"{'  ' * row.depth}{row.name or row.id}{': ' + row.note if row.note else ''}"
        for row in rows(cluster, task_id)
    ]


def signature(name: str, task_id: str | None = None, **kwargs: Any) -> dict[str, Any]:
    return {"task": name, "options": {"task_id": task_id} if task_id else {}, "kwargs": kwargs}


def peeked(cluster: Cluster, task_id: str, **embed: Any) -> None:
    """Its message was seen in a queue."""
    message = WaitingMessage(1, 0, 100, id=task_id, plans=planned(task_id, embed))
    cluster.apply(Peeked(NOW, "celery", End.HEAD, 0, (message,), 1))


def test_a_tree_is_the_same_from_each_of_its_tasks() -> None:
    cluster = cluster_of(("a", None), ("b", "a"), ("c", "b"), ("d", "a"))
    expected = ["t.a", "  t.b", "    t.c", "  t.d"]
    for task_id in "abcd":
        assert drawn(cluster, task_id) == expected
        (this,) = [row.id for row in rows(cluster, task_id) if row.this]
        assert this == task_id


def test_lines_are_drawn_where_siblings_follow() -> None:
    cluster = cluster_of(("a", None), ("b", "a"), ("c", "b"), ("d", "a"))
    assert [(row.id, row.last, row.open) for row in rows(cluster, "a")] == [
        ("a", True, ()),
        ("b", False, ()),
        ("c", True, (True,)),
        ("d", True, ()),
    ]


def test_a_task_that_is_its_own_parent_and_a_ring_do_no_harm() -> None:
    alone = cluster_of(("a", "a"))
    assert drawn(alone, "a") == ["t.a"]
    ring = cluster_of(("a", "c"), ("b", "a"), ("c", "b"))
    assert sorted(row.id for row in rows(ring, "b")) == ["a", "b", "c"]


def test_what_a_chain_would_have_sent_is_shown_when_a_link_fails() -> None:
    cluster = cluster_of(("a", None))
    peeked(cluster, "a", chain=[signature("t.c", "c"), signature("t.b", "b")])
    assert drawn(cluster, "a") == ["t.a", "  t.b: waits for t.a", "    t.c: waits for t.b"]
    ended(cluster, "succeeded", "a")
    assert drawn(cluster, "a")[1] == "  t.b: not seen yet"
    cluster.apply(
        EventBatch(NOW, (event("task-received", "b", name="t.b", parent_id="a", root_id="a"),), {})
    )
    ended(cluster, "failed", "b")
    assert drawn(cluster, "b") == ["t.a", "  t.b", "    t.c: never sent: t.b failed"]


def test_callbacks_and_errbacks_say_what_they_wait_for() -> None:
    cluster = cluster_of(("a", None))
    peeked(cluster, "a", callbacks=[signature("t.ok")], errbacks=[signature("t.oops")])
    assert drawn(cluster, "a")[1:] == ["  t.ok: waits for t.a", "  t.oops: if t.a fails"]
    ended(cluster, "succeeded", "a")
    assert drawn(cluster, "a")[2] == "  t.oops: not needed: t.a succeeded"


def test_the_body_of_a_chord_stands_behind_its_header() -> None:
    cluster = cluster_of(("p", None), ("h1", "p"), ("h2", "p"))
    for head in ("h1", "h2"):
        peeked(cluster, head, chord=signature("t.body", "body"))
    assert drawn(cluster, "h2") == [
        "t.p",
        "  t.h1",
        "  t.h2",
        "  t.body: waits for all of its chord",
    ]
    ended(cluster, "failed", "h1")
    assert drawn(cluster, "h2")[3] == "  t.body: never sent: t.h1 failed"
    meta = ResultMeta("body", "FAILURE", exception="ChordError()", date_done=NOW)
    cluster.apply(Results(NOW + 2, (meta,)))
    row = rows(cluster, "h2")[3]
    assert (row.name, row.task is cluster.tasks["body"], row.note) == ("t.body", True, "")


def test_a_group_that_a_client_sent_is_held_together() -> None:
    cluster = cluster_of(("g1", None))
    metas = tuple(ResultMeta(i, "SUCCESS", group_id="grp", date_done=NOW) for i in ("g1", "g2"))
    cluster.apply(Results(NOW + 2, metas))
    peeked(cluster, "g2", chord=signature("t.body", "body"))
    found = rows(cluster, "g1")
    assert [row.id for row in found] == ["group:grp", "g1", "g2", "body"]
    assert found[0].is_group
    assert found[3].planned


def test_a_chain_of_groups_and_chords_is_read_from_the_message_of_its_first_task() -> None:
    header = signature("celery.group", tasks=[signature("t.h1", "h1"), signature("t.h2", "h2")])
    chord = signature("celery.chord", header=header, body=signature("t.body", "body"))
    cluster = cluster_of(("a", None))
    peeked(cluster, "a", chain=[signature("t.end", "end"), chord])
    assert drawn(cluster, "a") == [
        "t.a",
        "  t.h1: waits for t.a",
        "  t.h2: waits for t.a",
        "  t.body: waits for all of its chord",
        "    t.end: waits for t.body",
    ]


def test_children_named_by_a_stored_result_are_shown_though_nobody_saw_them() -> None:
    cluster = cluster_of(("a", None))
    cluster.apply(Results(NOW, (ResultMeta("a", "STARTED", children=("x", "a", "y")),)))
    found = rows(cluster, "a")
    assert [(row.id, row.task) for row in found[1:]] == [("x", None), ("y", None)]
    assert not found[1].planned


def test_parents_that_are_not_kept_leave_a_gap_that_the_root_closes() -> None:
    cluster = cluster_of(("root", None), ("deep", "gone"))
    assert [row.id for row in rows(cluster, "deep")] == ["root", "gone", "deep"]


def test_a_large_family_is_bounded_and_the_task_itself_is_in_it() -> None:
    many = [(f"c{number}", "a") for number in range(3_000)]
    cluster = cluster_of(("a", None), *many)
    found = tree(cluster.tasks, cluster.families, "c2999", 500)
    assert len(found.rows) == 500
    assert [row.id for row in found.rows if row.this] == ["c2999"]
    assert found.more == 3_001 - 500
    deep = cluster_of(("n0", None), *((f"n{n + 1}", f"n{n}") for n in range(5_000)))
    assert len(rows(deep, "n4000")) <= 500
    assert "n4000" in {row.id for row in rows(deep, "n4000")}


def test_what_is_forgotten_leaves_the_index() -> None:
    many = [(f"c{number}", "a") for number in range(50)]
    cluster = cluster_of(("a", None), *many, max_tasks=10)
    cluster.apply(Results(NOW, (ResultMeta("a", "STARTED", children=("never",)),)))
    for task_id, _ in (("a", None), *many):
        ended(cluster, "succeeded", task_id)
    cluster.apply(EventBatch(NOW, (event("task-received", "more"),), {}))
    assert len(cluster.tasks) == 11
    assert len(cluster.families.children("a")) == 10
    for number in range(20):
        cluster.apply(EventBatch(NOW, (event("task-received", f"n{number}"),), {}))
        ended(cluster, "succeeded", f"n{number}")
    assert not cluster.families._children


def test_plans_are_bounded() -> None:
    families = Families()
    for number in range(6_000):
        families.plan(planned(f"t{number}", {"callbacks": [signature("x")]}))
    assert len(families._plans) == 5_000
    long = planned("a", {"chain": [signature("x", f"x{n}") for n in range(10_000)]})
    assert len(long) <= 200


@pytest.mark.parametrize(
    "embed",
    [
        None,
        [],
        {"chain": 5, "callbacks": "x", "errbacks": {}, "chord": []},
        {"chain": [None, 1, {}, {"task": 5}, {"task": "x", "options": []}]},
        {"chain": [{"task": "celery.group", "kwargs": {"tasks": "x"}}, {"task": "celery.chord"}]},
        {"chain": [signature("celery.chord", header=5, body=7)]},
        {"chord": {"task": None}},
        {"callbacks": [{"task": "x", "options": {"task_id": 5}}, {"task": "y" * 10_000}]},
    ],
)
def test_a_hostile_plan_is_read_as_far_as_it_is_one(embed: Any) -> None:
    families = Families()
    families.plan(planned("a", embed))
    assert len(tree({}, families, "a").rows) <= 5


def test_a_task_alone_has_no_family() -> None:
    cluster = cluster_of(("a", None))
    assert not cluster.families.knows(cluster.tasks["a"])
    assert cluster_of(("a", None), ("b", "a")).families.knows(cluster.tasks["a"])


@pytest.mark.parametrize("turned", [False, True])
def test_who_is_known_by_its_sender_s_result_only_has_the_same_tree(turned: bool) -> None:
    cluster = Cluster(NOW)
    metas = [
        ResultMeta("top", "SUCCESS", children=("a", "b")),
        ResultMeta("a", "SUCCESS", children=("c",)),
        *(ResultMeta(task_id, "SUCCESS") for task_id in "bc"),
    ]
    for meta in reversed(metas) if turned else metas:
        cluster.apply(Results(NOW, (meta,)))
    for task_id in ("top", "a", "b", "c"):
        assert {row.id: row.depth for row in rows(cluster, task_id)} == {
            "top": 0, "a": 1, "b": 1, "c": 2,
        }  # fmt: skip


def test_what_was_heard_of_a_parent_stands_over_what_a_result_says() -> None:
    cluster = cluster_of(("top", None), ("a", "top"))
    cluster.apply(Results(NOW, (ResultMeta("liar", "SUCCESS", children=("a", "liar")),)))
    assert cluster.tasks["a"].parent_id == "top"
    assert cluster.tasks["liar"].parent_id is None


def test_children_that_nobody_sees_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family, "AWAITED_KEPT", 10)
    cluster = Cluster(NOW)
    many = tuple(f"c{number}" for number in range(20))
    cluster.apply(Results(NOW, (ResultMeta("top", "SUCCESS", children=many),)))
    cluster.apply(Results(NOW, tuple(ResultMeta(i, "SUCCESS") for i in many)))
    adopted = [i for i in many if cluster.tasks[i].parent_id == "top"]
    assert adopted == list(many[10:])
