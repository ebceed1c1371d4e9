"""The whole program on a cluster with Celery's defaults: no -E, no task-sent, nothing extended."""

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celery_tui.report import status
from celery_tui.settings import Settings
from tests.actions.acting import echoed, ledger
from tests.integration.dashboard import dashboard
from tests.servers import RedisServer, Worker, client

HIDDEN = "‹hidden›"
SECRETS = ("hunter2", "hunter3", "hunter4")


class Plain:
    """A worker as `celery -A proj worker` starts it, and a client that sends to it."""

    def __init__(self, server: RedisServer, worker: Worker) -> None:
        self.worker = worker
        self.broker, self.backend = server.url(0), server.url(1)
        self._app = client(self.broker, self.backend)

    def send(self, name: str, *args: Any, kwargs: dict[str, Any] | None = None, **how: Any) -> str:
        """Send `sample.<name>`; its id."""
        return str(self._app.send_task(f"sample.{name}", args, kwargs, **how).id)

    @property
    def ran(self) -> list[str]:
        """What the tasks wrote."""
        return ledger(self.worker.ledger)

    def close(self) -> None:
        """Drop the client's connections."""
        self._app.close()


@pytest.fixture(scope="module")
def plain() -> Iterator[Plain]:
    with RedisServer() as server:
        broker, backend = server.url(0), server.url(1)
        with Worker(broker, backend, events=False) as worker:
            cluster = Plain(server, worker)
            yield cluster
            cluster.close()


def looked(plain: Plain) -> str:
    """What `celery-tui status --json` prints."""
    out = io.StringIO()
    settings = Settings(broker=plain.broker, result_backend=plain.backend)
    status.run(settings, as_json=True, out=out)
    return out.getvalue()


async def test_a_cluster_with_defaults_is_seen_acted_on_and_its_events_are_switched_on(
    plain: Plain, tmp_path: Path
) -> None:
    shown: list[str] = []
    gate = tmp_path / "gate"
    gate.touch()
    for _ in range(2):
        plain.send("held", str(gate))
    reserved = plain.send("echo", 91823, [None, 0.1], kwargs={"token": "hunter2", "cur": "EUR"})
    plain.send("fail", "password=hunter3")
    for number in range(3):
        plain.send("add", number, 1, queue="nobody", ignore_result=True)
    async with dashboard(plain.broker, plain.backend) as screen:
        # -- what inspect, the broker and the backend tell ---------------------------------
        await screen.reads("✓  w1@test", "2/2")
        await screen.reads("Running 2")
        await screen.reads("▸  sample.held", "w1@test")
        await screen.reads("✗ crit", "nobody", "nobody consumes it: 3 messages")
        await screen.reads("✗  nobody", " 3 ", "none")
        await screen.until(lambda: "in ?" in screen.lines[1], "what comes in is not known")
        shown.append(screen.text)
        await screen.press("3", "enter")
        await screen.reads("◦ received", "sample.echo", "91823")
        shown.append(screen.text)
        await screen.press("escape")

        # -- a reserved task is sent again, exactly ----------------------------------------
        await screen.find(reserved[:8], "◦ received")
        await screen.press("enter")
        await screen.reads("91823", f"token={HIDDEN}", "cur='EUR'")
        shown.append(screen.text)
        await screen.press("escape")
        await screen.ask("R", "RETRY  1 task")
        await screen.reads("known", "exact, from")
        await screen.reads("kwargs", f'"token": "{HIDDEN}"')
        shown.append(screen.text)
        told = await asyncio.to_thread(looked, plain)
        assert json.loads(told)["tasks"]
        shown.append(told)
        before = len(plain.ran)
        await screen.press("Y")
        await screen.reads("retr", reserved[:8])
        gate.unlink()
        await screen.until(
            lambda: len([line for line in plain.ran[before:] if "91823" in line]) == 2,
            "the task and its copy have run",
        )
        original = echoed(plain.worker.ledger, reserved)
        copies = [json.loads(line) for line in plain.ran if "91823" in line]
        (copy,) = [one for one in copies if one["id"] != reserved]
        assert original is not None
        assert copy["args"] == original["args"] == [91823, [None, 0.1]]
        assert copy["kwargs"] == original["kwargs"] == {"token": "hunter2", "cur": "EUR"}

        # -- results, although no event was heard ------------------------------------------
        await screen.until(lambda: "✓ success" in screen.cursor, "its result is on screen")
        await screen.press("enter")
        await screen.reads("from", "result backend")
        shown.append(screen.text)
        await screen.press("escape", "1")

        # -- what cannot be seen, and how to ------------------------------------------------
        line = await screen.reads("! warn", "task events", "off on 1 of 1 worker")
        shown.append(screen.text)
        assert "E" in line
        await screen.until(lambda: "E events" in screen.footer, "the footer offers them")
        await screen.ask("E", "EVENTS ON  1 worker")
        await screen.says("It lasts until that worker restarts")
        await screen.press("escape")
        await screen.reads("! warn", "task events")
        await screen.act("E", "EVENTS ON  1 worker")
        await screen.reads("task events enabled, until that worker restarts")
        plain.send("add", 1, 2)
        await screen.reads("◦ received", "sample.add")
        await screen.reads("✓ success", "sample.add")
        await screen.until(lambda: not screen.line("! warn", "task events"), "the line is gone")
        assert "events off" not in screen.header

        # -- what only an event's repr tells is never sent unasked --------------------------
        args = ["x" * 3000, 7]
        cut = plain.send("echo", *args, kwargs={"api_key": "hunter4"})
        await screen.find(cut[:8])
        await screen.until(lambda: "✓ success" in screen.cursor, "it has run")
        before = len(plain.ran)
        await screen.ask("R", "RETRY  1 task")
        await screen.reads("known", "as text, perhaps cut")
        shown.append(screen.text)
        await screen.press("Y")
        await screen.reads("Python literals or JSON")
        shown.append(screen.text)
        await screen.stays(0.5)
        await screen.press("escape", "escape")
        await screen.until(lambda: "RETRY" not in screen.text, "the dialog is left")
        await screen.stays(2.0)
        assert len(plain.ran) == before

        # -- no secret anywhere --------------------------------------------------------------
        for root in "12348":
            await screen.press(root)
            await screen.stays(0.5)
            shown.append(screen.text)
    shown.append(await asyncio.to_thread(looked, plain))
    for secret in SECRETS:
        assert not [text for text in shown if secret in text]
