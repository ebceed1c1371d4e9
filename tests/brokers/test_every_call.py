"""Whatever goes wrong at whichever command of purge, undo and retry: nothing is lost or doubled."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis

from celery_tui import actions
from celery_tui.actions import Context, resend
from celery_tui.actions.original import original
from celery_tui.actions.route import Route
from celery_tui.actions.wire import connected
from celery_tui.brokers.redis import RedisBroker
from celery_tui.errors import BrokerError
from celery_tui.links.kombu_link import opened
from celery_tui.links.site import Site
from celery_tui.model.seam import Act, LogLine, Outcome, Stage, Target
from celery_tui.settings import Settings
from tests.actions.acting import request
from tests.brokers.faulty import Faulty, Trouble
from tests.brokers.messages import SEPARATOR, binding, message
from tests.rounds import rounds
from tests.servers import RedisServer, wait_for

LISTS = ("q", f"q{SEPARATOR}3", f"q{SEPARATOR}9")
EACH = rounds(520, long=2_600)
"""Messages in each list: some scripts are needed to move one back."""
MESSAGES = {key: [message(f"{key}-{number}", queue="q") for number in range(EACH)] for key in LISTS}
FAILED, SEEN, OPEN = Stage.FAILED, Stage.SEEN, Stage.NOT_CONFIRMED


@pytest.fixture(autouse=True)
def some_wait(client: Any) -> None:
    fill(client)


def fill(client: Any) -> None:
    client.flushall()
    client.sadd("_kombu.binding.q", binding("q"))
    for key in LISTS:
        client.lpush(key, *MESSAGES[key])


def lying(client: Any, *keys: Any) -> Counter[bytes]:
    return Counter(raw for key in keys for raw in client.lrange(key, 0, -1))


def listed(server: RedisServer) -> dict[str, int]:
    """Quarantines, as somebody is told who looks now, and how many messages each has."""
    broker = RedisBroker(server.url())
    try:
        return {one.name: one.moved for one in broker.quarantines()}
    finally:
        broker.close()


def bring_back(server: RedisServer) -> int:
    broker = RedisBroker(server.url())
    try:
        return sum(broker.restore(one.name) for one in broker.quarantines())
    finally:
        broker.close()


def context(url: str) -> Context:
    return Context(Settings(broker=url), partial(opened, Site(url)), queues=("q",))


def act(url: str, kind: Act, target: Target) -> tuple[Outcome, list[str]]:
    """Do it as the program does, from another connection to its end; what it tells at last."""
    told: list[Outcome | LogLine] = []
    actions.run(request(kind, target), context(url), told.append)
    outcomes = [one for one in told if isinstance(one, Outcome)]
    return outcomes[-1], [one.text for one in outcomes]


QUEUE = Target("queue", "q")


class Case:
    """One act with one fault; what is there afterwards is compared with what was before."""

    def __init__(self, server: RedisServer, client: Any, kind: Act) -> None:
        self.server, self.client, self.kind = server, client, kind
        self.target = QUEUE
        fill(client)
        self.before = {key: client.lrange(key, 0, -1) for key in LISTS}
        if kind is Act.UNDO:
            broker = RedisBroker(server.url())
            self.target = Target("queue", broker.quarantine("q").name, where="q")
            broker.close()

    def run(self, fault: Faulty) -> Outcome:
        last, _ = act(fault.url(), self.kind, self.target)
        return last

    def everything_is_there_once(self) -> None:
        sent = Counter(raw for part in self.before.values() for raw in part)
        aside = list(self.client.scan_iter("celery-tui:quarantine:*"))
        assert lying(self.client, *LISTS, *aside) == sent, "each in its queue or in quarantine"
        assert sum(listed(self.server).values()) == sum(lying(self.client, *aside).values())

    def told_rightly(self, last: Outcome) -> None:
        in_queue = sum(lying(self.client, *LISTS).values())
        done, undone = (0, 3 * EACH) if self.kind is Act.PURGE else (3 * EACH, 0)
        if last.stage is SEEN:
            assert in_queue == done, last.text
        if last.stage is FAILED:
            assert in_queue == undone, last.text

    def all_comes_back(self) -> None:
        bring_back(self.server)
        assert {key: self.client.lrange(key, 0, -1) for key in LISTS} == self.before
        assert listed(self.server) == {}


def walked(
    server: RedisServer, client: Any, kind: Act, fault: Callable[[int], Faulty], heal: Trouble
) -> tuple[int, Counter[str]]:
    """The act with a fault at its first, second, … command, until there is no such command."""
    stages: Counter[str] = Counter()
    for number in itertools.count(1):
        case = Case(server, client, kind)
        with fault(number) as faulty:
            last = case.run(faulty)
        heal()
        case.everything_is_there_once()
        case.told_rightly(last)
        case.all_comes_back()
        if not faulty.hit:
            assert last.stage is SEEN
            return number - 1, stages
        stages[str(last.stage)] += 1
    raise AssertionError


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", [Act.PURGE, Act.UNDO])
def test_a_link_that_breaks_at_any_command(
    server: RedisServer, client: Any, kind: Act, answered: bool
) -> None:
    count, stages = walked(
        server, client, kind, lambda n: Faulty(server.port, n, answered), lambda: None
    )
    print(f"{kind}: a break at each of {count} commands: 0 lost, 0 twice of {3 * EACH}; {stages}")
    assert count > 5


def commands(server: RedisServer, *words: Any) -> Trouble:
    def run() -> None:
        with redis.Redis(port=server.port) as admin:
            admin.execute_command(*words)

    return run


REFUSALS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "full": (("CONFIG", "SET", "maxmemory", 1), ("CONFIG", "SET", "maxmemory", 0)),
    "replica": (("REPLICAOF", "127.0.0.1", 1), ("REPLICAOF", "NO", "ONE")),
    "few replicas": (
        ("CONFIG", "SET", "min-replicas-to-write", 1),
        ("CONFIG", "SET", "min-replicas-to-write", 0),
    ),
    **{
        f"no {name}": (
            ("ACL", "SETUSER", "default", f"-{name}"),
            ("ACL", "SETUSER", "default", "+@all"),
        )
        for name in ("eval", "renamenx", "persist", "type", "llen", "rpush", "ltrim", "lrange")
    },
}


WHOEVER = ("full", "replica", "few replicas", "no eval")
MEETS = [
    *((Act.PURGE, one) for one in (*WHOEVER, "no renamenx", "no persist", "no type", "no llen")),
    *((Act.UNDO, one) for one in (*WHOEVER, "no rpush", "no ltrim", "no lrange")),
]


@pytest.mark.parametrize(("kind", "refusal"), MEETS)
def test_a_redis_that_refuses_from_any_command_on(
    server: RedisServer, client: Any, kind: Act, refusal: str
) -> None:
    spoil, heal = (commands(server, *words) for words in REFUSALS[refusal])
    count, stages = walked(
        server, client, kind, lambda n: Faulty(server.port, n, trouble=spoil), heal
    )
    print(f"{kind}, {refusal}: from each of {count} commands on: 0 lost, 0 twice; {stages}")


@contextmanager
def _pair() -> Iterator[tuple[RedisServer, RedisServer]]:
    at_once = ("--repl-diskless-sync-delay", "0")
    with RedisServer(*at_once) as master, RedisServer(*at_once) as follower:
        yield master, follower


@pytest.mark.parametrize("kind", [Act.PURGE, Act.UNDO])
def test_a_failover_in_the_middle(kind: Act) -> None:
    total = 0
    with _pair() as (master, follower):
        for number in itertools.count(1):
            with redis.Redis(port=master.port) as one, redis.Redis(port=follower.port) as two:
                case = Case(master, one, kind)
                two.replicaof("127.0.0.1", master.port)
                wait_for(lambda: two.info("replication")["master_link_status"] == "up", "follows")
                one.wait(1, 30_000)

                def die() -> None:
                    two.execute_command("REPLICAOF", "NO", "ONE")
                    master.kill()

                with Faulty(master.port, number, trouble=die) as faulty:
                    last = case.run(faulty)
                if faulty.hit:
                    case.server, case.client = follower, two
                    case.everything_is_there_once()
                    case.all_comes_back()
                    total = number
                    two.flushall()
            master.kill()
            master.start()
            if not faulty.hit:
                assert last.stage is SEEN
                break
    print(f"{kind}: a failover at each of {total} commands: 0 lost, 0 twice of {3 * EACH}")


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
def test_what_a_retry_sends_is_sent_once_or_not_at_all(
    server: RedisServer, client: Any, answered: bool
) -> None:
    broker = RedisBroker(server.url())
    found = broker.find_message(["q"], "q-0")
    broker.close()
    one = original("q-0", found, None, None, ())
    ends: Counter[str] = Counter()
    for number in itertools.count(1):
        client.delete("q")
        with Faulty(server.port, number, answered) as faulty:
            end = "sent"
            try:
                with connected(context(faulty.url())) as wire:
                    resend.send(one, Route("", "q", "q"), None, wire)
            except BrokerError:
                end = "open"
        ends[f"{end}, {client.llen('q')} there"] += 1
        if not faulty.hit:
            break
    print(f"retry: a break at each of {number - 1} commands ({faulty.seen}): {dict(ends)}")
    assert ends.keys() <= {"sent, 1 there", "open, 0 there", "open, 1 there"}
    assert ends["sent, 1 there"] >= 1
    assert ("open, 1 there" in ends) == answered


@pytest.mark.parametrize(
    ("kind", "refusal", "says"),
    [
        *(
            (kind, "replica", "is a replica: it takes no messages")
            for kind in (Act.PURGE, Act.UNDO)
        ),
        *((kind, "no eval", "does not permit this user") for kind in (Act.PURGE, Act.UNDO)),
        (Act.PURGE, "no renamenx", "does not permit this user"),
        (Act.UNDO, "no ltrim", "does not permit this user"),
    ],
)
def test_what_is_refused_says_why_and_that_nothing_was_moved(
    server: RedisServer, client: Any, kind: Act, refusal: str, says: str
) -> None:
    spoil, heal = (commands(server, *words) for words in REFUSALS[refusal])
    case = Case(server, client, kind)
    spoil()
    try:
        last, _ = act(server.url(), kind, case.target)
    finally:
        heal()
    assert last.stage is FAILED
    assert last.text.startswith("refused, nothing was moved: ")
    assert says in last.text
    case.told_rightly(last)
    case.all_comes_back()


def test_the_rights_that_the_readme_names_suffice(server: RedisServer, client: Any) -> None:
    rights = "+eval +renamenx +persist +rpush +ltrim"
    assert f"`{rights}`" in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    words = ("ACL", "SETUSER", "mover", "reset", "on", ">secret", "~*", "+@read", "+@connection")
    client.execute_command(*words, *rights.split())
    broker = RedisBroker(f"redis://mover:secret@127.0.0.1:{server.port}/0")
    aside = broker.quarantine("q")
    assert aside.moved == 3 * EACH
    assert broker.restore(aside.name) == 3 * EACH
    broker.close()
    assert {key: client.lrange(key, 0, -1) for key in LISTS} == {
        key: [raw.encode() for raw in reversed(MESSAGES[key])] for key in LISTS
    }
