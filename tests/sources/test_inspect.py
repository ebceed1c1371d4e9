"""The inspect source asks little, hands answers on as they come, and leaves nothing behind."""

from __future__ import annotations

import functools
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from celery_tui.links.asking import ACCEPT, read
from celery_tui.links.kombu_link import opened
from celery_tui.links.mailbox import mailbox
from celery_tui.links.redis_mailbox import BINDING_TTL_MS, LIST_TTL_MS
from celery_tui.links.site import Site
from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import Reply, RoundEnded
from celery_tui.model.seam import Link
from celery_tui.sources.base import Source
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.inspect import FIRST, TIMEOUT_S, InspectSource, Round, is_heard, period_s
from tests.servers import Worker, wait_for

from .fleet import Fleet, Told, running_fleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with running_fleet(name="asked") as one:
        yield one


def asking(fleet: Fleet) -> Told:
    def make(inbox: Inbox, cluster: Cluster) -> Source:
        return InspectSource(inbox, Site(fleet.url))

    return Told(make)


def answers(told: Told, question: str) -> list[Reply]:
    told.read()
    return [one for one in told.heard if isinstance(one, Reply) and one.question == question]


def rounds(told: Told, question: str) -> list[RoundEnded]:
    told.read()
    return [one for one in told.heard if isinstance(one, RoundEnded) and one.question == question]


def test_all_questions_are_answered_right_after_the_start(fleet: Fleet) -> None:
    with asking(fleet) as told:
        wait_for(lambda: told.read().workers, "the first worker")
        for question in FIRST:
            wait_for(functools.partial(answers, told, question), f"an answer to {question}")
        wait_for(lambda: all(rounds(told, q) for q in FIRST), "all first rounds ended")
    worker = told.cluster.workers[fleet.worker.hostname]
    assert (worker.pool, worker.concurrency, worker.queues) == ("prefork", 2, ("celery",))
    assert worker.registered is not None
    assert "sample.add" in worker.registered


def test_a_round_ends_once_every_known_worker_has_answered(fleet: Fleet) -> None:
    with asking(fleet) as told:
        assert isinstance(told.source, InspectSource)
        told.source.known = frozenset({fleet.worker.hostname})
        wait_for(lambda: rounds(told, "ping"), "the ping's round ended")
    (ended,) = rounds(told, "ping")
    assert ended.answered == {fleet.worker.hostname}
    assert ended.at - ended.asked_at < 1.0


def test_a_worker_that_nobody_knew_is_heard_all_the_same(fleet: Fleet) -> None:
    with Worker(fleet.url, name="newcomer", concurrency=1), asking(fleet) as told:
        assert isinstance(told.source, InspectSource)
        told.source.known = frozenset({fleet.worker.hostname})
        wait_for(lambda: "newcomer@test" in told.read().workers, "a worker nobody knew")


def test_a_running_task_is_seen_with_its_exact_arguments(fleet: Fleet, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with asking(fleet) as told:
        wait_for(lambda: told.read().live_since("inspect"), "inspect is live")
        gate.touch()
        (task_id,) = fleet.send(1, 1, 2, str(gate), task="sample.stepping")
        assert isinstance(told.source, InspectSource)
        wait_for(lambda: fleet.app.AsyncResult(task_id).state == "PROGRESS", "it runs")
        told.source.ask("active")
        wait_for(lambda: task_id in told.read().running, "a running task, from inspect")
    gate.unlink()
    exact = told.cluster.tasks[task_id].exact
    assert exact is not None
    assert (exact.args, exact.source) == ([1, 2, str(gate)], "inspect")


def test_a_question_to_one_worker_says_nothing_of_the_others(fleet: Fleet) -> None:
    with asking(fleet) as told:
        wait_for(lambda: all(rounds(told, q) for q in FIRST), "all first rounds ended")
        assert isinstance(told.source, InspectSource)
        told.source.ask("stats", (fleet.worker.hostname,))
        told.source.ask("stats", ("nobody@here",))
        wait_for(lambda: len(answers(told, "stats")) == 2, "the second answer")
        ended = len(rounds(told, "ping"))
        told.source.ask("ping")  # of everybody, and after those: their time is up before its is
        wait_for(lambda: len(rounds(told, "ping")) > ended, "a later round ended")
        assert len(rounds(told, "stats")) == 1
        assert len(answers(told, "stats")) == 2


def test_a_late_answer_still_counts_for_its_question(fleet: Fleet) -> None:
    with Worker(fleet.url, name="slowpoke", concurrency=1) as slow, asking(fleet) as told:
        wait_for(lambda: "slowpoke@test" in told.read().workers, "both workers")
        slow.pause()
        before = len(answers(told, "ping"))
        assert isinstance(told.source, InspectSource)
        told.source.ask("ping")
        wait_for(lambda: len(rounds(told, "ping")) >= 2, "the round ended without it")
        assert "slowpoke@test" not in rounds(told, "ping")[-1].answered
        slow.resume()
        wait_for(lambda: len(answers(told, "ping")) >= before + 2, "the late answer")
        assert answers(told, "ping")[-1].hostname == "slowpoke@test"


def test_nothing_is_left_after_a_stop(fleet: Fleet) -> None:
    before = fleet.ttls()
    with asking(fleet) as told:
        wait_for(lambda: told.read().workers, "the first worker")
        during = fleet.ttls()
        ours = during.keys() - before.keys()
        assert len(ours) == 2
        assert all(during[key] > 0 for key in ours)
    assert fleet.ttls().keys() == before.keys()


WATCHES = """
import sys
from celery_tui.links.site import Site
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.inspect import InspectSource
import celery_tui.sources.inspect as inspect
inspect.OFTEN_AT_LEAST_S = inspect.PING_EVERY_S = 0.02
inbox = Inbox()
source = InspectSource(inbox, Site(sys.argv[1]))
source.start()
while True:
    one = inbox.take()
    if one is not None and type(one).__name__ == "Reply":
        print("reply", flush=True)
        break
source.join(60)
"""


def test_nothing_stays_after_a_sigkill_but_what_expires_by_itself(fleet: Fleet) -> None:
    """Killed at any moment while questions are out, and with a worker that answers after that."""
    before = fleet.ttls()
    chance = random.Random(3)
    with Worker(fleet.url, name="late", concurrency=1) as late:
        before = fleet.ttls()
        for number in range(6):
            process = subprocess.Popen(
                [sys.executable, "-c", WATCHES, fleet.url], stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            process.stdout.readline()
            if number == 5:
                late.pause()
            time.sleep(chance.uniform(0.1, 0.4))
            process.kill()
            process.wait()
            process.stdout.close()
        late.resume()
        wait_for(late.is_ready, "it has answered all that it was asked")
        left = {key: ttl for key, ttl in fleet.ttls().items() if key not in before}
        assert left
        assert all(0 <= ttl <= LIST_TTL_MS / 1000 for ttl in left.values()), left
        wait_for(lambda: fleet.ttls().keys() <= before.keys(), "all of it has expired")


def test_the_binding_expires_before_the_list_it_leads_to() -> None:
    """Else a late reply could make the list anew, without an expiry."""
    assert BINDING_TTL_MS < LIST_TTL_MS < 60_000


def test_the_broker_is_asked_little(fleet: Fleet) -> None:
    with asking(fleet) as told, redis.Redis.from_url(fleet.url) as one:
        assert isinstance(told.source, InspectSource)
        told.source.known = frozenset({fleet.worker.hostname})
        wait_for(lambda: all(rounds(told, q) for q in FIRST), "all first rounds ended")
        one.config_resetstat()
        began, before = time.monotonic(), len(rounds(told, "active"))
        wait_for(lambda: len(rounds(told, "active")) > before, "it is asked again what runs")
        took_s = time.monotonic() - began
        stats: dict[str, dict[str, int]] = one.info("commandstats")
    calls = Counter({name: figures["calls"] for name, figures in stats.items()})
    a_second = (calls.total() - calls["cmdstat_brpop"]) / took_s
    print(f"{a_second:.1f} commands a second, the worker's own included: {dict(calls)}")
    assert "cmdstat_keys" not in calls
    assert a_second < 30


def test_the_lost_broker_comes_back_and_workers_answer_again() -> None:
    with running_fleet(name="outage") as fleet, asking(fleet) as told:
        wait_for(lambda: told.read().workers, "the first worker")
        fleet.server.kill()
        wait_for(lambda: told.read().health["inspect"].state == Link.LOST, "the loss is told")
        wait_for(lambda: told.read().health["inspect"].tries > 2, "it was tried again in vain")
        fleet.server.start()
        back_at = time.time()
        wait_for(
            lambda: any(reply.at > back_at for reply in answers(told, "ping")),
            "an answer after the outage",
        )


def test_other_brokers_answer_through_a_queue_of_their_own() -> None:
    """kombu's in-memory broker stands for them; its control node for a worker."""
    from kombu.pidbox import Mailbox

    site = Site("memory://")
    with opened(site) as connection, opened(site) as other:
        node = Mailbox("celery", type="fanout")(other).Node(
            "w1@memory", handlers={"ping": lambda state, **_: {"ok": "pong"}}, state={}
        )
        node.channel = other.default_channel
        with node.listen(), mailbox(connection, site, "oid") as box:
            box.ask("ping", "ticket-1", ())
            other.drain_events(timeout=5)
            found = list(box.answers(5.0, urgent=True))
    assert [(one.ticket, one.replies) for one in found] == [
        ("ticket-1", {"w1@memory": {"ok": "pong"}})
    ]


class TlsRabbit:
    """A reply message that somebody made up."""

    errors: list[object] = []  # noqa: RUF012  as kombu's Message has it
    content_type = "application/x-python-serialize"
    accept: set[str] = set()  # noqa: RUF012  the same

    def __init__(self, headers: object = None, body: object = None) -> None:
        self.headers, self._body = headers, body

    @property
    def payload(self) -> object:
        from kombu.exceptions import ContentDisallowed

        if self._body is None:
            raise ContentDisallowed("pickle")
        return self._body


def test_a_pickled_answer_is_never_loaded() -> None:
    assert "pickle" not in ACCEPT
    assert "ContentDisallowed" in read(TlsRabbit({"ticket": "t"})).error


def test_an_answer_of_another_shape_is_no_answer() -> None:
    assert read(TlsRabbit({}, ["not", "a", "dict"])).error == "not a reply"
    assert read(TlsRabbit(None, {7: "x"})).replies == {"7": "x"}


@pytest.mark.parametrize(
    ("question", "workers", "seconds"),
    [
        ("active", 1, 5), ("active", 50, 5), ("reserved", 200, 20), ("active", 5_000, 60),
        ("stats", 1, 60), ("registered", 500, 60), ("ping", 1, 10), ("ping", 500, 50),
    ],
)  # fmt: skip
def test_large_fleets_are_asked_less_often(question: str, workers: int, seconds: int) -> None:
    assert period_s(question, workers) == seconds


def test_the_envelope_is_what_a_worker_expects(fleet: Fleet) -> None:
    with redis.Redis.from_url(fleet.url) as one, one.pubsub() as heard:
        heard.psubscribe("/0.celery.pidbox*")
        with asking(fleet) as told:
            wait_for(lambda: told.read().workers, "the first worker")
        messages = list(iter(lambda: heard.get_message(timeout=0.2), None))
    import base64

    envelope = json.loads(next(m["data"] for m in messages if m["type"] == "pmessage"))
    body = json.loads(base64.b64decode(envelope["body"]))
    assert envelope["content-type"] == "application/json"
    assert body["method"] == "ping"
    assert body["destination"] is None
    assert body["reply_to"]["exchange"].endswith(".celery.pidbox")


KNOWN = frozenset({"a", "b"})


@pytest.mark.parametrize(
    ("receivers", "answered", "now", "heard"),
    [
        (3, {"a", "b"}, 10.0, False),  # somebody has not answered whom nobody knows yet
        (3, {"a", "b", "c"}, 0.0, True),
        (0, set(), 0.0, False),  # they beat, and listen later
        (None, {"a", "b"}, 9.9, False),  # a broker that does not tell how many there are
        (None, {"a", "b"}, 10.0, True),
        (None, {"a"}, 10.0, False),
        (3, set(), 10.0 + TIMEOUT_S, True),  # one is frozen
    ],
)
def test_who_looks_once_waits_for_answers_twice_as_long(
    receivers: int | None, answered: set[str], now: float, heard: bool
) -> None:
    one = Round("stats", 0.0, 10.0, everybody=True, answered=answered, receivers=receivers)
    assert is_heard(one, KNOWN, now) == heard
    one.everybody = False
    assert not is_heard(one, KNOWN, now)
