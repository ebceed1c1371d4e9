"""Faults that leave every worker alive: on one cluster, each checked against its ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest

from celery_tui.model.task import PENDING, REVOKED, STARTED, UNKNOWN
from tests.faults.ground import Ground, ground
from tests.faults.watch import Watch, agrees, watching
from tests.servers import client, wait_for

LIVE = {"fork": "online", "threads": "online"}


@pytest.fixture(scope="module")
def shop(kind: str) -> Iterator[Ground]:
    """A prefork worker and one of threads, both with two slots."""
    with ground(kind, task_send_sent_event=True) as one:
        some = (one.worker("fork"), one.worker("threads", pool="threads"))
        with one.workers(*some):
            yield one


async def test_who_attaches_late_knows_what_runs_and_what_ran(shop: Ground) -> None:
    gate = shop.gate()
    done = shop.send("add", 1, 2, queue="fork")
    failed = shop.send("add", 1, None, queue="threads")
    running = [*shop.work(gate, "fork", 2), *shop.work(gate, "threads", 2)]
    waiting = shop.work(gate, "fork", 3)
    later = shop.send("add", 1, 2, queue="fork", countdown=600)
    nobody = shop.send("add", 1, 2, queue="shelf")
    wait_for(lambda: shop.ledger.running() == set(running), "four tasks run")
    async with watching(shop, **shop.place.told_by) as watch:
        await agrees(watch, LIVE, what="attached late, all")
        said = shop.ledger.ended()
        assert said == {done: "SUCCESS", failed: "FAILURE"}
        assert watch.task(later) is not None
        assert watch.task(nobody) is None or not watch.task(nobody).final  # type: ignore[union-attr]
        await watch.screen.press("1")
        await watch.screen.reads("✗ crit", "shelf", "nobody consumes it")
        gate.touch()
        await watch.ends(*running, *waiting)
        await agrees(watch, LIVE, what="and once they have ended, all")
    shop.place.drop("shelf")


async def test_what_ends_while_the_broker_cuts_us_off_is_known(shop: Ground) -> None:
    async with watching(shop) as watch:
        gate = shop.gate()
        ids = [*shop.work(gate, "fork", 2), *shop.work(gate, "threads", 2, outcome="fail")]
        await watch.begins(*ids)
        for one in ids:
            await watch.state(one, STARTED)
        await watch.screen.until(lambda: _cut(shop) and _gaps(watch), "the gap is told")
        gate.touch()
        wait_for(lambda: _cut(shop) and not shop.ledger.running(), "all end unheard")
        await agrees(watch, LIVE, what="after the gap all")
        told = [watch.task(one) for one in ids]
        assert any(task is not None and "no event" in (task.verdict or "") for task in told)


def _cut(shop: Ground) -> bool:
    """Again, should it be back already."""
    shop.place.cut()
    return True


def _gaps(watch: Watch) -> bool:
    return bool(watch.document["events"]["gaps"])


async def test_a_purge_from_outside_is_seen_and_what_was_purged_never_ran(shop: Ground) -> None:
    async with watching(shop) as watch:
        gate = shop.gate()
        running = shop.work(gate, "fork", 2)
        await watch.begins(*running)
        # Eight are taken in advance; these wait in the queue.
        held = shop.work(gate, "fork", 8)
        await watch.screen.until(lambda: shop.depth("fork") == 0, "eight are taken")
        waiting = shop.work(gate, "fork", 4)
        for task_id in waiting:
            await watch.state(task_id, PENDING)
        await agrees(watch, LIVE, cold=False, what="before the purge all")
        assert [one["depth"] for one in watch.document["queues"] if one["name"] == "fork"] == [4]
        with closing(client(shop.broker)) as app, app.connection_for_write() as connection:
            purged = connection.default_channel.queue_purge("fork")
        assert purged == 4
        await agrees(watch, LIVE, cold=False, what="after the purge all")
        for task_id in waiting:
            assert (await watch.state(task_id, UNKNOWN, within_s=120)).verdict
        await agrees(watch, LIVE, what="later all")
        gate.touch()
        await watch.ends(*running, *held)
        await agrees(watch, LIVE, cold=False, what="and the rest")
    assert not any(shop.ledger.began(one) for one in waiting)


async def test_a_task_that_asks_to_be_ignored_does_not_stay_started(shop: Ground) -> None:
    async with watching(shop) as watch:
        gate = shop.gate()
        ids = [
            *shop.work(gate, "fork", outcome="ignore"),
            *shop.work(gate, "threads", outcome="ignore"),
        ]
        await watch.begins(*ids)
        await watch.state(ids[0], STARTED)
        await watch.state(ids[1], STARTED)
        gate.touch()
        for one in ids:
            assert (await watch.state(one, UNKNOWN)).verdict
        await agrees(watch, LIVE, what="what was ignored")


async def test_what_expires_while_it_waits_is_revoked_or_ran_as_the_ledger_says(
    shop: Ground,
) -> None:
    async with watching(shop) as watch:
        gate = shop.gate()
        busy = [*shop.work(gate, "fork", 2), *shop.work(gate, "threads", 2)]
        await watch.begins(*busy)
        fork = shop.send("add", 1, 2, queue="fork", expires=1)
        threads = shop.send("add", 1, 2, queue="threads", expires=1)
        over = time.time() + 1.5
        await watch.screen.until(lambda: time.time() > over, "both have expired")
        gate.touch()
        told = await watch.state(fork, REVOKED)
        assert told.expired
        # Threads have taken it from the broker already, and run it all the same.
        await watch.state(threads, REVOKED, "SUCCESS")
        await agrees(watch, LIVE, what="what expired")
        assert not shop.ledger.began(fork)
        ran = shop.ledger.began(threads)
        assert watch.task(threads).state == ("SUCCESS" if ran else REVOKED)  # type: ignore[union-attr]
        await watch.screen.find(fork[:8], "⊘ revoked")


async def test_a_task_revoked_before_its_eta_never_ran_and_is_said_to_be_revoked(
    shop: Ground,
) -> None:
    async with watching(shop) as watch:
        later, kept = await _revoked_in_time(watch, shop)
        await watch.state(later, REVOKED)
        await watch.state(kept, "SUCCESS")
        await agrees(watch, LIVE, what="what was revoked")
        assert not shop.ledger.began(later)
        await watch.screen.find(later[:8], "⊘ revoked")


async def _revoked_in_time(watch: Watch, shop: Ground) -> tuple[str, str]:
    """Two tasks with an ETA, the first revoked before it. Where all is slow, the ETA is later."""
    for countdown in (5, 20, 60):
        later, kept = (shop.send("add", 1, 2, queue="fork", countdown=countdown) for _ in range(2))
        due = time.time() + countdown
        await watch.screen.find(later[:8])
        await watch.screen.until(
            lambda due=due: "◷ eta" in watch.screen.cursor or time.time() > due,  # type: ignore[misc]
            "it waits for its ETA",
        )
        with closing(client(shop.broker)) as app:
            app.control.revoke(later, reply=True, timeout=countdown, limit=2)
        left_s = due - time.time()
        print(f"both workers knew {left_s:.1f} s before the ETA of {countdown} s")
        if left_s > 0:
            return later, kept
    raise AssertionError("nothing is revoked within a minute")


async def test_a_chord_runs_as_the_ledger_says(shop: Ground) -> None:
    parts, body = [str(uuid4()) for _ in range(3)], str(uuid4())
    async with watching(shop) as watch:
        gate = shop.gate()
        flow = shop.send("flow", parts, body, str(gate), "fork", queue="fork")
        await watch.begins(*parts[:1])
        await agrees(watch, LIVE, cold=False, what="the header")
        gate.touch()
        await watch.state(body, "SUCCESS")
        await agrees(watch, LIVE, what="the whole chord")
        assert {flow, body, *parts} <= shop.ledger.ended().keys()
