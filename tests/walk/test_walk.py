"""The same walk on Redis and on RabbitMQ + PostgreSQL: only what the brokers differ in differs."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.walk.sides import Screens, beside, only_in, walk
from tests.walk.steps import STEPS
from tests.walk.town import HELD, LATER, RUNNING, STEPPING, three_towns

HEADER = r"celery-tui (redis|amqp) "
AGE = r"✗ emails 30 (AGE|\?) "
"""Of the oldest message: RabbitMQ does not tell when one came."""
MESSAGE = r"\d+ e\d{7} sample\.echo .*B$"
"""Its size: on Redis that of all, on RabbitMQ that of the body. A line more or less fits."""
FIGURES = r"waiting 30 in |drains never"
TOLD = r"(waiting|oldest|in/s|out/s|unacked|counted) .*(AGE|not known: RabbitMQ)"
"""Who told a fact, in the broker's own words; what follows goes on in the next line."""
GOES_ON = r"(have taken|is not in it|looked; how|time|message|depth|each worker|acknowledged|all q)"
DIALOG = (
    r"(\d )?[⋅!] (30 waiting|Waiting messages|They come back|The file holds|What workers hold) ?"
)
CHART = r"(\d+ )?CHART"
"""How many of its columns are black is a matter of seconds."""
PLACE = r"(Events|Answers|Queues|Results) "
UNTOLD = r"Queues 2 |([✗⋅] emails \d+|✓ celery 0) .* (\? \?|RATE RATE) "
"""In and out a second; and that there may be queues that nobody names."""

DIFFERENT = {
    "Home": f"{AGE}|{CHART}",
    "Queues": AGE,
    "Queues: where it comes from": f"{TOLD}|{GOES_ON}",
    "a queue": f"{MESSAGE}|{FIGURES}",
    "a worker": "queues celery visibility (AGE|none: back at once) ",
    "purge, asked": f"{AGE}|{DIALOG}",
    "undone": f"{AGE}|{CHART}",
    "Log": r"TIME celery_tui\S* ages of waiting messages are not known: RabbitMQ",
    "the sources": f"{PLACE}|{TOLD}|{GOES_ON}",
}
"""Step -> what differs between Redis and RabbitMQ."""
UNKNOWN = {
    "Home": f"{UNTOLD}|{CHART}",
    "Queues": UNTOLD,
    "Queues: where it comes from": (
        r"(priorities|in/s|out/s|unacked|limbo) |--management-url|ETA; the least"
    ),
    "a queue": rf"{MESSAGE}|{FIGURES}|held by workers 0 unacked [?0] limbo [?0] ",
    "purge, asked": f"{UNTOLD}|{DIALOG}",
    "purged": UNTOLD,
    "undone": f"{UNTOLD}|{CHART}",
    "the sources": rf"{PLACE}|unacked (\?|2) |--management-url|{GOES_ON}",
}
"""Step -> what AMQP alone does not tell."""


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Screens, ...]:
    """On Redis; on RabbitMQ + PostgreSQL with the management API; and without it."""
    folder: Path = tmp_path_factory.mktemp("walk")
    with three_towns() as towns:
        return tuple(asyncio.run(walk(town, folder)) for town in towns)


@pytest.mark.parametrize("step", [step.name for step in STEPS])
def test_the_same_is_seen_on_redis_and_on_rabbitmq(walks: tuple[Screens, ...], step: str) -> None:
    compare(walks[0][step], walks[1][step], DIFFERENT.get(step, ""))


@pytest.mark.parametrize("step", [step.name for step in STEPS])
def test_without_the_management_api_less_is_known_and_the_rest_is_the_same(
    walks: tuple[Screens, ...], step: str
) -> None:
    compare(walks[1][step], walks[2][step], UNKNOWN.get(step, ""))


def compare(one: list[str], other: list[str], may_differ: str) -> None:
    """Every line that only one of them has is one that may differ; and some of them do."""
    expected = re.compile(f"{HEADER}|{may_differ}" if may_differ else HEADER)
    found = [*only_in(one, other), *only_in(other, one)]
    odd = [line for line in found if not expected.match(line)]
    assert not odd, "\n".join(odd) + "\n" + beside(one, other)
    if may_differ:
        assert any(re.match(may_differ, line) for line in found), "nothing differs any more"


# -- facts, each on every broker ---------------------------------------------------------------

Seen = tuple[Screens, ...]


def line(seen: Screens, step: str, *words: str) -> str:
    """The first line of a screen with all of these words; empty: there is none."""
    return next((one for one in seen[step] if all(word in one for word in words)), "")


@pytest.mark.fact("workers", "Redis", "RabbitMQ", "RabbitMQ + management")
def test_workers_are_seen(walks: Seen) -> None:
    assert all(line(seen, "Workers", "w1@test", "online", "2/2") for seen in walks)


@pytest.mark.fact(
    "what runs, is reserved, is scheduled", "Redis", "RabbitMQ", "RabbitMQ + management"
)
def test_what_workers_have_is_seen(walks: Seen) -> None:
    have = {RUNNING: "started", STEPPING: "started", HELD: "received", LATER: "eta"}
    for seen in walks:
        assert all(line(seen, "Tasks", task_id[:8], state) for task_id, state in have.items())


@pytest.mark.fact("task events", "Redis", "RabbitMQ", "RabbitMQ + management")
def test_what_moves_is_heard(walks: Seen) -> None:
    assert all(line(seen, "Home", "◦ received", "sample.add") for seen in walks)


@pytest.mark.fact("depth", "Redis", "RabbitMQ", "RabbitMQ + management")
def test_the_depth_is_seen(walks: Seen) -> None:
    assert all(re.search(r"emails +30 ", line(seen, "Queues", "✗")) for seen in walks)


@pytest.mark.fact("consumers", "Redis", "RabbitMQ", "RabbitMQ + management")
def test_who_consumes_is_seen(walks: Seen) -> None:
    for seen in walks:
        assert line(seen, "Queues", "emails", "none")
        assert line(seen, "Queues", "celery", "w1@test")


@pytest.mark.fact("in, out, drain", "Redis", "RabbitMQ + management")
@pytest.mark.fact("unacked", "Redis", "RabbitMQ + management")
@pytest.mark.fact("limbo", "Redis", "RabbitMQ + management")
def test_what_amqp_alone_does_not_tell_is_said_to_be_unknown(walks: Seen) -> None:
    page = "Queues: where it comes from"
    for fact in ("in/s", "out/s", "unacked", "limbo"):
        known = [not re.search(rf"  {fact} +\?", "\n".join(seen[page])) for seen in walks]
        assert known == [True, True, False]
        assert all(line(seen, page, fact) for seen in walks)


@pytest.mark.fact("age of the oldest message", "Redis")
def test_the_age_is_told_or_said_to_be_unknown(walks: Seen) -> None:
    page = "Queues: where it comes from"
    assert line(walks[0], page, "oldest", "at least")
    assert all(line(seen, page, "oldest", "RabbitMQ does not tell") for seen in walks[1:])


@pytest.mark.fact("purge with undo", "Redis", "RabbitMQ", "RabbitMQ + management")
def test_a_purged_queue_comes_back(walks: Seen) -> None:
    for seen in walks:
        assert line(seen, "purged", "=  purged", "30", "Z undoes it")
        assert re.search(r"emails +30 ", line(seen, "undone", "▐"))
