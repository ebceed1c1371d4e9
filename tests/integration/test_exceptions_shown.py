"""Narrow cells keep the class of an exception: of the two that Celery's pool itself raises."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil

from tests.integration.dashboard import Dashboard, dashboard
from tests.servers import RedisServer, Worker, client

NARROW, WIDE = (80, 24), (160, 48)


async def fallen(shown: Dashboard, *classes: str) -> None:
    """Each class is to be read in a row that says failed, and no package without its class."""
    for name in classes:
        await shown.reads("✗", name)
    assert "billiard" not in shown.text


async def test_a_lost_process_and_a_time_limit_keep_their_class(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    with RedisServer() as server, Worker(server.url(0), ledger=ledger) as worker:
        async with dashboard(server.url(0), size=NARROW) as shown:
            await shown.reads("Workers 1", "all heard")
            app = client(server.url(0))
            app.send_task("sample.slow", (60,), ignore_result=True, time_limit=1)
            killed = app.send_task("sample.slow", (60, str(tmp_path / "killed")))
            await shown.until((tmp_path / "killed").exists, "the task that is to be killed runs")
            app.close()
            await shown.reads("Failures 1")
            # The other process sleeps in what is left.
            for child in psutil.Process(worker.pid).children():
                os.kill(child.pid, signal.SIGKILL)
            await shown.reads("Failures 2")
            await fallen(shown, "…WorkerLostError", "TimeLimitExceed")
            await shown.pilot.resize_terminal(*WIDE)
            await shown.reads("✗ failure", "WorkerLostE")
            await fallen(shown, "WorkerLostE", "TimeLimitEx")
            await shown.press("4")
            await shown.reads("Timeline")
            await shown.reads("run", "s  WorkerLostError")
            assert shown.app.cluster.tasks[killed.id].exception
