"""What was lost on its way is counted to the task, and shown as lost; a broken link is a gap."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis
from kombu.connection import Connection
from kombu.entity import Exchange
from kombu.messaging import Producer

from celery_tui.model.seam import Link
from celery_tui.report.document import document
from celery_tui.settings import Settings
from celery_tui.sources.events import EventSource
from tests.integration.losing import attached, begun, deaf_for_a_while, heartbeats, lost, settled
from tests.owner import Owner
from tests.servers import RedisServer, wait_for
from tests.sources.fleet import Fleet, running_fleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with running_fleet(name="w1", options=("--heartbeat-interval", "1")) as one:
        yield one


def listeners(client: redis.Redis) -> set[str]:
    """Ids of the connections that are subscribed to anything."""
    return {str(one["id"]) for one in client.client_list(_type="pubsub")}


@pytest.mark.fact("events missed", "Redis")
def test_the_number_said_to_be_lost_is_that_of_the_ledger(fleet: Fleet, started: set[str]) -> None:
    with redis.Redis.from_url(fleet.url, decode_responses=True) as client:
        deaf_for_a_while(
            fleet,
            started,
            lambda: listeners(client),
            lambda victim: client.client_kill_filter(_id=victim),
        )


def test_without_a_loss_none_is_said_however_fast_tasks_run(fleet: Fleet) -> None:
    with Owner(Settings(broker=fleet.url)) as owner:
        attached(owner, fleet)
        before = begun(fleet)
        for _ in range(3):
            fleet.send(250)
            settled_at = time.monotonic() + 1.0
            while time.monotonic() < settled_at:
                owner.read()
                time.sleep(0.02)
        heartbeats(owner, fleet, 4)
        assert lost(owner, fleet) == 0
        assert document(owner.monitor)["events"]["coverage"] == 1.0
        assert document(owner.monitor)["events"]["gaps"] == []
        assert begun(fleet) >= before


def test_a_subscriber_that_redis_drops_for_its_backlog_knows_what_it_missed(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, started: set[str]
) -> None:
    """We hang for a while; Redis keeps 100 kB for us and no more."""
    with redis.Redis.from_url(fleet.url, decode_responses=True) as client:
        client.config_set("client-output-buffer-limit", "pubsub 100kb 100kb 1")
        hung = [False]
        read = EventSource._body

        def hangs(self: EventSource, body: bytes) -> None:
            while hung[0] and not self.stopping.is_set():
                time.sleep(0.05)
            read(self, body)

        monkeypatch.setattr(EventSource, "_body", hangs)
        try:
            with Owner(Settings(broker=fleet.url)) as owner:
                attached(owner, fleet)
                before = begun(fleet)
                hung[0] = True
                ids = fleet.send(200, task="sample.echo")
                for _ in range(40):  # what fills the sockets' own buffers, too
                    client.publish("/0.celeryev/task.multi", "x" * 500_000)
                wait_for(lambda: begun(fleet) >= before + 200, "200 tasks have run", 120)
                hung[0] = False
                owner.until(lambda c: c.links.gaps.get("events"), "the gap")
                owner.until(lambda c: c.health["events"].state == Link.LIVE, "we listen again")
                settled(owner, fleet)
                missing = len(set(ids) - started)
                print(f"{missing} of 200 starts were not heard")
                assert missing > 0
                assert lost(owner, fleet) == missing
        finally:
            client.config_set("client-output-buffer-limit", "pubsub 32mb 8mb 60")


def flood(url: str, messages: int) -> None:
    """So many messages of 1,000 events: half of them sent, a quarter started and ended each."""
    exchange = Exchange("celeryev", "fanout")
    with Connection(url) as connection:
        producer = Producer(connection.channel(), exchange)
        for message in range(messages):
            events = [
                {"type": kind, "uuid": f"{message}-{number}", "timestamp": time.time(),
                 "hostname": "w1@flood", "pid": 7, "clock": 1, "utcoffset": 0}
                for number in range(250)
                for kind in ("task-sent", "task-sent", "task-started", "task-succeeded")
            ]  # fmt: skip
            producer.publish(events, routing_key="task.multi", serializer="json")


def test_an_overload_sheds_what_matters_least_says_so_and_calls_nothing_lost(
    own_redis: RedisServer,
) -> None:
    """Nobody drains the Inbox for a while, and 130,000 events come."""
    with Owner(Settings(broker=own_redis.url(), max_tasks=100_000)) as owner:
        owner.until(lambda c: c.health.get("events"), "the link")
        events = owner.monitor.sources["events"]
        assert isinstance(events, EventSource)
        wait_for(lambda: len(owner.monitor.inbox), "the link is told as live")
        flood(own_redis.url(), 130)
        wait_for(
            lambda: events.waiting() + sum(events.shed.values()) >= 130_000, "all have come", 120
        )
        print(f"left out: {events.shed}")
        assert events.shed["task-sent"] > events.shed.get("task-started", 0)
        assert "task-succeeded" not in events.shed
        owner.until(lambda c: c.counts["SUCCESS"] == 130 * 250, "every end was heard")
        flood(own_redis.url(), 1)
        owner.until(lambda c: any("caught up" in line.text for line in c.log), "its end is told")
        texts = [line.text for line in owner.monitor.cluster.log if line.kind == "events"]
        assert "leaving out task-sent" in texts[0]
        assert texts[-1].startswith("caught up: ")
        told = document(owner.monitor)["events"]
        assert told["shed"]["task-sent"] >= 1_000
        assert told["lost"] is None
