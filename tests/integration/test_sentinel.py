"""A cluster whose Redis is watched by sentinels: seen whole, also after its master has died."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from celery_tui.backends import open_backend
from celery_tui.brokers import open_broker
from celery_tui.errors import BrokerError, TuiError
from celery_tui.links.kombu_link import opened
from celery_tui.links.site import Site
from celery_tui.model.cluster import Cluster
from celery_tui.model.seam import Link
from celery_tui.model.worker import ONLINE
from celery_tui.report import status
from celery_tui.settings import Settings
from tests.benchmarks.kit.terminal import Terminal
from tests.integration.test_left_behind import (
    EXPIRES_WITHIN_S,
    PROGRAM,
    kill,
    private,
    terminate,
)
from tests.owner import Owner, is_live
from tests.sentinels import MASTER, Watched
from tests.servers import RedisServer, Worker, client, wait_for


def bare(url: str) -> str:
    """The URL as Celery reads it, without our query."""
    return url.partition("?")[0]


def conf() -> dict[str, Any]:
    """What a project on sentinels configures."""
    options = {"master_name": MASTER, "socket_timeout": 2.0, "socket_connect_timeout": 2.0}
    return {
        "broker_transport_options": options,
        "result_backend_transport_options": options,
        "broker_connection_max_retries": None,
    }


@contextmanager
def project(watched: Watched) -> Iterator[tuple[Worker, Celery]]:
    """A worker of that project, and a client app that sends to it."""
    # Its workers would wait half a minute for a dead sentinel at their start.
    broker, backend = (bare(watched.url(db, dead_first=False)) for db in (0, 1))
    app = client(broker, backend, **conf())
    worker = Worker(broker, backend, name="anna@test", env={"CT_CONF": json.dumps(conf())})
    worker.launch()
    try:
        yield worker, app
    finally:
        app.close()
        worker.kill()
        worker.stop()


def settings(watched: Watched) -> Settings:
    """What a person types who has no app at hand."""
    return Settings(broker=watched.url(0), result_backend=watched.url(1))


def done(cluster: Cluster, ids: list[str]) -> bool:
    """Whether all of these have ended."""
    return all(i in cluster.tasks and cluster.tasks[i].final for i in ids)


def send(app: Celery, count: int) -> list[str]:
    """Ids of so many tasks."""
    return [str(app.send_task("sample.add", (1, 2)).id) for _ in range(count)]


def test_all_four_sources_work_and_outlive_the_death_of_the_master() -> None:
    with (
        Watched(password="hunter2") as watched,
        project(watched) as (worker, app),
        Owner(settings(watched)) as owner,
    ):
        owner.until(is_live, "all four links are live through the sentinel")
        owner.until(lambda c: c.workers, "the worker")
        ids = send(app, 20)
        owner.until(lambda c: done(c, ids), "20 tasks")
        owner.monitor.watch(ids)
        owner.until(lambda c: "result backend" in c.tasks[ids[0]].sources, "a stored result")
        owner.until(lambda c: c.workers[worker.hostname].queues, "an answer of the worker")
        owner.until(lambda c: "celery" in c.queues, "the queue")
        took_s = watched.fail_over()
        print(f"[took] the sentinel promotes the replica: {took_s:.3f} s")
        owner.until(
            lambda c: is_live(c) and all(c.health[n].since > owner.born for n in c.health),
            "all four links are live on the new master",
        )
        owner.until(
            lambda c: (
                c.state_of(c.workers[worker.hostname], time.time()) == ONLINE
                and (c.workers[worker.hostname].heard_at or 0) > c.health["events"].since
            ),
            "the worker is heard on the new master",
            120,
        )
        more = send(app, 20)
        owner.until(lambda c: done(c, more), "20 tasks after the failover", 120)
        said = json.dumps([line.text for line in owner.monitor.cluster.log])
        assert "hunter2" not in said


def test_listening_and_asking_leave_nothing_with_a_sentinel_either() -> None:
    with Watched() as watched:
        with Owner(settings(watched)) as owner:
            owner.until(is_live, "all four links are live")
        with watched.to(watched.master) as one:
            assert one.dbsize() == 0


def test_events_are_read_without_kombu_unpacking_each_one() -> None:
    from celery_tui.sources.redis_push import Pushed

    with Watched() as watched, opened(Site(watched.url())) as connection:
        channel = connection.channel()
        assert Pushed.install(channel, lambda body: None)
        channel.close()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Watched]:
    """Redis and sentinel have passwords, each its own."""
    with Watched(password="hunter2", sentinel_password="s3cret") as watched:
        yield watched


def refused(url: str, broker: bool = True) -> str:
    """What is said of it, by the raw client and by kombu alike."""
    named = Settings(broker=url) if broker else Settings(result_backend=url)
    with pytest.raises(TuiError) as raw:
        (open_broker if broker else open_backend)(named)
    if broker:
        with pytest.raises(BrokerError) as through_kombu, opened(Site(url)):
            pass
        assert through_kombu.value.title == raw.value.title
    said = f"{raw.value!r} {raw.value}"
    assert "hunter2" not in said
    assert "s3cret" not in said
    assert "\n" not in said
    assert raw.value.hint
    return str(raw.value)


def test_a_sentinel_url_without_its_master_is_one_sentence(guarded: Watched) -> None:
    for broker in (True, False):
        said = refused(guarded.url(master=None), broker)
        assert "which master it is asked for is not said" in said
        assert "master_name" in said


def test_a_master_that_nobody_knows_is_called_so(guarded: Watched) -> None:
    url = f"{guarded.url(master='nobody')}&sentinel_password=s3cret"
    assert "the sentinels know no working master called 'nobody'" in refused(url)


def test_sentinels_that_want_a_password_of_their_own_are_called_so(guarded: Watched) -> None:
    assert "its sentinels refused us" in refused(guarded.url())


def test_sentinels_that_are_all_dead_are_called_so(guarded: Watched) -> None:
    url = f"sentinel://:hunter2@127.0.0.1:1;sentinel://127.0.0.1:2?master_name={MASTER}"
    assert "no sentinel answers" in refused(url)


def test_a_wrong_password_of_the_redis_behind_is_called_so(guarded: Watched) -> None:
    url = f"{guarded.url()}&sentinel_password=s3cret".replace("hunter2", "nothunter2")
    assert "refused the password" in refused(url)


def test_the_sentinels_password_may_stand_in_the_url(guarded: Watched) -> None:
    url = f"{guarded.url(3)}&sentinel_password=s3cret"
    broker = open_broker(Settings(broker=url))
    assert broker is not None
    broker.ping()
    broker.close()
    with opened(Site(url)) as connection:
        assert connection.connected
        channel: Any = connection.default_channel
        assert channel.client.connection_pool.connection_kwargs["db"] == 3


def test_transport_options_of_the_app_are_enough(
    guarded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """And its passwords appear nowhere: not in the document, not in the log."""
    options = {"master_name": MASTER, "sentinel_kwargs": {"password": "s3cret"}}
    (tmp_path / "guarded_project.py").write_text(
        "from celery import Celery\n"
        f"app = Celery('p', broker={guarded.url(0, master=None)!r},\n"
        f"             backend={guarded.url(1, master=None)!r}, set_as_current=False)\n"
        f"app.conf.broker_transport_options = {options!r}\n"
        f"app.conf.result_backend_transport_options = {options!r}\n"
    )
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "tui.log"
    named = Settings(app="guarded_project", log_file=log)
    try:
        code = status.run(named, 2.0, as_json=True)
    finally:
        sys.modules.pop("guarded_project", None)
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["broker"]["state"], told["result_backend"]["state"]) == (Link.LIVE, Link.LIVE), err
    assert code == 0
    assert not any(word in out + err + log.read_text() for word in ("hunter2", "s3cret"))


def test_what_is_logged_of_the_sentinels_password_is_hidden(guarded: Watched) -> None:
    import logging

    from celery_tui.links.app_secrets import app_secrets

    app = client(
        "sentinel://h", broker_transport_options={"sentinel_kwargs": {"password": "s3cret"}}
    )
    try:
        assert [word for word in app_secrets(app) if "://" not in word] == ["s3cret"]
        with Owner(Settings(broker=guarded.url()), app=app) as owner:
            logging.getLogger("redis").warning("kwargs are {'password': 's3cret'}")
            owner.until(lambda c: any("kwargs" in line.text for line in c.log), "the line")
            assert all("s3cret" not in line.text for line in owner.monitor.cluster.log)
    finally:
        app.close()


def demanded(watched: Watched) -> bool:
    """Ask for a failover; a sentinel that has only just met the replica does not want to."""
    with redis.Redis(port=watched.sentinel.port) as sentinel:
        try:
            sentinel.execute_command("SENTINEL", "FAILOVER", MASTER)
        except redis.ResponseError:
            return False
    return True


def test_a_failover_on_demand_takes_all_links_along() -> None:
    """Nobody dies: the old master becomes a replica, where no event would ever be heard."""
    with Watched() as watched, Owner(settings(watched)) as owner:
        owner.until(is_live, "all four links are live")
        wait_for(lambda: demanded(watched), "the sentinel agrees to a failover")
        wait_for(lambda: watched.master_port() == watched.replica.port, "a failover on demand")

        def moved(_: Cluster) -> bool:
            with watched.to(watched.replica) as one:
                last = {client["cmd"] for client in one.client_list()}
            return "psubscribe" in last and bool(last & {"llen", "hscan", "hlen", "scan"})

        owner.until(moved, "subscription and polls are on the new master")
        owner.until(is_live, "all four links are live there")


def times_left(server: RedisServer) -> dict[str, int]:
    """Every key of the first two databases, and the seconds that it still has; -1: it stays."""
    left: dict[str, int] = {}
    for db in (0, 1):
        with redis.Redis(port=server.port, db=db, decode_responses=True) as one:
            left |= {f"{db}: {key}": int(one.ttl(str(key))) for key in one.scan_iter()}
    return {key: seconds for key, seconds in left.items() if seconds != -2}


def test_a_killed_dashboard_leaves_only_what_expires_and_one_that_quits_nothing(
    tmp_path: Path,
) -> None:
    with Watched() as watched:
        command = [PROGRAM, "-b", watched.url(), "--result-backend", watched.url(1)]
        with Terminal(command, 100, 30, env=private(tmp_path), cwd=str(tmp_path)) as terminal:
            terminal.wait_for("No worker answers")
            left = times_left(watched.master)
            assert any("reply" in key for key in left)
            kill(terminal)
            terminal.ended(30.0)
        left = times_left(watched.master)
        print(f"left by the kill, with the seconds they have: {left}")
        assert all(0 < seconds <= EXPIRES_WITHIN_S for seconds in left.values())
        with watched.to(watched.master) as one:
            one.flushall()
        with Terminal(command, 100, 30, env=private(tmp_path), cwd=str(tmp_path)) as terminal:
            terminal.wait_for("No worker answers")
            terminate(terminal)
            assert terminal.ended(30.0) is not None
        assert times_left(watched.master) == {}
