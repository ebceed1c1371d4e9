"""The whole program while the broker goes away and comes back, and with garbage in the broker."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.integration.dashboard import Dashboard, dashboard
from tests.servers import RedisServer, Worker, client

ESCAPED = "esc\x1b[2J\x07q"
SEPARATOR = "\x06\x16"


class Fleet:
    """A Redis that may be stopped, and a worker with -E on it."""

    def __init__(self, server: RedisServer, worker: Worker) -> None:
        self.server, self.worker = server, worker
        self.broker = server.url(0)

    def send(self, name: str, *args: Any, **how: Any) -> str:
        """Send `sample.<name>`, on a connection of its own; its id."""
        app = client(self.broker)
        try:
            return str(app.send_task(f"sample.{name}", args, ignore_result=True, **how).id)
        finally:
            app.close()


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    # Gossip reads the events of other workers, and garbage among them ends Celery's worker.
    options = ("--without-gossip",)
    with RedisServer() as server, Worker(server.url(0), options=options) as worker:
        yield Fleet(server, worker)


def litter(connection: Any) -> None:
    """What no Celery would write."""

    def bind(queue: str) -> None:
        members = f"{queue}{SEPARATOR}{SEPARATOR}{queue}"
        connection.sadd(f"_kombu.binding.{queue}", members)

    connection.rpush("shopping", "milk", "eggs", b"\xff\xfe\x00")
    connection.hset("sessions", "a", "b")
    bind("stringy")
    connection.set("stringy", "no list at all")
    bind("garbled")
    connection.rpush("garbled", "no json {", b"\x80\x81", "[]", "{}", "null", '{"body": 7}')
    connection.set("_kombu.binding.wrong", "no set at all")
    connection.sadd("_kombu.binding.odd", "no separator", b"\xff\xff", "")
    connection.hset("unacked", "junk", "no json either")


def shout(connection: Any) -> None:
    """Events that no worker would send."""
    good = {"content-type": "application/json", "content-encoding": "utf-8", "headers": {}}
    bodies = [b"no json", b"[]", b"7", b'[{"type": 7}, null]', b'{"type": "task-received"}']
    messages = ["no json", "[]", "null", '{"body": 7}'] + [
        json.dumps(
            {
                **good,
                "body": base64.b64encode(body).decode(),
                "properties": {"body_encoding": "base64", "delivery_tag": "x"},
            }
        )
        for body in bodies
    ]
    for channel in ("/0.celeryev/worker.heartbeat", "/0.celeryev/task.multi", "/0.celeryev/oops"):
        for message in messages:
            connection.publish(channel, message)


async def walk(screen: Dashboard, rows: int) -> str:
    """Every screen, every row under the cursor, every page below; all that was shown."""
    shown = []
    for root in "12348":
        await screen.press(root)
        await screen.stays(0.3)
        for _ in range(rows):
            shown.append(screen.text)
            await screen.press("enter")
            await screen.stays(0.1)
            shown.append(screen.text)
            await screen.press("escape", root, "j")
    return "\n".join(shown)


async def test_garbage_in_the_broker_is_shown_and_breaks_nothing(fleet: Fleet) -> None:
    with redis.Redis.from_url(fleet.broker) as connection:
        litter(connection)
        for queue in ("[/oops]", ESCAPED):
            fleet.send("add", 1, "[@click=app.quit]\x1b[31m", queue=queue)
        async with dashboard(fleet.broker) as screen:
            await screen.reads("✓  w1@test", "0/2")
            shout(connection)
            await screen.press("2")
            await screen.reads("✗  [/oops]", " 1 ", "none")
            await screen.reads("✗  esc^[[2J^Gq", " 1 ", "none")
            await screen.reads("garbled", " 6 ")
            await screen.reads("stringy")
            assert not screen.line("shopping")
            assert not screen.line("sessions")
            for queue, shown in (("[/oops]", "[/oops]"), (ESCAPED, "esc^[[2J^Gq")):
                await screen.press("slash", "ctrl+u", *shown[:3], "enter")
                await screen.reads("▐ ", shown)
                await screen.act("D", f"PURGE  {shown}")
                await screen.reads("✓ purged", shown, "1 message moved")
                await screen.act("Z", "UNDO PURGE")
                await screen.reads("✓ undone", shown, "1 message back in")
                assert connection.llen(queue) == 1
            await screen.press("escape", "escape")
            await screen.press("slash", "ctrl+u", *"stringy", "enter")
            await screen.until(lambda: "stringy" in screen.cursor, "the wrong type is found")
            await screen.act("D", "PURGE  stringy")
            await screen.reads("stringy", "▐ ")
            await screen.press("escape", "escape", "escape")
            shown = await walk(screen, 6)
            assert "\x1b" not in shown
            fleet.send("add", 1, 2)
            await screen.press("1")
            await screen.reads("✓ success", "sample.add")
        assert connection.get("stringy") == b"no list at all"
        connection.flushdb()


async def test_a_broker_that_goes_away_is_a_state_and_comes_back_by_itself(fleet: Fleet) -> None:
    async with dashboard(fleet.broker) as screen:
        await screen.reads("✓  w1@test", "0/2")
        fleet.send("add", 1, 1, queue="emails")
        await screen.reads("✗  emails", " 1 ", "none")
        done = fleet.send("add", 1, 1)
        await screen.reads("✓ success", "sample.add")
        fleet.server.kill()
        await screen.reads("BROKER LOST")
        await screen.reads("Acts are off.")
        await screen.reads("tries", "next in")
        await screen.until(lambda: "acts off" in screen.header, "acts are off")
        await screen.reads("emails", "(1)")
        await screen.reads("w1@test", "(0/2)")
        assert "w1@test" in screen.text
        assert "quiet" not in screen.header
        for root, key in (("1", "E"), ("2", "D"), ("2", "Z"), ("4", "X"), ("4", "R"), ("4", "T")):
            await screen.press(root, key)
            await screen.reads("acts are off until the broker answers")
            assert "Cancel" not in screen.text
            await screen.press("escape")
        await screen.find(done[:8], "✓ success")
        await screen.press("escape", "1")
        fleet.server.start()
        await screen.until(lambda: "BROKER LOST" not in screen.text, "live again by itself")
        await screen.until(lambda: "acts off" not in screen.header, "acts are on again")
        await screen.reads("✓  w1@test", "0/2", within_s=120)
        again = fleet.send("add", 2, 2)
        await screen.find(again[:8], "sample.add", "✓ success")
        await screen.press("escape", "1")
        await screen.reads("✓  w1@test", "0/2")
        assert not screen.line("(0/2)")
