"""Workers that are killed, frozen, stopped, restarted and doubled, beside one that is well."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from celery_tui.model.task import STARTED
from celery_tui.model.worker import BLOCKED, LOST, ONLINE, STOPPED
from tests.faults.ground import Ground, ground
from tests.faults.ledger import lives
from tests.faults.watch import agrees, watching
from tests.servers import Worker

WELL = "well"


@pytest.fixture(scope="module")
def shop() -> Iterator[Ground]:
    """One worker that nothing happens to; those of the tests come and go."""
    with ground() as one, one.workers(one.worker(WELL, concurrency=1)):
        yield one


@contextmanager
def victim(shop: Ground, name: str, **how: Any) -> Iterator[Worker]:
    """A worker to whom something happens."""
    one = shop.worker(name, **how)
    with shop.workers(one):
        yield one


async def test_a_killed_worker_is_lost_and_nothing_of_it_stays_started(shop: Ground) -> None:
    with victim(shop, "killed") as worker:
        async with watching(shop) as watch:
            gate, other = shop.gate(), shop.gate()
            lost = shop.work(gate, "killed", 2)
            kept = shop.work(other, WELL)
            await watch.begins(*lost, *kept)
            for one in (*lost, *kept):
                await watch.state(one, STARTED)
            await watch.beats("killed", WELL)
            assert watch.rules() == set()
            pid, began = worker.pid, time.monotonic()
            await asyncio.to_thread(worker.kill)
            print(f"[took] the kill itself: {time.monotonic() - began:.3f} s")
            await watch.finding("worker-lost", "killed@test")
            await watch.screen.reads("✗ crit", "killed@test", f"pid {pid}", "2 tasks ran")
            await agrees(watch, {"killed": LOST, WELL: ONLINE}, what="after the kill all")
            for one in lost:
                task = watch.task(one)
                assert task is not None
                assert task.verdict
                assert "lost with killed" in task.verdict
            assert "worker-lost" in watch.rules("killed@test")
            other.touch()
            await watch.ends(*kept)
            await agrees(watch, {"killed": LOST, WELL: ONLINE}, cold=False, what="and the other")


async def test_a_frozen_worker_is_blocked_and_what_its_children_end_is_known(shop: Ground) -> None:
    with victim(shop, "frozen") as worker:
        async with watching(shop) as watch:
            gate, other = shop.gate(), shop.gate()
            ends = shop.work(gate, "frozen")
            stays = shop.work(other, "frozen")
            await watch.begins(*ends, *stays)
            await watch.state(stays[0], STARTED)
            await watch.beats("frozen", WELL)
            worker.pause()
            gate.touch()
            await watch.ends(*ends)
            await watch.finding("worker-blocked", "frozen@test")
            await watch.screen.reads("! warn", "frozen@test", f"pid {worker.pid}", "blocked")
            await agrees(watch, {"frozen": BLOCKED, WELL: ONLINE}, what="frozen, all")
            worker.resume()
            await watch.finding("worker-blocked", "frozen@test", gone=True)
            other.touch()
            await watch.ends(*stays)
            await agrees(watch, {"frozen": ONLINE, WELL: ONLINE}, what="thawed, all")
            assert watch.rules("frozen@test") == set()


async def test_a_worker_stopped_warm_ends_its_tasks_and_is_no_finding(shop: Ground) -> None:
    with victim(shop, "warm", options=("--prefetch-multiplier", "1")) as worker:
        async with watching(shop) as watch:
            gate = shop.gate()
            running = shop.work(gate, "warm", 2)
            await watch.begins(*running)
            held = shop.work(gate, "warm", 2)
            await watch.screen.until(lambda: shop.depth("warm") == 0, "two are held")
            pid, began = worker.pid, time.time()
            os.kill(pid, signal.SIGTERM)
            await watch.screen.stays(1.0)
            assert shop.ledger.running() >= set(running)
            gate.touch()
            await watch.ends(*running)
            await watch.screen.until(lambda: not lives(pid, began), "the worker ends")
            assert shop.depth("warm") == 2
            await agrees(watch, {"warm": STOPPED, WELL: ONLINE}, what="stopped warm, all")
            assert watch.rules() <= {"no-consumer"}
            with shop.workers(shop.worker("warm")):
                await watch.ends(*held)
                await agrees(watch, {"warm": ONLINE, WELL: ONLINE}, what="back, all")
            assert "worker-lost" not in watch.rules()


async def test_a_worker_killed_and_started_anew_does_not_run_what_it_ran_before(
    shop: Ground,
) -> None:
    with victim(shop, "again") as worker:
        async with watching(shop) as watch:
            gate = shop.gate()
            lost = shop.work(gate, "again", 2)
            await watch.begins(*lost)
            await watch.state(lost[0], STARTED)
            await watch.state(lost[1], STARTED)
            former = worker.pid
            await asyncio.to_thread(worker.kill)
            with shop.workers(shop.worker("again")):
                fresh = shop.work(gate, "again", 2)
                await watch.begins(*fresh)
                await agrees(watch, {"again": ONLINE, WELL: ONLINE}, what="restarted, all")
                told = watch.worker("again")
                assert told["pid"] not in (None, former)
                assert told["duplicate_name"] is False
                gate.touch()
                await watch.ends(*fresh)
                await agrees(watch, {"again": ONLINE, WELL: ONLINE}, what="and later")
            assert not any(one in shop.ledger.running() for one in lost)


async def test_two_workers_with_one_name_are_one_row_that_says_so(shop: Ground) -> None:
    first, second = (shop.worker("twin", concurrency=1) for _ in range(2))
    async with watching(shop) as watch:
        with shop.workers(first, second):
            await watch.screen.until(
                lambda: watch.worker("twin").get("duplicate_name"), "the name is told to be double"
            )
            gate = shop.gate()
            ids = shop.work(gate, "twin", 2)
            await watch.begins(*ids)
            # Long enough for questions that only one of the two answers.
            await agrees(watch, {"twin": ONLINE, WELL: ONLINE}, what="doubled, all")
            for _ in range(4):
                await watch.screen.stays(2.0)
                await agrees(watch, {"twin": ONLINE, WELL: ONLINE}, cold=False, what="still all")
            await watch.screen.press("3")
            await watch.screen.reads("twin", "2 processes")
            await asyncio.to_thread(first.kill)
            await watch.screen.until(lambda: len(shop.ledger.running() & set(ids)) == 1, "one dies")
            await agrees(watch, {"twin": ONLINE, WELL: ONLINE}, what="one of them killed, all")
            await watch.screen.until(
                lambda: not watch.worker("twin").get("duplicate_name"), "the name is single again"
            )
            gate.touch()
            await watch.ends(*ids)
            await agrees(watch, {"twin": ONLINE, WELL: ONLINE}, cold=False, what="and once ended")
