"""Workers that are killed, frozen and stopped, beside one to whom nothing happens."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from celery_tui.model.task import STARTED
from celery_tui.model.worker import BLOCKED, LOST, ONLINE, STOPPED
from tests.faults.ground import WELL, Ground, one_more
from tests.faults.ledger import lives
from tests.faults.watch import agrees, watching


@pytest.mark.fact("what becomes of a lost worker's messages", "Redis", "RabbitMQ")
async def test_a_killed_worker_is_lost_and_nothing_of_it_stays_started(shop: Ground) -> None:
    with one_more(shop, "killed") as worker:
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
    with one_more(shop, "frozen") as worker:
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
    with one_more(shop, "warm", options=("--prefetch-multiplier", "1")) as worker:
        async with watching(shop) as watch:
            gate = shop.gate()
            running = shop.work(gate, "warm", 2)
            await watch.begins(*running)
            held = shop.work(gate, "warm", 2)
            await watch.screen.until(lambda: shop.depth("warm") == 0, "two are held")
            pid, began = worker.pid, time.time()
            os.kill(pid, signal.SIGTERM)
            await watch.screen.until(lambda: "Warm shutdown" in worker.log_text(), "it is told")
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
