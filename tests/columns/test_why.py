"""Where facts come from: every one has a source and an age, or says what it takes to know it."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable
from importlib import import_module

import pytest

from celery_tui import triage
from celery_tui.columns import (
    why_figures,
    why_finding,
    why_queue,
    why_task,
    why_task_carries,
    why_worker,
)
from celery_tui.columns.base import View
from celery_tui.columns.queues import depth_cell
from celery_tui.columns.why import OUR_ACT, WORKED_OUT, Origin, Part, age_cell
from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import (
    QueueDepth,
    QueueDepths,
    Reply,
    ResultMeta,
    Results,
    RoundEnded,
    Unacknowledged,
)
from celery_tui.model.peeked import MESSAGE, Opened, WaitingMessage
from celery_tui.model.seam import Finding, Health, Level, Link
from celery_tui.model.task import BACKEND, Exact
from celery_tui.model.waiting import Flow, Waiting
from celery_tui.triage import evaluate
from tests.screens.from_before import found
from tests.screens.looked_into import looked_into
from tests.screens.sample import (
    NOW,
    WORKERS,
    answer,
    busy_cluster,
    live,
    online,
    task_id,
)
from tests.screens.states import broker_lost, events_off, first_second, no_workers, purged
from tests.screens.story import told_story
from tests.screens.troubled import permitted_nothing, troubled
from tests.screens.workflow import workflow


def worker_gone() -> Cluster:
    """A worker was lost with its tasks, and the broker was looked through for their messages."""
    cluster = busy_cluster()
    cluster.apply(RoundEnded("ping", NOW + 18, NOW + 19, frozenset()))
    for second in range(20, 28):
        cluster.tick(NOW + second)
    ran = list(cluster.reconciler.fates)
    assert ran
    told = Unacknowledged(NOW + 28, {ran[0]: NOW - 40}, tuple(ran[1:2]))
    cluster.apply(told)
    return cluster


CLUSTERS: tuple[Callable[[], Cluster], ...] = (
    busy_cluster, workflow, looked_into, found, events_off, first_second, no_workers, purged,
    broker_lost, troubled, permitted_nothing, told_story, worker_gone,
)  # fmt: skip


def view_of(cluster: Cluster, now: float = NOW, stale: bool = False) -> View:
    return View(now, cluster, host_suffix="@demo", stale=stale)


def all_parts(cluster: Cluster, view: View) -> Iterable[Part]:
    """Of everything that a cluster has."""
    for task in cluster.tasks.values():
        yield from why_task.parts(task, view)
    for queue in cluster.queues.values():
        yield from why_queue.parts(queue, view)
    for worker in cluster.workers.values():
        yield from why_worker.parts(worker, view)
    for finding in evaluate(cluster, view.now):
        yield from why_finding.parts(finding, True, view)
    yield why_figures.part(view)


def row(parts: Iterable[Part], what: str) -> Origin:
    return next(one for part in parts for one in part.origins if one.what == what)


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize("make", CLUSTERS, ids=lambda make: make.__name__)
def test_every_fact_has_a_source_and_an_age_or_says_why_not(
    make: Callable[[], Cluster], stale: bool
) -> None:
    cluster = make()
    for part in all_parts(cluster, view_of(cluster, max(NOW, cluster.now), stale)):
        assert part.origins
        for one in part.origins:
            assert one.value[0], one
            assert one.source, one
            assert len(one.what) <= 10, one
            assert one.note or (one.known and one.at is not None), one
            if one.value[0] == "?":
                assert not one.known, one


# -- tasks ------------------------------------------------------------------------------------


def test_what_events_told_is_by_the_event_that_told_it() -> None:
    cluster = busy_cluster()
    parts = why_task.parts(cluster.tasks[task_id(30)], view_of(cluster))
    state, ran = row(parts, "state"), row(parts, "ran")
    assert (state.source, state.at) == ("event task-succeeded", NOW - 40 + 30 + 0.3)
    assert ran.note == "measured by its worker"
    assert row(parts, "result").source == "event task-succeeded"
    assert "tok_123" not in str(parts)


def test_an_unknown_queue_says_which_setting_would_tell_it() -> None:
    cluster = busy_cluster()
    cluster.sent_heard = False
    queue = row(why_task.parts(cluster.tasks[task_id(30)], view_of(cluster)), "queue")
    assert not queue.known
    assert "task_send_sent_event" in queue.note


def test_a_queue_that_only_the_routing_key_tells_is_a_guess() -> None:
    cluster = Cluster(NOW - 60)
    live(cluster)
    online(cluster)
    running = {"id": "a1", "name": "pay.charge", "time_start": NOW - 9, "worker_pid": 77,
               "args": [1], "kwargs": {}, "delivery_info": {"routing_key": "pay"}}  # fmt: skip
    answer(cluster, "active", WORKERS[0], [running], NOW)
    parts = why_task.parts(cluster.tasks["a1"], view_of(cluster))
    for what in ("state", "task", "worker", "pid", "started", "args"):
        assert row(parts, what).source == "inspect active of pay-worker"
    queue = row(parts, "queue")
    assert queue.value[0] == "~pay"
    assert "routing key" in queue.note
    assert row(parts, "runs for").note == "now less its start"


def test_a_message_read_in_its_queue_is_named_as_the_source() -> None:
    cluster = Cluster(NOW - 60)
    message = WaitingMessage(1, 0, 90, "m1", "mail.receipt", "(7,)", "{}", Exact([7], {}, MESSAGE))
    cluster.apply(Opened(NOW - 4, "emails", message))
    parts = why_task.parts(cluster.tasks["m1"], view_of(cluster))
    for what in ("state", "task", "queue", "args"):
        assert row(parts, what).source == "message in emails"
        assert row(parts, what).at == NOW - 4
    assert row(parts, "worker").note == "no worker has told that it received it"


def test_a_result_that_no_event_told_is_of_the_backend() -> None:
    cluster = Cluster(NOW - 60)
    live(cluster)
    cluster.task("b1", NOW - 30)
    meta = ResultMeta("b1", "SUCCESS", result="'ok'", date_done=NOW - 20)
    cluster.apply(Results(NOW - 5, (meta,)))
    parts = why_task.parts(cluster.tasks["b1"], view_of(cluster))
    assert row(parts, "state").source == row(parts, "result").source == BACKEND
    assert "date_done" in row(parts, "ended").note
    assert "result_extended" in row(parts, "worker").note


def test_what_we_asked_is_our_own_act_until_the_cluster_says_so() -> None:
    cluster = purged()
    parts = why_task.parts(cluster.tasks[task_id(200)], view_of(cluster))
    state = row(parts, "state")
    assert (state.source, state.at) == (OUR_ACT, NOW - 3)
    assert state.note.startswith("started before that, by event task-started")
    assert row(parts, "we asked").source == OUR_ACT


def test_a_task_of_a_lost_worker_tells_of_its_message_and_when_it_comes_back() -> None:
    cluster = worker_gone()
    fates = cluster.reconciler.fates
    first = next(name for name, fate in fates.items() if fate.unacked)
    second = next(name for name, fate in fates.items() if fate.unacked is False)
    view = view_of(cluster, NOW + 30)
    parts = why_task.parts(cluster.tasks[first], view)
    assert row(parts, "verdict").source == WORKED_OUT
    assert row(parts, "message").source == "unacked hash of the broker"
    assert age_cell(row(parts, "message"), view)[0] == "2s"
    assert "visibility timeout of 3600 s, the default" in row(parts, "comes back").note
    assert row(parts, "started").source == "event task-started"
    gone = row(why_task.parts(cluster.tasks[second], view), "message")
    assert gone.value[0] == "not unacknowledged any more"


def test_long_args_and_results_are_cut_with_the_sign() -> None:
    cluster = busy_cluster()
    task = cluster.tasks[task_id(30)]
    task.result, task.args = repr("x" * 9_000), f"({'1, ' * 900})"
    parts = why_task.parts(task, view_of(cluster))
    for what in ("args", "result"):
        shown = row(parts, what).value[0]
        assert len(shown) <= why_task_carries.SHOWN
        assert shown.endswith("…")


# -- queues -----------------------------------------------------------------------------------


def test_worked_out_numbers_of_a_queue_give_their_formula() -> None:
    cluster = busy_cluster()
    parts = why_queue.parts(cluster.queues["default"], view_of(cluster))
    notes = {one.what: one.note for part in parts for one in part.origins}
    assert notes["oldest"] == "at least 0.6s, at most 1.6s: two looks between which it came"
    assert notes["in/s"] == "arrivals of the last 10 s, by sampling the newest message"
    assert notes["drain"].startswith("depth / (out - in)")
    assert notes["limbo"].startswith("unacked - running that hold theirs - reserved - ETA")
    assert row(parts, "consumers").source == "active_queues of 3 of 3 workers"


def test_a_rate_that_may_have_missed_messages_says_so() -> None:
    cluster = busy_cluster()
    rate = row(why_queue.parts(cluster.queues["pay"], view_of(cluster)), "in/s")
    assert rate.value[0].startswith("~")
    assert "at least" in rate.note


def test_an_age_of_which_only_a_bound_is_known_says_why() -> None:
    cluster = busy_cluster()
    oldest = row(why_queue.parts(cluster.queues["crm"], view_of(cluster)), "oldest")
    assert oldest.note.startswith("at least 5m12s: it waited already when we first looked")


def test_why_no_age_of_messages_is_told_is_in_the_words_of_the_source() -> None:
    cluster = Cluster(NOW - 60)
    read = {"q": QueueDepth(4, {"0": 4})}
    cluster.apply(QueueDepths(NOW, read, no_ages="LRANGE is not permitted"))
    parts = why_queue.parts(cluster.queues["q"], view_of(cluster))
    assert row(parts, "oldest").note == "LRANGE is not permitted"
    assert not row(parts, "consumers").known


def test_a_quarantine_says_who_made_it() -> None:
    cluster = purged()
    queue = next(one for one in cluster.queues.values() if one.quarantine)
    (part,) = why_queue.parts(queue, view_of(cluster))
    assert "Z moves them back" in part.origins[0].note


# -- workers ----------------------------------------------------------------------------------


def test_numbers_of_a_worker_are_of_heartbeats_or_of_what_it_answered() -> None:
    cluster = busy_cluster()
    parts = why_worker.parts(cluster.workers[WORKERS[2]], view_of(cluster))
    sources = {one.what: one.source for part in parts for one in part.origins}
    assert sources["done"] == "heartbeat, its processed"
    assert sources["held"] == "inspect reserved, scheduled"
    assert sources["rss"] == sources["pool"] == "inspect stats"
    assert "slots by inspect stats 1s ago" in row(parts, "busy").note


def test_busy_is_of_the_heartbeat_when_that_is_newer() -> None:
    cluster = busy_cluster()
    worker = cluster.workers[WORKERS[2]]
    worker.running_at, worker.heard_at, worker.active = NOW - 5, NOW - 1, 3
    busy = row(why_worker.parts(worker, view_of(cluster)), "busy")
    assert (busy.source, busy.at, busy.value[0]) == ("heartbeat, its active", NOW - 1, "3/4")


def test_lost_events_give_their_formula() -> None:
    cluster = troubled()
    worker = next(one for one in cluster.workers.values() if one.loss.lost)
    lost = row(why_worker.parts(worker, view_of(cluster)), "lost")
    assert lost.note.startswith("processed of its heartbeats less starts heard")


def test_registered_tasks_are_as_old_as_the_answer_that_told_them() -> None:
    cluster = busy_cluster()
    cluster.apply(Reply("registered", WORKERS[0], ["a"], NOW - 9, NOW - 8))
    parts = why_worker.parts(cluster.workers[WORKERS[0]], view_of(cluster))
    assert row(parts, "registered").at == NOW - 8


def test_what_a_configuration_does_not_set_is_celerys_default_and_told_so() -> None:
    cluster = busy_cluster()
    before = why_worker.parts(cluster.workers[WORKERS[0]], view_of(cluster))
    assert not row(before, "acks late").known
    assert row(before, "visibility").value[0] == "~1 h"
    cluster.apply(Reply("conf", WORKERS[0], {"broker_url": "x"}, NOW - 9, NOW - 8))
    parts = why_worker.parts(cluster.workers[WORKERS[0]], view_of(cluster))
    assert row(parts, "acks late").note.startswith("it sets none: Celery's default")
    assert row(parts, "visibility").note == "it sets none: the default of kombu"
    assert row(parts, "acks late").at == NOW - 8


# -- findings, figures ------------------------------------------------------------------------


def test_every_rule_is_put_in_words() -> None:
    modules = (import_module(f"{triage.__name__}.{m.name}") for m in pkgutil.iter_modules(
        triage.__path__))  # fmt: skip
    rules = {module.RULE for module in modules if hasattr(module, "RULE")}
    assert rules <= set(why_finding.RULES)


def test_a_finding_shows_its_rule_what_clears_it_and_the_facts_it_looks_at() -> None:
    cluster = busy_cluster()
    (finding,) = evaluate(cluster, NOW)
    parts = why_finding.parts(finding, True, view_of(cluster))
    assert [part.title for part in parts] == ["Finding", "Rule", "Evidence"]
    assert [one.what for one in parts[2].origins] == ["waiting", "oldest", "consumers"]
    over = why_finding.parts(finding, False, view_of(cluster))
    assert row(over, "it is").value[0] == "over"


def test_a_finding_of_an_unknown_rule_is_shown_all_the_same() -> None:
    finding = Finding("new", Level.WARN, "x", "it is so", "so", None, "home:", "look")
    parts = why_finding.parts(finding, True, view_of(busy_cluster()))
    assert row(parts, "says").value[0] == "it is so"
    assert not row(parts, "since").known


def test_key_figures_are_those_of_the_header_with_formula_and_age() -> None:
    part = why_figures.part(view_of(busy_cluster()))
    whats = [one.what for one in part.origins]
    assert whats == ["in", "out", "err", "busy", "backlog", "held", "unacked"]
    assert row([part], "backlog").value[0] == "88,149"


def test_ages_go_on_while_the_broker_is_lost_and_numbers_stand_in_parentheses() -> None:
    cluster = broker_lost()
    view = view_of(cluster, NOW + 60, stale=True)
    parts = why_queue.parts(cluster.queues["emails"], view)
    waiting = row(parts, "waiting")
    assert waiting.value[0] == "(88,110)"
    assert age_cell(waiting, view)[0] == "1m00s"
    for part in (*parts, why_figures.part(view)):
        for one in part.origins:
            assert not one.value[0][:1].isdigit(), one


# -- RabbitMQ ---------------------------------------------------------------------------------


def on_rabbitmq(management: bool) -> Cluster:
    """The queue ``orders`` as RabbitMQ tells of it."""
    cluster = busy_cluster()
    cluster.is_amqp, cluster.has_management = True, management
    flow = Flow(2.0, 1.5, sure=True) if management else None
    reading = QueueDepth(7, {}, 1, waiting=Waiting(NOW, flow=flow))
    held = 2 if management else None
    by_queue = {"orders": held} if management else None
    no_ages = "RabbitMQ does not tell when a message came"
    cluster.apply(QueueDepths(NOW, {"orders": reading}, (), held, by_queue, no_ages=no_ages))
    return cluster


def orders(cluster: Cluster) -> list[Part]:
    return why_queue.parts(cluster.queues["orders"], view_of(cluster))


def test_without_the_management_api_pages_say_that_it_would_tell() -> None:
    parts = orders(on_rabbitmq(management=False))
    for what in ("in/s", "out/s", "unacked"):
        assert not row(parts, what).known
        assert "--management-url" in row(parts, what).note
    assert "RabbitMQ does not tell when" in row(parts, "oldest").note
    assert (row(parts, "counted").value[0], row(parts, "counted").known) == ("1", True)
    assert "lists" not in row(parts, "waiting").note


def test_with_the_management_api_it_is_the_source() -> None:
    cluster = on_rabbitmq(management=True)
    for what, value in (("in/s", "2.0"), ("out/s", "1.5"), ("unacked", "2")):
        origin = row(orders(cluster), what)
        assert (origin.value[0], origin.source) == (value, "management API")


def test_trouble_of_the_management_api_is_why_a_figure_is_not_known() -> None:
    cluster = on_rabbitmq(management=True)
    assert cluster.depths.unacked == 2
    reading = QueueDepth(7, {}, 1, waiting=Waiting(NOW + 1))
    cluster.apply(QueueDepths(NOW + 1, {"orders": reading}))
    said = "the management API http://h:1 refuses the connection"
    cluster.apply(Health("queues", Link.LIVE, NOW, said, at=NOW, refused=True))
    for what in ("in/s", "unacked"):
        assert row(orders(cluster), what).note == said
    figure = row([why_figures.part(view_of(cluster))], "unacked")
    assert (figure.known, figure.note) == (False, said)


def test_no_page_of_rabbitmq_says_words_of_redis() -> None:
    cluster = on_rabbitmq(management=False)
    said = str(list(all_parts(cluster, view_of(cluster)))).lower()
    for word in ("unacked hash", "lrange", "llen", "redis", "routing key", "newest message"):
        assert word not in said, word


def test_a_depth_that_was_read_long_ago_is_marked() -> None:
    cluster = on_rabbitmq(management=False)
    queue = cluster.queues["orders"]
    assert depth_cell(queue, view_of(cluster, NOW + 29))[0] == "7"
    assert depth_cell(queue, view_of(cluster, NOW + 31))[0] == "(7)"
