"""Workflows of a real cluster as trees: what ran, and what never did, as the ledger says."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from celery import chain, signature

from celery_tui.model.peeked import End
from celery_tui.model.task import FAILURE, SUCCESS
from celery_tui.model.tree import Kin, tree
from tests.actions.acting import Operator
from tests.integration.dashboard import dashboard
from tests.integration.shop import Shop, a_shop

PROJECT = """
from celery import chord, group
from sample import app, _write, add, echo, fail, flaky

app.conf.task_send_sent_event = True
app.conf.result_extended = True

@app.task(name="shop.total")
def total(parts):
    _write("total")
    return sum(parts)

@app.task(name="shop.start")
def start(ids):
    group(add.si(1, 2).set(task_id=ids[0]), flaky.si(1, 0.1).set(task_id=ids[1])).delay()
    chord([add.si(1, 2).set(task_id=ids[2]), add.si(3, 4).set(task_id=ids[3])],
          total.s().set(task_id=ids[4])).delay()
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with a_shop(tmp_path_factory.mktemp("project"), PROJECT) as started:
        yield started


def rows(operator: Operator, task_id: str) -> dict[str, Kin]:
    """The tree of a task, by id."""
    found = tree(operator.cluster.tasks, operator.cluster.families, task_id).rows
    return {kin.id: kin for kin in found}


def state(operator: Operator, task_id: str) -> str:
    """As it stands."""
    task = operator.cluster.tasks.get(task_id)
    return task.state if task is not None else ""


def looked_into(operator: Operator, queue: str, *ids: str) -> None:
    """Somebody looks into a queue, and these messages are there."""

    def there() -> bool:
        page = operator.cluster.peeks.pages.get(queue)
        if page is None or not {m.id for m in page.messages} >= set(ids):
            operator.monitor.look_into(queue, End.HEAD, 0, 20)
            return False
        return True

    operator.until(there, f"messages in {queue} are read")


def test_the_tree_of_a_workflow_is_what_its_tasks_sent(shop: Shop) -> None:
    ids = [str(uuid4()) for _ in range(5)]
    with Operator(shop.broker, shop.backend) as operator:
        top = str(shop.app.send_task("shop.start", (ids,)).id)
        operator.until(
            lambda: all(state(operator, i) == SUCCESS for i in (top, *ids)), "the workflow ends"
        )
        found = rows(operator, ids[4])
        assert set(found) == {top, *ids}
        assert [kin.id for kin in found.values() if kin.depth == 0] == [top]
        assert all(found[i].depth == 1 for i in ids[:4])
        assert found[ids[4]].depth == 2  # sent by the last part of its header
        retried = operator.cluster.tasks[ids[1]]
        assert (retried.retries, retried.parent_id) == (1, top)
        assert set(rows(operator, top)) == set(found)
    assert "total" in shop.ran


def test_what_a_failed_link_of_a_chain_would_have_sent_is_seen_never_to_have_run(
    shop: Shop,
) -> None:
    queue, ids = "parked", [str(uuid4()) for _ in range(3)]
    with Operator(shop.broker, shop.backend) as operator:
        links = (
            signature("sample.fail", ("no",), app=shop.app, immutable=True, task_id=ids[0]),
            signature("sample.echo", ("second",), app=shop.app, immutable=True, task_id=ids[1]),
            signature("sample.echo", ("third",), app=shop.app, immutable=True, task_id=ids[2]),
        )
        chain(*links, app=shop.app).apply_async(queue=queue)
        looked_into(operator, queue, ids[0])
        operator.monitor.cluster.task(ids[0], 0.0)
        waiting = rows(operator, ids[0])
        assert [kin.note for kin in waiting.values()][2] == "waits for sample.echo"
        shop.app.control.add_consumer(queue, reply=True, timeout=5, limit=1)
        operator.until(lambda: state(operator, ids[0]) == FAILURE, "the first link fails")
        never = rows(operator, ids[0])
        assert list(never) == ids
        assert [kin.note for kin in never.values()] == [
            "",
            "never sent: sample.fail failed",
            "never sent: sample.fail failed",
        ]
    assert not [line for line in shop.ran if "second" in line or "third" in line]


async def test_a_person_walks_along_the_tree(shop: Shop) -> None:
    ids = [str(uuid4()) for _ in range(5)]
    before = shop.ran.count("total")
    async with dashboard(shop.broker, shop.backend, size=(120, 36)) as screen:
        await screen.reads("w1", "0/2")
        top = str(shop.app.send_task("shop.start", (ids,)).id)
        await screen.until(lambda: shop.ran.count("total") > before, "the workflow ran")
        await screen.press("4")
        await screen.filter(ids[0][:8])  # also in the args of who sent it
        await screen.reads(f"/ {ids[0][:8]}", "2 of ")
        await screen.press("g")
        await screen.until(lambda: "sample.add" in screen.cursor, "the cursor is on it")
        await screen.press("enter")
        await screen.reads("Family", "f full tree")
        await screen.reads("sample.add", "✓ success", "this one")
        await screen.reads("└ shop.total", "✓ success")
        await screen.press("f")
        await screen.reads("Family 6")
        await screen.until(lambda: "sample.add" in screen.cursor, "the cursor is on it")
        await screen.press("g")
        await screen.until(lambda: "shop.start" in screen.cursor, "the cursor is at the root")
        await screen.press("enter")
        await screen.reads("4 Tasks", "shop.start", top[:8])
        await screen.press("escape", "escape")
        await screen.reads("4 Tasks", "sample.add", ids[0][:8])
