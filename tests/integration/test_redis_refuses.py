"""A Redis that refuses is not lost: each mood on a real server, met at the start or later."""

from __future__ import annotations

import io
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest
from redis import ResponseError

from celery_tui.links.kombu_link import opened
from celery_tui.links.mailbox import mailbox
from celery_tui.links.site import Site
from celery_tui.model.cluster import Cluster
from celery_tui.model.seam import Act, ActionRequest, Link, Target
from celery_tui.preflight import check_broker
from celery_tui.refusals import BY_KIND
from celery_tui.report import status
from celery_tui.report.document import document
from celery_tui.settings import Settings
from celery_tui.sources.inspect import FIRST
from tests import redis_moods as moods
from tests.integration.dashboard import dashboard
from tests.owner import Owner
from tests.servers import RedisServer, Worker, client, wait_for

READ = {
    "memory": moods.full,
    "replica": moods.replica,
    "save": moods.unsaved,
    "replicas": moods.too_few,
}
"""Kinds in which a Redis can be read, and takes nothing."""
DUMB = {
    "loading": moods.loading,
    "script": moods.busy,
    "orphan": moods.orphan,
}
"""Kinds in which it answers nothing at all, for a while."""
AT_THE_DOOR = {"no-password": moods.another_password, "clients": moods.crowded}
"""Kinds that meet who comes anew."""
BROKER = ("events", "queues", "inspect")
SAYS = {
    "memory": "is full: it takes no messages",
    "replica": "is a replica: it takes no messages",
    "save": "cannot save to disk: it takes no messages",
    "replicas": "has too few replicas: it takes no messages",
    "loading": "is still loading its data",
    "script": "is held up by a script and answers nobody",
    "orphan": "is a replica without its master",
    "no-password": "wants a password",
    "clients": "has no room for another client",
}


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer(*moods.OPTIONS) as one:
        yield one


@pytest.fixture(autouse=True)
def two_wait(server: RedisServer) -> None:
    with moods.operator(server) as one:
        one.flushall()
    app = client(server.url())
    for number in range(2):
        app.send_task("sample.add", (number, 2))
    app.close()


def settings(server: RedisServer) -> Settings:
    return Settings(broker=server.url(0), result_backend=server.url(1))


def rules(owner: Owner) -> set[str]:
    return {one.rule for one in owner.monitor.findings}


def all_live(cluster: Cluster) -> bool:
    links = [cluster.health.get(name) for name in (*BROKER, "results")]
    return all(one is not None and one.state == Link.LIVE and not one.refusal for one in links)


def settled(owner: Owner) -> None:
    owner.until(all_live, "all links are live")
    owner.until(lambda c: "celery" in c.queues and c.queues["celery"].depth == 2, "two wait")


def log(cluster: Cluster) -> list[str]:
    return [one.text for one in cluster.log if one.kind == "link"]


def tried(owner: Owner) -> str:
    """What an act is told that is tried now."""
    request = ActionRequest("1", Act.TERMINATE, (Target("task", "some-id"),), time.time())
    return owner.monitor.preview(request).blocked


def nobody_was_called_lost(owner: Owner, kind: str) -> None:
    cluster = owner.read()
    assert [line for line in log(cluster) if " lost" in line] == []
    assert rules(owner) & {"broker-lost", "worker-lost", "worker-blocked"} == set()
    assert any(BY_KIND[kind].reason() in line for line in log(cluster)), log(cluster)


@pytest.mark.parametrize("kind", READ)
def test_who_takes_nothing_is_read_on(server: RedisServer, kind: str) -> None:
    with Owner(settings(server)) as owner:
        settled(owner)
        with READ[kind](server):
            rule = BY_KIND[kind].rule
            owner.until(lambda _: rule in rules(owner), "the finding")
            owner.until(lambda c: c.health["inspect"].refusal == kind, "asking is refused")
            owner.until(lambda c: c.health["queues"].refusal in (kind, ""), "the queues say so")
            (found,) = [one for one in owner.monitor.findings if one.rule == rule]
            assert SAYS[kind] in found.text
            assert found.next == BY_KIND[kind].hint
            cluster = owner.read()
            owner.until(lambda c: c.health["events"].state == Link.LIVE, "events come")
            assert cluster.health["queues"].state == Link.LIVE
            assert tried(owner) == f"{BY_KIND[kind].reason()}: acts are off until that is over."
            told = document(owner.monitor)
            assert told["broker"]["state"] == "refusing"
            assert told["broker"]["refuses"] == kind
            assert SAYS[kind] in told["broker"]["error"]
            assert told["unread"]["queues"] is None
            read = cluster.depths.read_at or 0.0
            owner.until(lambda c: (c.depths.read_at or 0.0) > read + 1, "depths are read on")
            assert cluster.queues["celery"].depth == 2
            nobody_was_called_lost(owner, kind)
        owner.until(lambda _: rule not in rules(owner), "the finding is over")
        owner.until(all_live, "all links are live again")
        assert tried(owner) != f"{BY_KIND[kind].reason()}: acts are off until that is over."


@pytest.mark.parametrize("kind", [*DUMB, *AT_THE_DOOR])
def test_who_answers_nothing_refuses_and_comes_back(server: RedisServer, kind: str) -> None:
    with Owner(settings(server)) as owner:
        settled(owner)
        with (DUMB | AT_THE_DOOR)[kind](server):
            rule = BY_KIND[kind].rule
            owner.until(
                lambda c: {c.health[name].refusal for name in BROKER} == {kind}, "all links say so"
            )
            owner.until(lambda _: rule in rules(owner), "the finding")
            cluster = owner.read()
            assert {cluster.health[name].state for name in BROKER} == {Link.REFUSING}
            (found,) = owner.monitor.findings
            assert SAYS[kind] in found.text
            assert found.next == BY_KIND[kind].hint
            assert tried(owner) == f"{BY_KIND[kind].reason()}: acts are off until that is over."
            told = document(owner.monitor)
            assert (told["broker"]["state"], told["broker"]["refuses"]) == ("refusing", kind)
            assert told["unread"]["queues"] == BY_KIND[kind].reason()
            assert {one["state"] for one in told["workers"]} <= {"unknown"}
        owner.until(all_live, "all links are live again")
        owner.until(lambda _: rule not in rules(owner), "the finding is over")
        if kind not in AT_THE_DOOR:  # their connections were ended, which is a loss
            nobody_was_called_lost(owner, kind)


@pytest.mark.parametrize("kind", READ)
def test_status_says_so_from_the_start(server: RedisServer, kind: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    with READ[kind](server):
        code = status.run(settings(server), 4.0, as_json=True, out=out, err=err)
        plain = io.StringIO()
        status.run(settings(server), 4.0, out=plain)
    assert (code, err.getvalue()) == (2, "")
    told = json.loads(out.getvalue())
    assert (told["broker"]["state"], told["broker"]["refuses"]) == ("refusing", kind)
    assert [one["rule"] for one in told["findings"]] == [BY_KIND[kind].rule]
    assert SAYS[kind] in plain.getvalue()
    assert "no queue was found" not in plain.getvalue()
    assert "Check its version" not in plain.getvalue()
    assert {one["name"]: one["depth"] for one in told["queues"]} == {"celery": 2}


@pytest.mark.parametrize("kind", [*READ, *DUMB])
def test_the_dashboard_opens_on_it_and_is_live_when_it_is_over(
    server: RedisServer, kind: str
) -> None:
    with ExitStack() as shown, ExitStack() as mood:
        mood.enter_context((READ | DUMB)[kind](server))
        check_broker(server.url())
        owner = shown.enter_context(Owner(settings(server)))
        owner.until(lambda _: BY_KIND[kind].rule in rules(owner), "the finding")
        owner.until(lambda c: c.health["inspect"].refusal == kind, "asking is refused")
        assert "broker-lost" not in rules(owner)
        mood.close()
        owner.until(all_live, "all links are live")
        owner.until(lambda _: not rules(owner) & {BY_KIND[kind].rule}, "the finding is over")
        owner.until(lambda c: "celery" in c.queues and c.queues["celery"].depth == 2, "two wait")


@pytest.mark.parametrize("kind", [*DUMB, *AT_THE_DOOR])
def test_status_that_is_shown_nothing_could_not_look(server: RedisServer, kind: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    with (DUMB | AT_THE_DOOR)[kind](server):
        code = status.run(settings(server), 1.0, out=out, err=err)
    assert (code, out.getvalue()) == (status.COULD_NOT_LOOK, "")
    assert SAYS[kind] in err.getvalue()


def test_a_node_of_a_cluster_says_what_it_is() -> None:
    with moods.clustered() as node:
        out = io.StringIO()
        code = status.run(Settings(broker=node.url(0)), 3.0, as_json=True, out=out)
        told = json.loads(out.getvalue())
        assert code == 2
        assert (told["broker"]["state"], told["broker"]["refuses"]) == ("refusing", "cluster")
        assert "is part of a Redis Cluster" in told["broker"]["error"]
        err = io.StringIO()
        assert status.run(Settings(broker=node.url(1)), 1.0, out=out, err=err) == 3
        assert "is part of a Redis Cluster" in err.getvalue()


# -- the result backend -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "replica", "save", *DUMB, *AT_THE_DOOR])
def test_a_result_backend_that_refuses_is_not_lost(server: RedisServer, kind: str) -> None:
    with RedisServer() as broker:
        both = Settings(broker=broker.url(0), result_backend=server.url(1))
        with Owner(both) as owner:
            owner.until(all_live, "all links are live")
            with (READ | DUMB | AT_THE_DOOR)[kind](server):
                owner.monitor.watch(["some-id"])
                owner.until(lambda c: c.health["results"].refusal == kind, "its link says so")
                owner.read()
                assert owner.monitor.findings == ()
                told = document(owner.monitor)
                assert told["result_backend"]["state"] == "refusing"
                assert told["result_backend"]["refuses"] == kind
                words = SAYS[kind].replace("messages", "results")
                assert words in told["result_backend"]["error"]
                assert told["broker"]["state"] == "live"
            owner.until(all_live, "it is live again")


# -- a full one, with a worker ----------------------------------------------------------------


def test_no_worker_is_called_lost_while_a_full_redis_takes_no_answers(server: RedisServer) -> None:
    quiet = ("--without-heartbeat",)
    with (
        Worker(server.url(0), queues=("elsewhere",)) as beating,
        Worker(server.url(0), queues=("elsewhere",), name="w2", options=quiet) as silent,
        Owner(settings(server)) as owner,
    ):
        names = {beating.hostname, silent.hostname}
        owner.until(lambda c: names <= c.workers.keys(), "both are known")
        settled(owner)
        # A worker that is about to answer when Redis fills up ends itself.
        owner.until(lambda c: set(FIRST) <= c.rounds.keys(), "each question was asked once")
        with moods.full(server):
            filled = time.time()
            owner.until(lambda _: "redis-memory" in rules(owner), "the finding")
            owner.until(lambda c: c.health["inspect"].refusal == "memory", "asking is refused")
            for _ in range(30):
                cluster = owner.read()
                states = {n: cluster.state_of(cluster.workers[n], time.time()) for n in names}
                assert set(states.values()) <= {"unknown", "online"}, states
                time.sleep(0.2)
            owner.until(
                lambda c: (c.workers[beating.hostname].heard_at or 0.0) > filled + 1,
                "its heartbeats come",
            )
            owner.until(
                lambda c: c.state_of(c.workers[beating.hostname], time.time()) == "online",
                "and it is online",
            )
            nobody_was_called_lost(owner, "memory")
        owner.until(all_live, "all links are live again")
        owner.until(
            lambda c: {c.state_of(c.workers[n], time.time()) for n in names} == {"online"},
            "both are online",
        )
        assert not rules(owner) & {"worker-lost", "worker-blocked"}


def test_a_redis_that_fills_up_is_not_asked_once_more(server: RedisServer) -> None:
    """Celery's worker ends itself over an answer that Redis does not take."""
    with (
        Worker(server.url(0), queues=("elsewhere",)) as worker,
        opened(Site(server.url(0))) as connection,
        mailbox(connection, Site(server.url(0)), str(uuid.uuid4())) as box,
    ):
        box.ask("ping", "first")
        wait_for(lambda: list(box.answers(0.1, urgent=True)), "it answers")
        with moods.full(server):
            with pytest.raises(ResponseError):
                box.ask("ping", "second")
            time.sleep(1)
        box.ask("ping", "third")
        wait_for(lambda: list(box.answers(0.1, urgent=True)), "it answers as before")
        assert psutil.pid_exists(worker.pid)


def test_ages_are_unknown_while_multi_is_refused_and_right_again_after(server: RedisServer) -> None:
    with Owner(settings(server)) as owner:
        settled(owner)
        began = time.time()

        def oldest(cluster: Cluster) -> Any:
            return cluster.queues["celery"].oldest_s(time.time())

        owner.until(lambda c: oldest(c)[0] is not None, "an age")
        with moods.full(server):
            owner.until(lambda c: oldest(c) == (None, None), "no age is told")
            assert "refuses the transaction (MULTI)" in owner.read().depths.no_ages
            with moods.operator(server) as one:
                one.rpop("celery")
            owner.until(lambda c: c.queues["celery"].depth == 1, "what is taken is seen")
        owner.until(lambda c: oldest(c)[0] is not None, "an age again")
        low, _ = oldest(owner.read())
        assert low <= time.time() - began + 5
        with moods.operator(server) as one:
            raw = one.lindex("celery", 0)
            one.lpush("celery", raw.replace(b'"id"', b'"di"'), raw)
        owner.until(lambda c: c.queues["celery"].depth == 3, "arrivals are seen")
        flow = owner.until(lambda c: c.queues["celery"].flow(time.time(), True), "rates")
        assert flow.in_per_s >= 0


# -- on screen --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_full_redis_on_every_screen(server: RedisServer, size: tuple[int, int]) -> None:
    full = "Redis is full: it takes no messages"
    with moods.full(server):
        async with dashboard(server.url(0), server.url(1), size=size) as screen:
            await screen.until(lambda: "✗ FULL" in screen.header, "the header")
            await screen.reads("crit", "Redis is full: it takes no messages")
            await screen.reads("celery", "2")
            await screen.press("8")
            await screen.reads(full)
            await screen.press("2")
            await screen.reads("celery", "2")
            await screen.press("D")
            await screen.reads("PURGE")
            await screen.says(f"{full}: acts are off until that is over.")
            await screen.press("escape", "1", "i")
            await screen.says("is full: it takes no messages")
            await screen.press("i")
            await screen.says("live, and full")
            assert "LOST" not in screen.text
