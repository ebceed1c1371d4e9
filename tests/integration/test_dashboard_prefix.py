"""The whole program where Celery's keys have a prefix that the broker's URL does not tell."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from tests.actions.acting import ledger
from tests.integration.dashboard import dashboard
from tests.servers import APPS, RedisServer, Worker, client, wait_for

PREFIX = "shop:"
OPTIONS: dict[str, Any] = {"broker_transport_options": {"global_keyprefix": PREFIX}}
PROJECT = f"""
from sample import app

app.conf.update({OPTIONS!r})
"""


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Worker, Celery]]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "shop.py").write_text(PROJECT)
    with RedisServer() as server:
        app = client(server.url(0), **OPTIONS)
        environment = {"PYTHONPATH": str(APPS)}
        worker = Worker(server.url(0), app="shop", folder=folder, env=environment).launch()
        try:
            wait_for(lambda: "w1@test ready." in worker.log_text(), "the worker is ready")
            yield server.url(0), worker, app
        finally:
            worker.stop()
            app.close()


def send(app: Celery, name: str, *args: Any, **how: Any) -> str:
    """Send `sample.<name>`; its id."""
    return str(app.send_task(f"sample.{name}", args, ignore_result=True, **how).id)


async def test_with_the_url_alone_the_screen_offers_the_prefix(
    prefixed: tuple[str, Worker, Celery],
) -> None:
    broker, _, _ = prefixed
    async with dashboard(broker) as screen:
        await screen.says("No worker answers.")
        await screen.says(f"Keys with the prefix {PREFIX} exist: try --key-prefix")
        await screen.reads("no queue in this database")
        await screen.says("no worker")


async def test_with_the_prefix_everything_is_seen_and_can_be_acted_on(
    prefixed: tuple[str, Worker, Celery], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    broker, worker, app = prefixed
    async with dashboard(broker, key_prefix=PREFIX) as screen:
        await screen.reads("✓  w1@test", "0/2")
        for number in range(3):
            send(app, "add", number, 1, queue="emails")
        await screen.reads("✗ crit", "emails", "nobody consumes it: 3 messages")
        assert PREFIX not in screen.text
        send(app, "add", 1, 2)
        await screen.reads("✓ success", "sample.add")
        with_eta = await screen.revoke_before_eta(
            lambda countdown: send(app, "slow", 0.1, countdown=countdown)
        )
        await screen.until(lambda: "⊘ revoked" in screen.cursor, "the row is revoked")
        assert f"start {with_eta}" not in ledger(worker.ledger)
        await screen.press("2")
        await screen.until(lambda: "emails" in screen.cursor, "the queue is under the cursor")
        await screen.act("D", "PURGE  emails")
        await screen.reads("✓ purged", "3 messages moved to quarantine")
        await screen.reads("=  purged emails", " 3 ")
        await screen.act("Z", "UNDO PURGE")
        await screen.reads("✓ undone", "3 messages back in emails")
