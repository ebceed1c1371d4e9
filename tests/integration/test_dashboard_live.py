"""The whole program on a cluster with everything on: keys go in, the screen is read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from tests.actions.acting import echoed, ledger
from tests.integration.dashboard import Dashboard, dashboard
from tests.servers import APPS, RedisServer, Worker, client

PROJECT = """
from sample import app

app.conf.result_extended = True
"""
HIDDEN = "‹hidden›"
ACT_KEYS = "XTRDZE"


class Cluster:
    """A Redis, a worker with -E on it, and a client that sends to it."""

    def __init__(self, server: RedisServer, worker: Worker, app: Celery) -> None:
        self.server, self.worker, self._app = server, worker, app
        self.broker, self.backend = server.url(0), server.url(1)

    def send(self, name: str, *args: Any, kwargs: dict[str, Any] | None = None, **how: Any) -> str:
        """Send `sample.<name>`; its id."""
        return str(self._app.send_task(f"sample.{name}", args, kwargs, **how).id)

    @property
    def ran(self) -> list[str]:
        """What the tasks wrote."""
        return ledger(self.worker.ledger)

    def bodies(self, queue: str) -> list[str]:
        """Messages that lie in a queue, as they are."""
        with redis.Redis.from_url(self.broker, decode_responses=True) as connection:
            return [str(one) for one in connection.lrange(queue, 0, -1)]

    def drop(self, queue: str) -> None:
        """Remove a queue and its binding."""
        with redis.Redis.from_url(self.broker) as connection:
            connection.delete(queue, f"_kombu.binding.{queue}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "shop.py").write_text(PROJECT)
    with RedisServer() as server:
        broker, backend = server.url(0), server.url(1)
        app = client(broker, backend)
        environment = {"PYTHONPATH": str(APPS)}
        with Worker(broker, backend, app="shop", folder=folder, env=environment) as worker:
            yield Cluster(server, worker, app)
        app.close()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file; tasks ``held`` run until it is gone."""
    path = tmp_path / "gate"
    path.touch()
    return path


def open_gate(gate: Path) -> None:
    """Let what is held go on to its end."""
    gate.unlink()


async def held(cluster: Cluster, screen: Dashboard, gate: Path, count: int = 1) -> list[str]:
    """So many tasks that run until the gate is gone."""
    ids = [cluster.send("held", str(gate)) for _ in range(count)]
    await screen.until(lambda: all(f"start {one}" in cluster.ran for one in ids), "they run")
    return ids


# -- looking -----------------------------------------------------------------------------------


async def test_a_task_that_runs_is_seen_moving_and_its_secrets_are_not(cluster: Cluster) -> None:
    async with dashboard(cluster.broker, cluster.backend, size=(140, 40)) as screen:
        await screen.reads("w1", "0/2")
        seen: list[str] = []
        sent = cluster.send("echo", 91823, kwargs={"password": "hunter2", "cur": "EUR"})
        await screen.reads("✓ success", "sample.echo")
        seen.append(screen.text)
        await screen.find(sent[:8], "✓ success")
        await screen.until(lambda: "91823, password" in screen.cursor, "Tasks shows the args")
        seen.append(screen.text)
        await screen.press("enter")
        await screen.reads("Args", "exact, from result backend")
        await screen.reads("91823", f"password={HIDDEN}")
        seen.append(screen.text)
        assert "hunter2" not in "".join(seen)
        told = echoed(cluster.worker.ledger, sent)
        assert told is not None
        assert told["kwargs"]["password"] == "hunter2"


async def test_a_failure_is_on_home_and_its_page_tells_why(cluster: Cluster) -> None:
    async with dashboard(cluster.broker, cluster.backend) as screen:
        await screen.reads("w1", "0/2")
        sent = cluster.send("fail", "kaboom [/oops] token=hunter2")
        line = await screen.reads("✗  sample.fail", "ValueError('kaboom [/oops]")
        assert "w1@test" in line
        assert "hunter2" not in screen.text
        cluster.send("add", 1, 2)
        await screen.reads("✓ success", "sample.add")
        await screen.press("4")
        await screen.reads("sample.add")
        await screen.filter("kaboom")
        await screen.reads("/ kaboom", "1 of ")
        await screen.reads("▐ ✗ failure", sent[:8])
        assert not screen.line("✓ success ", "sample.add")
        await screen.press("enter")
        await screen.reads("4 Tasks", "sample.fail", sent[:8])
        await screen.reads("Timeline")
        await screen.reads("received", "w1@test")
        await screen.reads("failure", "final")
        await screen.reads("Traceback (most recent call last)")
        await screen.press("G")
        await screen.reads("raise ValueError(message)")
        assert "hunter2" not in screen.text
        await screen.press("escape", "escape")
        await screen.reads("sample.add")


async def test_a_queue_that_nobody_consumes_is_the_first_line(cluster: Cluster) -> None:
    async with dashboard(cluster.broker, cluster.backend) as screen:
        await screen.reads("w1", "0/2")
        for number in range(3):
            cluster.send("add", number, 1, queue="[/oops]", ignore_result=True)
        words = ("✗ crit", "[/oops]", "nobody consumes it: 3 messages")
        await screen.until(
            lambda: all(word in screen.below("Attention 1") for word in words), "the first line"
        )
        await screen.until(lambda: "1 crit" in screen.header, "the header counts it")
        await screen.press("enter")
        await screen.reads("2 Queues", "[/oops]")
        await screen.reads("✗  [/oops]", "nobody consumes it")
        await screen.reads("waiting 3", "oldest", "drains never")
        await screen.reads("1  ", "sample.add", "0, 1")
        await screen.reads("sample.add", "100%")
        await screen.press("enter")
        await screen.reads("exact, from queue message")
        await screen.press("escape", "escape", "2")
        assert await screen.reads("▐ ✗  [/oops]", "3", "never", "none")
        cluster.drop("[/oops]")
        await screen.until(lambda: "quiet" in screen.header, "it is quiet again")


# -- revoke ------------------------------------------------------------------------------------


async def test_a_revoked_task_never_runs_and_is_called_revoked_once_the_worker_drops_it(
    cluster: Cluster, gate: Path
) -> None:
    async with dashboard(cluster.broker, cluster.backend) as screen:
        await screen.reads("w1", "0/2")
        await held(cluster, screen, gate, 2)
        reserved = cluster.send("slow", 0.1)
        await screen.find(reserved[:8], "◦ received")
        await screen.act("X", "REVOKE  1 task")
        await screen.until(lambda: "⊘ revoke?" in screen.cursor, "the row says revoke?")
        await screen.reads("⊘ revoke?", reserved[:8], "1 of 1 worker answered")
        with_eta = await screen.revoke_before_eta(
            lambda countdown: cluster.send("slow", 0.1, countdown=countdown)
        )
        await screen.reads("⊘ revoke?", with_eta[:8], "1 of 1 worker answered")
        open_gate(gate)
        for task_id in (reserved, with_eta):
            await screen.find(task_id[:8], "⊘ revoked")
            dropped = f"Discarding revoked task: sample.slow[{task_id}]"
            await screen.until(
                lambda dropped=dropped: dropped in cluster.worker.log_text(),  # type: ignore[misc]
                "the worker drops it",
            )
            assert f"start {task_id}" not in cluster.ran


async def test_revoking_a_running_task_says_that_it_goes_on_and_it_does(
    cluster: Cluster, gate: Path
) -> None:
    async with dashboard(cluster.broker, cluster.backend) as screen:
        await screen.reads("w1", "0/2")
        (running,) = await held(cluster, screen, gate)
        await screen.find(running[:8])
        await screen.reads("▐ ▸ started", running[:8])
        await screen.ask("X", "REVOKE  1 task")
        await screen.says("revoke lets that go on to its end, terminate (T) stops it.")
        await screen.press("Y")
        await screen.until(lambda: "⊘ revoke?" in screen.cursor, "the row says revoke?")
        open_gate(gate)
        await screen.until(lambda: "✓ success" in screen.cursor, "the row says how it ended")
        assert f"end {running}" in cluster.ran


# -- terminate ---------------------------------------------------------------------------------


async def test_a_terminated_task_dies_after_its_id_was_typed(cluster: Cluster) -> None:
    async with dashboard(cluster.broker, cluster.backend) as screen:
        await screen.reads("w1", "0/2")
        running = cluster.send("slow", 600.0)
        await screen.until(lambda: f"start {running}" in cluster.ran, "it runs")
        await screen.find(running[:8])
        await screen.reads("▐ ▸ started", running[:8])
        await screen.ask("T", "TERMINATE  1 running task")
        await screen.says("still running on w1@test")
        assert f"pid {cluster.worker.pid}" not in screen.text
        await screen.press("Y")
        await screen.says(f"{running[:4]} first, first 4 of the id")
        assert f"start {running}" in cluster.ran
        await screen.press(*running[:4], "enter", "enter")
        await screen.until(lambda: "TERMINATE" not in screen.text, "the dialog is gone")
        await screen.reads("✓ terminated", running[:8], "seen revoked, by event")
        await screen.until(lambda: "⊘ revoked" in screen.cursor, "the row is revoked")
        assert f"end {running}" not in cluster.ran


# -- retry -------------------------------------------------------------------------------------


async def test_a_retried_task_runs_again_with_equal_arguments(cluster: Cluster) -> None:
    args = [1, "naïve 日本語 [/oops]", [[None, 0.1]], 2**70]
    kwargs = {"token": "hunter2", "n": {"a": [True]}}
    async with dashboard(cluster.broker, cluster.backend) as screen:
        await screen.reads("w1", "0/2")
        sent = cluster.send("echo", *args, kwargs=kwargs)
        await screen.find(sent[:8])
        await screen.until(lambda: "✓ success" in screen.cursor, "it has run")
        await screen.ask("R", "RETRY  1 task")
        await screen.reads("known", "exact, from")
        assert "hunter2" not in screen.text
        before = len(cluster.ran)
        await screen.press("Y")
        await screen.reads("✓ retried", sent[:8])
        await screen.until(lambda: len(cluster.ran) == before + 1, "the copy has run")
        copy = json.loads(cluster.ran[-1])
        assert copy["id"] != sent
        assert (copy["args"], copy["kwargs"]) == (args, kwargs)
        await screen.find(copy["id"][:8])
        await screen.until(lambda: "✓ success" in screen.cursor, "the copy is on screen")


# -- purge -------------------------------------------------------------------------------------


async def test_a_purged_queue_is_in_quarantine_until_z_brings_all_of_it_back(
    cluster: Cluster,
) -> None:
    for number in range(7):
        cluster.send("echo", number, queue="emails", priority=number % 2 * 3, ignore_result=True)
    lists = ("emails", "emails\x06\x163")
    before = {name: cluster.bodies(name) for name in lists}
    assert sum(map(len, before.values())) == 7
    async with dashboard(cluster.broker, cluster.backend) as screen:
        await screen.press("2")
        await screen.until(lambda: "emails" in screen.cursor, "the unconsumed queue is first")
        await screen.ask("D", "PURGE  emails")
        await screen.says("✓ 7 messages waiting now")
        await screen.press("Y")
        await screen.reads("✓ purged", "emails", "7 messages moved to quarantine; Z brings them")
        await screen.reads("1 in quarantine")
        assert [cluster.bodies(name) for name in lists] == [[], []]
        await screen.reads("=  purged emails", " 7 ", "Z undoes it")
        await screen.until(lambda: "Z undo" in screen.footer, "the footer offers to undo")
        await screen.ask("Z", "UNDO PURGE  emails")
        await screen.says("7 messages of emails")
        await screen.press("Y")
        await screen.reads("✓ undone  emails", "7 messages back in emails")
        assert {name: cluster.bodies(name) for name in lists} == before
        await screen.until(lambda: "quarantine" not in screen.lines[4], "the quarantine is gone")
        await screen.reads("✗  emails", " 7 ")
    for name in lists:
        cluster.drop(name)


# -- nothing happens unasked -------------------------------------------------------------------


@pytest.mark.parametrize("leave", ["escape", "enter"])
async def test_leaving_a_dialog_sends_nothing(
    cluster: Cluster, state_home: Path, leave: str, gate: Path
) -> None:
    cluster.send("echo", 1, queue="emails", ignore_result=True)
    before = cluster.bodies("emails")
    async with dashboard(cluster.broker, cluster.backend) as screen:
        await screen.reads("w1", "0/2")
        (running,) = await held(cluster, screen, gate)
        await screen.find(running[:8])
        written = len(cluster.ran)
        for key, title in (("X", "REVOKE"), ("T", "TERMINATE"), ("R", "RETRY")):
            await screen.leave(key, title, leave)
        await screen.press("2")
        await screen.until(lambda: "emails" in screen.cursor, "the queue is under the cursor")
        for key, title in (("D", "PURGE"), ("Z", "UNDO")):
            await screen.leave(key, title, leave)
        open_gate(gate)
        await screen.find(running[:8], "✓ success")
        assert len(cluster.ran) == written + 1
    assert cluster.bodies("emails") == before
    assert not (state_home / "celery-tui" / "audit.jsonl").exists()
    log = cluster.worker.log_text()
    assert f"Tasks flagged as revoked: {running}" not in log
    cluster.drop("emails")


async def test_read_only_has_no_acts(cluster: Cluster, state_home: Path, gate: Path) -> None:
    cluster.send("echo", 1, queue="emails", ignore_result=True)
    before = cluster.bodies("emails")
    async with dashboard(cluster.broker, cluster.backend, read_only=True) as screen:
        await screen.reads("read-only")
        (running,) = await held(cluster, screen, gate)
        await screen.find(running[:8])
        for root in "1234":
            await screen.press(root)
            await screen.stays(0.3)
            for key in ACT_KEYS:
                for word in ("revoke", "terminate", "retry", "purge", "undo"):
                    assert word not in screen.footer
                shown = screen.lines[2]
                await screen.press(key, "Y")
                assert screen.lines[2] == shown
                assert "Cancel" not in screen.text
        open_gate(gate)
        await screen.until(lambda: f"end {running}" in cluster.ran, "the task ends by itself")
    assert cluster.bodies("emails") == before
    assert not (state_home / "celery-tui" / "audit.jsonl").exists()
    cluster.drop("emails")
