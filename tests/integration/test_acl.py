"""A Redis user with few rights gets all that it may see, and a sentence on the rest.

`LOOK` and `ASK` are the table in the README: what suffices is what is tested.
"""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from celery_tui.model.cluster import Cluster
from celery_tui.model.seam import Act, ActionRequest, Link, Target
from celery_tui.model.worker import ONLINE
from celery_tui.report import status
from celery_tui.settings import Settings
from tests.conftest import a_redis
from tests.owner import Owner
from tests.sources.fleet import Fleet, running_fleet

LOOK = "+@read +@connection +psubscribe +punsubscribe"
ASK = "+publish +multi +exec +lrem +rpush +pexpire +sadd +ltrim +del"
EVERYWHERE = "~* &*"
KEYS = "~celery* ~unacked* ~_kombu.binding.* ~*.reply.*.celery.pidbox"
CHANNELS = "&/0.celeryev/* &/0.celery.pidbox"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """One worker, and a queue that is nobody's business."""
    with running_fleet(name="anna") as one:
        one.app.send_task("elsewhere.pay", queue="secret")
        yield one


def user(fleet: Fleet, rules: str) -> Settings:
    """Settings of a new user with these rights."""
    with redis.Redis.from_url(fleet.url) as admin:
        admin.execute_command("ACL", "SETUSER", "viewer", "reset", "on", ">hunter2", *rules.split())
        admin.execute_command("ACL", "LOG", "RESET")
    where = f"redis://viewer:hunter2@127.0.0.1:{fleet.server.port}"
    return Settings(broker=f"{where}/0", result_backend=f"{where}/1")


def refusals(fleet: Fleet) -> int:
    """How often Redis had to say no, since it was reset."""
    with redis.Redis.from_url(fleet.url, decode_responses=True) as admin:
        return sum(int(entry["count"]) for entry in admin.acl_log())


def told(cluster: Cluster, *names: str) -> bool:
    """Whether these sources have said how they are."""
    settled = (Link.LIVE, Link.OFF)
    return all(n in cluster.health and cluster.health[n].state in settled for n in names)


ALL = ("events", "inspect", "queues", "results")


def states(cluster: Cluster) -> dict[str, str]:
    """Source -> its state."""
    return {name: str(cluster.health[name].state) for name in ALL}


def seen(fleet: Fleet, owner: Owner) -> None:
    """A task is followed from its arrival to its stored result."""
    (task_id,) = fleet.send(1)
    owner.until(lambda c: task_id in c.tasks and c.tasks[task_id].final, "a task's end")
    owner.monitor.watch([task_id])
    owner.until(lambda c: "result backend" in c.tasks[task_id].sources, "its stored result")


def test_read_rights_show_all_but_what_workers_answer(fleet: Fleet) -> None:
    with Owner(user(fleet, f"{EVERYWHERE} {LOOK}")) as owner:
        owner.until(lambda c: told(c, *ALL), "all four links have settled")
        owner.until(lambda c: c.queues.get("secret") is not None, "a queue")
        owner.until(lambda c: c.workers, "a worker, by its heartbeat")
        seen(fleet, owner)
        cluster = owner.monitor.cluster
        assert states(cluster) == dict.fromkeys(ALL, "live") | {"inspect": "off"}
        refused = cluster.health["inspect"]
        assert refused.refused
        assert refused.error is not None
        assert refused.error.startswith("asking workers is not permitted: names from events only")
        assert "'multi'" in refused.error
        assert cluster.queues["secret"].depth == 1
        (worker,) = cluster.workers.values()
        assert cluster.state_of(worker, cluster.now) == ONLINE
        assert [one.text for one in cluster.log if "inspect" in one.text] == [
            f"inspect link off: {refused.error}"
        ]


def test_the_rights_to_ask_are_enough_to_ask(fleet: Fleet) -> None:
    with Owner(user(fleet, f"{EVERYWHERE} {LOOK} {ASK}")) as owner:
        owner.until(lambda c: c.workers and all(w.queues for w in c.workers.values()), "an answer")
        seen(fleet, owner)
        assert states(owner.monitor.cluster) == dict.fromkeys(ALL, "live")
        assert not owner.monitor.cluster.links.refused()


def test_channels_and_keys_can_be_limited_to_those_of_celery(fleet: Fleet) -> None:
    with Owner(user(fleet, f"{KEYS} {CHANNELS} {LOOK} {ASK}")) as owner:
        owner.until(lambda c: c.workers and all(w.queues for w in c.workers.values()), "an answer")
        seen(fleet, owner)
        assert states(owner.monitor.cluster) == dict.fromkeys(ALL, "live")


def test_without_pubsub_depths_and_results_remain(fleet: Fleet) -> None:
    with Owner(user(fleet, f"{EVERYWHERE} +@read +@connection")) as owner:
        owner.until(lambda c: told(c, *ALL), "all four links have settled")
        owner.until(lambda c: "secret" in c.queues, "a queue")
        cluster = owner.monitor.cluster
        assert states(cluster) == {
            "events": "off",
            "inspect": "off",
            "queues": "live",
            "results": "live",
        }
        error = cluster.health["events"].error
        assert error is not None
        assert error.startswith("hearing workers is not permitted (")
        broker = cluster.links.broker()
        assert broker is not None
        assert broker.state == Link.LIVE


def test_workers_that_may_be_asked_and_not_heard_are_online(fleet: Fleet) -> None:
    rules = f"~* resetchannels &/0.celery.pidbox +@read +@connection +psubscribe {ASK}"
    with Owner(user(fleet, rules)) as owner:
        owner.until(lambda c: c.workers and all(w.queues for w in c.workers.values()), "an answer")
        cluster = owner.monitor.cluster
        assert states(cluster)["events"] == "off"
        (worker,) = cluster.workers.values()
        owner.until(lambda c: c.state_of(worker, c.now) == ONLINE, "judged by its answers")


def test_keys_outside_a_pattern_are_marked_and_the_rest_is_read(fleet: Fleet) -> None:
    with Owner(user(fleet, f"~celery* ~_kombu.binding.* &* {LOOK}")) as owner:
        owner.until(lambda c: told(c, *ALL), "all four links have settled")
        owner.until(lambda c: {"secret", "celery"} <= c.queues.keys(), "both queues")
        owner.until(lambda c: c.health["queues"].refused, "the mark")
        cluster = owner.monitor.cluster
        assert cluster.queues["secret"].depth is None
        assert cluster.queues["celery"].depth == 0
        assert cluster.depths.unacked is None
        assert cluster.health["queues"].state == Link.LIVE
        assert re.fullmatch(r"\d keys may not be read", cluster.health["queues"].error or "")


def test_a_refusal_is_not_repeated_each_second(fleet: Fleet) -> None:
    with Owner(user(fleet, "~nothing +@connection +scan +llen +lindex")) as owner:
        owner.until(lambda c: told(c, *ALL), "all four links have settled")
        owner.until(lambda c: owner.born + 5 < time.time(), "five seconds")
        cluster = owner.monitor.cluster
        first = refusals(fleet)
        owner.until(lambda c: owner.born + 9 < time.time(), "four more")
        assert refusals(fleet) == first
        assert not cluster.health["events"].tries
        assert sum("link" in line.text for line in cluster.log) <= 6


def test_what_is_permitted_later_is_seen_when_somebody_asks_again(fleet: Fleet) -> None:
    with Owner(user(fleet, f"{EVERYWHERE} {LOOK}")) as owner:
        owner.until(lambda c: told(c, "inspect"), "inspect has settled")
        assert owner.monitor.cluster.health["inspect"].state == Link.OFF
        with redis.Redis.from_url(fleet.url) as admin:
            admin.execute_command("ACL", "SETUSER", "viewer", *ASK.split())
        owner.monitor.retry_now()
        owner.until(lambda c: c.health["inspect"].state == Link.LIVE, "asked again")


def test_status_says_what_may_not_be_seen_and_null(fleet: Fleet) -> None:
    settings = user(fleet, f"~celery* ~_kombu.binding.* &* {LOOK}")
    out, err = io.StringIO(), io.StringIO()
    code = status.run(settings, 3.0, as_json=True, out=out, err=err)
    document = json.loads(out.getvalue())
    assert code == 0
    assert document["broker"]["state"] == "live"
    assert "asking workers is not permitted" in document["broker"]["error"]
    assert "keys may not be read" in document["broker"]["error"]
    depths = {queue["name"]: queue["depth"] for queue in document["queues"]}
    assert depths == {"celery": 0, "secret": None}
    (worker,) = document["workers"]
    assert worker["queues"] is None
    assert "hunter2" not in out.getvalue() + err.getvalue()


def test_a_user_that_may_nothing_is_told_so_everywhere(fleet: Fleet) -> None:
    settings = user(fleet, "~* resetchannels +@connection")
    out = io.StringIO()
    code = status.run(settings, 1.5, as_json=False, out=out, err=io.StringIO())
    assert code in (0, 1)
    for words in ("hearing workers", "asking workers", "reading queues"):
        assert f"{words} is not permitted" in out.getvalue()


def test_an_act_that_is_not_permitted_says_so(fleet: Fleet) -> None:
    with Owner(user(fleet, f"{EVERYWHERE} {LOOK}")) as owner:
        owner.until(lambda c: c.workers, "a worker")
        name = fleet.worker.hostname
        request = ActionRequest("1", Act.EVENTS_ON, (Target("worker", name),), time.time())
        owner.monitor.perform(request)

        def refused(cluster: Cluster) -> bool:
            return any("not permit" in outcome.text for _, outcome in cluster.outcomes)

        owner.until(refused, "the refusal")


def test_the_readme_names_what_was_tested() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert f"`{LOOK}`" in readme
    assert f"`{ASK}`" in readme
    assert KEYS in readme
    assert CHANNELS in readme


@pytest.mark.parametrize("command", ["SCAN", "PSUBSCRIBE"])
def test_a_redis_without_a_command_is_not_lost(command: str) -> None:
    """As where an operator has taken it away from everybody."""
    with a_redis("--rename-command", command, "") as server:
        with redis.Redis(port=server.port) as client:
            client.rpush("celery", "{}")
        out = io.StringIO()
        status.run(Settings(broker=server.url(0)), 2.0, as_json=True, out=out, err=io.StringIO())
        assert "broker-lost" not in out.getvalue()
        assert f"unknown command '{command}'" in out.getvalue()
