"""The servers of the tests themselves: they start, answer, die and leave nothing behind."""

from pathlib import Path

import psutil
import pytest
import redis

from tests.integration.conftest import RunningCluster
from tests.servers import RedisServer, Worker, wait_for


def test_a_task_sent_to_the_shared_cluster_runs(cluster: RunningCluster) -> None:
    result = cluster.app.send_task("sample.add", (1, 2))
    assert result.get(timeout=30) == 3


def test_a_slow_task_writes_its_start_and_its_end(cluster: RunningCluster, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    result = cluster.app.send_task("sample.slow", (0.1, str(ledger)))
    result.get(timeout=30)
    assert ledger.read_text().split() == ["start", result.id, "end", result.id]


def test_a_flaky_task_recovers(cluster: RunningCluster) -> None:
    result = cluster.app.send_task("sample.flaky", (1, 0.1))
    assert result.get(timeout=30) == 2


def test_a_restarted_redis_answers_on_its_old_port(own_redis: RedisServer) -> None:
    port = own_redis.port
    own_redis.restart()
    assert own_redis.port == port
    with redis.Redis.from_url(own_redis.url()) as connection:
        assert connection.ping()


def test_a_redis_with_a_password_refuses_strangers() -> None:
    with RedisServer(password="hunter2") as server:
        stranger = redis.Redis(port=server.port)
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        with redis.Redis.from_url(server.url()) as connection:
            assert connection.ping()


def test_a_killed_worker_leaves_no_process(own_redis: RedisServer) -> None:
    worker = Worker(own_redis.url(), concurrency=1, name="victim", events=False).start()
    family = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
    worker.kill()
    wait_for(lambda: not any(one.is_running() for one in family), "worker and children are gone")
    worker.stop()


def test_wait_for_names_what_never_came() -> None:
    with pytest.raises(AssertionError, match="the moon"):
        wait_for(lambda: False, "the moon", timeout=0.05)


def test_a_stopped_redis_leaves_no_folder() -> None:
    with RedisServer() as server:
        folder = server.log.parent
        assert folder.exists()
        assert psutil.pid_exists(server.pid)
    assert not folder.exists()
