"""What a queue's record says of age, rates and drain, and of what is told besides its depth."""

from typing import Any

import pytest

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import EventBatch, QueueDepth, QueueDepths, Reply
from celery_tui.model.queue import Queue
from celery_tui.model.queue_news import MOST_QUEUES
from celery_tui.model.waiting import Flow, Waiting

NOW = 2_000.0


def queue(depth: int | None, flow: Flow | None = None, oldest: Any = (None, None)) -> Queue:
    return Queue("q", depth, waiting=Waiting(NOW, oldest, flow))


def test_the_age_grows_with_the_clock_until_it_is_told_anew() -> None:
    one = queue(5, oldest=(3.0, 4.0))
    assert one.oldest_s(NOW) == (3.0, 4.0)
    assert one.oldest_s(NOW + 10) == (13.0, 14.0)
    assert queue(5, oldest=(3.0, None)).oldest_s(NOW + 1) == (4.0, None)
    assert queue(0, oldest=(3.0, 4.0)).oldest_s(NOW) == (None, None)
    assert Queue("q", 5).oldest_s(NOW) == (None, None)


@pytest.mark.parametrize(
    ("depth", "rates", "consumed", "expected"),
    [
        (88_110, (41.0, 0.0), False, "never"),
        (88_110, (41.0, 0.0), None, "never"),
        (22, (51.0, 51.1), True, 22 / 51.1),
        (1_000, (10.0, 20.0), True, 100.0),
        (3_071, (150.0, 92.0), True, "never"),
        (3_071, (93.0, 92.0), True, None),
        (1_000, (0.0, 0.0), True, None),
        (5, (0.1, 0.0), True, None),
        (0, (0.0, 0.0), True, 0.0),
        (5, None, True, None),
        (5, None, False, "never"),
        (None, None, False, None),
    ],
)
def test_time_to_drain(
    depth: int | None, rates: tuple[float, float] | None, consumed: bool | None, expected: Any
) -> None:
    one = queue(depth, Flow(*rates, sure=True) if rates else None)
    assert one.drain_s(NOW, consumed) == expected


@pytest.mark.parametrize(
    ("change", "expected"), [(-600.0, 1_000 / 10), (600.0, "never"), (12.0, None)]
)
def test_time_to_drain_of_a_deep_queue_is_told_by_the_last_minutes(
    change: float, expected: Any
) -> None:
    one = queue(1_000)
    for step in range(30):
        one.history.put(int(2_000 + change / 12 * step), NOW + 5 * step)
    drain = one.drain_s(NOW, True)
    assert drain == (expected if isinstance(expected, str | None) else pytest.approx(expected))


def test_nothing_is_known_of_the_drain_while_rates_are_not_sure() -> None:
    assert queue(5, Flow(3.0, 9.0, sure=False)).drain_s(NOW, True) is None
    assert queue(5, Flow(3.0, 9.0, sure=False)).drain_s(NOW, True, all_told=True) == 5 / 9


def test_what_sampling_missed_is_added_to_both_sides() -> None:
    one = queue(2, Flow(3.0, 1.0, sure=False))
    for second in range(20):
        for _ in range(50):
            one.count_taken(NOW - 20 + second)
    flow = one.flow(NOW, all_told=True)
    assert flow == Flow(52.0, 50.0, sure=True)
    assert one.flow(NOW) == Flow(52.0, 50.0, sure=False)


def test_rates_of_an_empty_queue_are_those_of_events() -> None:
    one = Queue("q", 0)
    for second in range(20):
        one.count_sent(NOW - 20 + second)
    assert one.flow(NOW) == Flow(1.0, 1.0, sure=False)
    assert Queue("q", 5).flow(NOW) is None
    assert queue(5, Flow(1.0, 1.0, sure=True)).flow(NOW + 1_000) is None


def reply(
    cluster: Cluster, question: str, payload: Any, at: float = NOW, name: str = "w1@a"
) -> None:
    cluster.apply(Reply(question, name, payload, at, at))


def request(task_id: str, queue: str = "q", acknowledged: Any = False) -> dict[str, Any]:
    route = {"exchange": "", "routing_key": queue}
    return {"id": task_id, "acknowledged": acknowledged, "delivery_info": route}


def depths(cluster: Cluster, at: float, unacked: int, name: str = "q") -> Queue:
    readings = {name: QueueDepth(7, {"0": 7})}
    cluster.apply(QueueDepths(at, readings, unacked=unacked, unacked_by_queue={name: unacked}))
    return cluster.queues[name]


def holding(active: list[Any], reserved: list[Any], scheduled: list[Any]) -> Cluster:
    cluster = Cluster(NOW)
    reply(cluster, "active_queues", [{"name": "q"}])
    for question, payload in (("active", active), ("reserved", reserved), ("scheduled", scheduled)):
        reply(cluster, question, payload)
    return cluster


@pytest.mark.fact("limbo", "Redis")
def test_limbo_is_what_is_unacknowledged_and_in_no_list() -> None:
    late, early = request("t1"), request("t2", acknowledged=True)
    held = [request("t3"), request("t4"), request("other", "elsewhere")]
    cluster = holding([late, early], held, [{"eta": "x", "request": request("t5")}])
    assert cluster.queue_news.held("q") == 3
    assert depths(cluster, NOW + 1, 4).limbo == 0
    cluster = holding([late, early], held, [{"eta": "x", "request": request("t5")}])
    assert depths(cluster, NOW + 1, 9).limbo is None, "once may be chance"
    assert depths(cluster, NOW + 2, 6).limbo is None
    assert depths(cluster, NOW + 3, 8).limbo == 2, "the least of three looks"
    assert depths(cluster, NOW + 60, 0).limbo == 2, "answers are too old now: as it was told"


def test_limbo_is_not_known_before_every_consumer_has_told_all() -> None:
    cluster = holding([], [], [])
    reply(cluster, "active_queues", [{"name": "q"}], name="w2@a")
    for second in range(5):
        assert depths(cluster, NOW + second, 3).limbo is None
    assert cluster.queue_news.held("q") is None
    cluster = holding([request("t1", acknowledged=None)], [], [])
    for second in range(5):
        assert depths(cluster, NOW + second, 3).limbo is None


@pytest.mark.parametrize(
    "payload", [None, {}, [None], [{}], [{"request": 5}], [{"id": "x"}], ["x"]]
)
def test_odd_answers_are_left_out(payload: Any) -> None:
    cluster = holding(payload, payload, payload)
    reply(cluster, "active_queues", [{"name": "q", "exchange": 5, "routing_key": []}, 7, None])
    depths(cluster, NOW, 3)


def test_a_route_by_a_named_exchange_leads_to_the_queue_workers_declare() -> None:
    cluster = Cluster(NOW)
    declared = {"name": "q", "exchange": {"name": "jobs"}, "routing_key": "job.q"}
    reply(cluster, "active_queues", [declared])
    held = {"id": "t1", "acknowledged": False}
    routed = held | {"delivery_info": {"exchange": "jobs", "routing_key": "job.q"}}
    for question in ("reserved", "scheduled"):
        reply(cluster, question, [routed] if question == "reserved" else [])
    assert cluster.queue_news.held("q") == 1


def event(kind: str, **fields: Any) -> Event:
    return Event(kind, NOW, fields.pop("hostname", "w1@a"), **fields)


def test_queues_that_workers_consume_or_clients_name_are_listed_and_read() -> None:
    cluster = Cluster(NOW)
    reply(cluster, "active_queues", [{"name": "consumed"}])
    sent = event("task-sent", uuid="t1", queue="sent", hostname="gen1@web")
    cluster.apply(EventBatch(NOW, (sent,), {}))
    assert cluster.queues.keys() == {"consumed", "sent"}
    assert cluster.queues["consumed"].depth is None
    workers = cluster.workers.values()
    assert cluster.queue_news.told(workers, NOW) == {"consumed", "sent"}
    assert cluster.queue_news.told(workers, NOW + 4_000) == {"consumed"}


def test_names_of_queues_are_bounded() -> None:
    cluster = Cluster(NOW)
    for number in range(MOST_QUEUES + 100):
        cluster.queue_news.sent(f"q{number}", NOW)
    cluster.queue_news.sent("x" * 100_000, NOW)
    assert len(cluster.queues) == MOST_QUEUES


def test_what_is_received_is_counted_for_the_queue_it_came_from() -> None:
    cluster = Cluster(NOW)
    reply(cluster, "active_queues", [{"name": "only"}])
    reply(cluster, "active_queues", [{"name": "only"}, {"name": "sent"}], name="w2@a")
    happened = (
        event("task-received", uuid="t1", name="x"),
        event("task-received", uuid="t2", name="x", hostname="w2@a"),
        event("task-sent", uuid="t3", queue="sent", hostname="gen1@web"),
        event("task-received", uuid="t3", name="x", hostname="w2@a"),
    )
    cluster.apply(EventBatch(NOW, happened, {}))
    only, sent = cluster.queues["only"].taken, cluster.queues["sent"].taken
    assert only is not None
    assert sent is not None
    assert (only.total, sent.total) == (1, 1), "t2 came from one of two, nobody knows which"
    assert not cluster.listeners.all_told("only")
    assert not cluster.listeners.all_told("nobody")
