"""Attached to a cluster that has been running for long: its results are found beside all else."""

import json
import time
from typing import Any

import redis

from celery_tui.model.task import BACKEND, SUCCESS
from celery_tui.report.document import document
from tests.actions.acting import Operator, ledger
from tests.rounds import rounds
from tests.servers import PATIENCE_S, RedisServer, Worker, client

MANY = rounds(200_000, long=1_000_000)
AT_ONCE = 5_000
MOST_SENT = 80
"""However slowly the search goes on: results of these are newer than the old ones."""
FILL = """
for number = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local done = string.format('2026-11-%02dT%02d:%02d:%02d+00:00', number / 86400 % 28 + 1,
                             number / 3600 % 24, number / 60 % 60, number % 60)
  redis.call('SET', 'celery-task-meta-old-' .. number,
             '{"status": "SUCCESS", "result": 1, "traceback": null, "date_done": "' .. done .. '"}',
             'PX', 40000000 + number * 40)
end
"""


def filled(server: RedisServer, number: int) -> "redis.Redis":
    """A result backend with so many results, of which the last are the newest."""
    connection = redis.Redis.from_url(server.url(1), socket_timeout=PATIENCE_S)
    began = time.monotonic()
    fill = connection.register_script(FILL)
    for first in range(0, number, AT_ONCE):
        fill(args=[first, min(first + AT_ONCE, number) - 1])
    print(f"{number:,} results written in {time.monotonic() - began:.1f} s")
    return connection


def cost(connection: "redis.Redis") -> dict[str, Any]:
    """What was asked of the server so far."""
    stats = connection.info("commandstats")
    asked = ("cmdstat_eval", "cmdstat_mget", "cmdstat_scan", "cmdstat_keys", "cmdstat_dbsize")
    calls = {name: stats[name]["calls"] for name in asked if name in stats}
    return calls | {"eval_s": stats.get("cmdstat_eval", {}).get("usec", 0) / 1e6}


def test_very_many_results_are_looked_through_while_everything_else_goes_on(
    own_redis: RedisServer,
) -> None:
    connection = filled(own_redis, MANY)
    broker, backend = own_redis.url(0), own_redis.url(1)
    app = client(broker, backend)
    with Worker(broker, backend) as worker, Operator(broker, backend) as operator:
        cluster, before, began = operator.cluster, cost(connection), time.monotonic()
        sent: list[str] = []
        seen: list[int] = []
        # It runs all the while, and for as long as the questions below may take.
        runs = app.send_task("sample.slow", (600.0,)).id

        def all_looked_through() -> bool:
            search = cluster.results_search
            if search is not None and (not seen or search.keys != seen[-1]):
                seen.append(search.keys)
                if len(sent) < MOST_SENT:
                    sent.append(app.send_task("sample.add", (1, 2)).id)
            return search is not None and search.done

        operator.until(all_looked_through, f"{MANY:,} results are looked through", 1_800)
        took = time.monotonic() - began
        after = cost(connection)
        asked = {name: after[name] - before.get(name, 0) for name in after}
        told = sum(asked.get(f"cmdstat_{name}", 0) for name in ("eval", "mget", "dbsize"))
        print(f"{told} commands in {took:.1f} s are {told / took:.0f} a second: {asked}")
        share = asked["eval_s"] / took
        print(f"the server was busy with it for {asked['eval_s']:.2f} s, {100 * share:.1f} %")
        operator.until(
            lambda: all(i in cluster.tasks and cluster.tasks[i].final for i in sent),
            "tasks that ran meanwhile are told by their events",
        )
        operator.until(lambda: runs in cluster.running, "what runs is known")
        told_tasks = document(operator.monitor)["tasks"]
        assert [task["id"] for task in told_tasks["active"]] == [runs]
        assert ledger(worker.ledger) == [f"start {runs}"]
        assert {task["id"] for task in told_tasks["recent"]} >= set(sent[-100:])
        worker.kill()
        assert "cmdstat_keys" not in after
        assert worker.hostname in cluster.workers
    app.close()
    connection.close()
    search = cluster.results_search
    assert search is not None
    assert search.keys == search.of >= MANY
    assert search.told == 1_000
    assert len(seen) > 5
    old = [i for i in cluster.newest() if i.startswith("old-")]
    # Those that ran meanwhile, or run, may have been found among the newest.
    assert len(old) >= search.told - len(sent) - 1
    assert old[0] == f"old-{MANY - 1}"
    assert sorted(old, key=lambda i: -(cluster.tasks[i].ended_at or 0)) == old
    assert list(cluster.newest())[-len(old) :] == old
    assert {cluster.tasks[i].source for i in old} == {BACKEND}
    assert {cluster.tasks[i].state for i in old} == {SUCCESS}
    assert cluster.rates.finished.total <= len(sent)


def test_few_results_are_there_at_once_whatever_lies_between_them(own_redis: RedisServer) -> None:
    connection = filled(own_redis, 500)
    connection.set("celery-task-meta-pickled", b"\x80\x04\x95")
    connection.set("celery-task-meta-packed", b"\x81\xa6status\xa7SUCCESS")
    connection.set("celery-task-meta-huge", json.dumps({"status": "FAILURE", "x": "y" * 10**7}))
    connection.set("celery-task-meta-none", b"")
    connection.close()
    with Operator(own_redis.url(0), own_redis.url(1)) as operator:
        operator.until(
            lambda: operator.cluster.results_search and operator.cluster.results_search.done,
            "500 results are looked through",
        )
        search = operator.cluster.results_search
        assert search is not None
        assert search.told == 500
        assert search.unread == {"pickle": 1, "msgpack": 1, "too large": 1, "not JSON": 1}
        operator.monitor.watch(["huge"])  # somebody opens it: then it is read
        operator.until(lambda: "huge" in operator.cluster.tasks, "10 MB are read when asked for")
