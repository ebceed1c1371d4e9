"""The event source hears all that happens, disturbs nobody, and says what it left out."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from celery_tui.links.kombu_link import opened
from celery_tui.links.site import Site
from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import EventBatch
from celery_tui.model.seam import Link, LogLine
from celery_tui.sources.base import Source
from celery_tui.sources.events import EventSource, event_queue, keep, unreadable
from celery_tui.sources.inbox import Inbox
from tests.servers import wait_for

from .fleet import Fleet, Told, running_fleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with running_fleet(name="events") as one:
        yield one


def listening(fleet: Fleet) -> Told:
    def make(inbox: Inbox, cluster: Cluster) -> Source:
        return EventSource(inbox, Site(fleet.url), lambda: cluster.events_counted)

    return Told(make)


def is_live(told: Told) -> bool:
    return told.read().live_since("events") is not None


def test_every_task_that_ran_is_heard_from_its_arrival_to_its_end(fleet: Fleet) -> None:
    with listening(fleet) as told:
        wait_for(lambda: is_live(told), "events are live")
        ids = [*fleet.send(300), *fleet.send(20, "no", task="sample.fail")]
        wait_for(
            lambda: all(i in told.read().tasks and told.cluster.tasks[i].final for i in ids),
            "320 tasks are final on screen",
        )
        types = Counter(
            event.type
            for batch in told.heard
            if isinstance(batch, EventBatch)
            for event in batch.events
            if event.uuid in set(ids)
        )
    assert types == {
        "task-received": 320,
        "task-started": 320,
        "task-succeeded": 300,
        "task-failed": 20,
    }
    assert told.cluster.malformed == {}


def test_listening_leaves_nothing_in_redis_not_even_while_it_lasts(fleet: Fleet) -> None:
    before = fleet.ttls()
    with listening(fleet) as told:
        wait_for(lambda: is_live(told), "events are live")
        wait_for(lambda: told.read().workers, "a heartbeat")
        assert fleet.ttls().keys() == before.keys()
    assert fleet.ttls().keys() == before.keys()


def test_the_lost_broker_comes_back_alone_and_tasks_flow_again() -> None:
    with running_fleet(name="outage") as fleet, listening(fleet) as told:
        wait_for(lambda: is_live(told), "events are live")
        wait_for(lambda: told.read().workers, "a heartbeat")
        fleet.server.kill()
        wait_for(lambda: told.read().health["events"].state == Link.LOST, "the loss is told")
        lost = told.cluster.health["events"]
        assert lost.error is not None
        assert lost.error.endswith(("refused the connection", "closed the connection"))
        assert lost.retry_at is not None
        wait_for(lambda: told.read().health["events"].tries > 2, "it was tried again in vain")
        fleet.server.start()
        wait_for(lambda: is_live(told), "events are live again")
        restarted_at = time.time()
        worker = told.read().workers[fleet.worker.hostname]
        wait_for(
            lambda: told.read() and (worker.heard_at or 0.0) > restarted_at, "the worker is back"
        )
        ids = fleet.send(20)
        wait_for(
            lambda: all(i in told.read().tasks and told.cluster.tasks[i].final for i in ids),
            "20 tasks are final after the outage",
        )


@pytest.mark.fact("a broker that hangs", "Redis")
def test_a_broker_that_hangs_is_lost_too() -> None:
    with running_fleet(name="hang") as fleet, listening(fleet) as told:
        wait_for(lambda: is_live(told), "events are live")
        fleet.server.pause()
        try:
            wait_for(lambda: told.read().health["events"].state == Link.LOST, "the hang is told")
        finally:
            fleet.server.resume()
        wait_for(lambda: is_live(told), "events are live again")


def test_what_nobody_can_read_is_counted_and_the_rest_is_heard(fleet: Fleet) -> None:
    def envelope(body: bytes | str, **more: object) -> str:
        import base64

        raw = base64.b64encode(body if isinstance(body, bytes) else body.encode()).decode()
        properties = {"body_encoding": "base64", "delivery_tag": "t", "delivery_info": {}}
        message = {
            "body": raw,
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": {},
            "properties": properties,
        }
        return json.dumps({**message, **more})

    good = json.dumps({"type": "task-started", "timestamp": 5.0, "hostname": "h", "uuid": "odd-1"})
    odd = [
        "no envelope at all",
        "{}",
        json.dumps({"body": "!!!", "properties": {"body_encoding": "base64"}}),
        envelope("not json"),
        envelope(b"\x80\x04K\x01.", **{"content-type": "application/x-python-serialize"}),
        envelope("{}", **{"content-type": "text/[/oops]"}),
        envelope("{}", **{"content-encoding": "no-such-encoding"}),
        envelope("{}", headers={"compression": "application/x-gzip"}),
        envelope(good),
    ]
    import redis

    with listening(fleet) as told:
        wait_for(lambda: is_live(told), "events are live")
        with redis.Redis.from_url(fleet.url) as one:
            for message in odd:
                one.publish("/0.celeryev/task.started", message)
        wait_for(lambda: "odd-1" in told.read().tasks, "the good one after the odd ones")
        assert is_live(told)
    malformed = told.cluster.malformed
    print(malformed)
    assert malformed["pickle, not JSON"] == 1
    assert malformed["unknown content type, not JSON"] == 1
    assert malformed["unknown encoding"] == 1
    assert malformed["broken compression"] == 1
    assert malformed["not JSON"] == 1


def test_our_queue_has_the_arguments_of_celerys_own_receiver() -> None:
    """On brokers with queues: equal but for being exclusive and bounded."""
    from celery import Celery

    with opened(Site("memory://")) as connection:
        ours = event_queue(Site("memory://"), connection)
        app = Celery("a", broker="memory://", set_as_current=False)
        theirs = app.events.Receiver(connection).queue
        for name in ("routing_key", "auto_delete", "durable", "message_ttl", "expires"):
            assert getattr(ours, name) == getattr(theirs, name), name
        for name in ("name", "type", "durable", "auto_delete"):
            assert getattr(ours.exchange, name) == getattr(theirs.exchange, name), name
        assert ours.name.startswith("celeryev.")
        assert ours.exclusive
        app.close()


def test_any_broker_with_queues_is_heard_through_an_ordinary_consumer() -> None:
    """kombu's in-memory broker stands for them: it has exchanges, queues and bindings."""
    from kombu.entity import Exchange
    from kombu.messaging import Producer

    site = Site("memory://")
    event = {"type": "task-started", "timestamp": 5.0, "hostname": "h", "uuid": "u1"}
    told = Told(lambda inbox, cluster: EventSource(inbox, site, lambda: cluster.events_counted))
    with told, opened(site) as connection:
        wait_for(lambda: is_live(told), "events are live")
        producer = Producer(connection.channel(), Exchange("celeryev", "topic"))
        producer.publish([event], routing_key="task.multi", serializer="json")
        wait_for(lambda: "u1" in told.read().tasks, "an event through the in-memory broker")


# -- overload --------------------------------------------------------------------------------

TYPES = ("task-sent", "task-received", "task-started", "task-succeeded", "worker-heartbeat")
EVENTS = tuple(Event(kind, 1.0, "w1@a", uuid="u1") for kind in TYPES)


@pytest.mark.parametrize(
    ("waiting", "left_out"),
    [
        (0, ()),
        (50_000, ()),
        (50_001, ("task-sent",)),
        (100_001, ("task-sent", "task-received", "task-started")),
    ],
)
def test_overload_leaves_out_what_matters_least(waiting: int, left_out: tuple[str, ...]) -> None:
    kept, counted = keep(EVENTS, waiting)
    assert counted == dict.fromkeys(left_out, 1)
    assert [event.type for event in kept] == [kind for kind in TYPES if kind not in left_out]


def test_what_was_left_out_is_counted_by_type() -> None:
    inbox, folded = Inbox(), 0
    source = EventSource(inbox, Site("redis://"), lambda: folded)
    from celery_tui.model.events import Decoded

    for _ in range(60_000):
        source._batch(Decoded((EVENTS[0],), {}))
    assert source.shed == {"task-sent": 9_999}
    assert len(inbox) == 50_001 + 1
    folded = 50_001
    source._batch(Decoded((EVENTS[0],), {}))
    assert source.shed == {"task-sent": 9_999}
    told = [one for one in iter(inbox.take, None) if isinstance(one, LogLine)]
    assert [line.text for line in told] == [
        "50,001 events wait to be read: leaving out task-sent",
        "caught up: 9,999 task-sent were left out, nothing else",
    ]


def test_starts_that_were_left_out_are_told_so_that_nobody_calls_them_lost() -> None:
    inbox, folded = Inbox(), -200_000
    source = EventSource(inbox, Site("redis://"), lambda: folded)
    from celery_tui.model.events import Decoded

    source._batch(Decoded(EVENTS, {}))
    batches = [one for one in iter(inbox.take, None) if isinstance(one, EventBatch)]
    assert [batch.left_out for batch in batches] == [(("w1@a", 1.0),)]


def test_reasons_are_our_words_and_few() -> None:
    assert unreadable("application/json", "utf-8") is None
    assert unreadable("application/json", None) is None
    assert unreadable("x" * 10_000, "utf-8") == "unknown content type, not JSON"
