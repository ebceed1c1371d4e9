"""`celery-tui status` against a real Redis and a real worker."""

import io
import json
from typing import Any

import pytest

from celery_tui.report import status
from celery_tui.settings import Settings
from tests.report.test_document import assert_schema
from tests.servers import RedisServer, Worker, client, free_port, wait_for


def looked(listen_s: float = 2.0, as_json: bool = True, **settings: Any) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of one look."""
    out, err = io.StringIO(), io.StringIO()
    code = status.run(Settings(**settings), listen_s, as_json, out, err=err)
    return code, out.getvalue(), err.getvalue()


def test_a_running_cluster_is_told_as_it_is(server: RedisServer) -> None:
    broker, backend = server.url(0), server.url(1)
    app = client(broker, backend)
    worker = Worker(broker, backend, concurrency=1).start()
    try:
        app.send_task("sample.slow", (60,), {"path": ""})
        app.send_task("sample.echo", (1,), {"password": "hunter2"}, queue="emails", priority=6)
        wait_for(lambda: worker.ledger.exists() and worker.ledger.read_text(), "the task runs")
        code, out, err = looked(3.0, broker=broker, result_backend=backend)
        document = json.loads(out)
        text = looked(2.0, as_json=False, broker=broker, result_backend=backend)[1]
    finally:
        worker.kill()  # a warm shutdown would wait for the task
        worker.stop()
        app.close()
    assert (code, err) == (2, "")
    assert_schema(document)
    assert document["broker"]["state"] == document["result_backend"]["state"] == "live"
    (told,) = document["workers"]
    assert (told["hostname"], told["state"], told["queues"]) == ("w1@test", "online", ["celery"])
    assert (told["pool"], told["concurrency"], told["active"]) == ("prefork", 1, 1)
    queues = {queue["name"]: queue for queue in document["queues"]}
    assert (queues["emails"]["depth"], queues["emails"]["consumers"]) == (1, 0)
    assert queues["emails"]["by_priority"] == {"0": 0, "6": 1}
    assert queues["celery"]["consumers"] == 1
    (running,) = document["tasks"]["active"]
    assert (running["name"], running["args_exact"]) == ("sample.slow", True)
    assert running["runtime_s"] > 0
    (finding,) = document["findings"]
    assert (finding["rule"], finding["subject"]) == ("no-consumer", "emails")
    assert "nobody consumes it: 1 message, 0 of 1 worker listen" in text
    assert "hunter2" not in out + text


def test_a_queue_without_any_worker_is_critical(server: RedisServer) -> None:
    app = client(server.url(2))
    app.send_task("sample.add", (1, 2), queue="emails")
    app.close()
    code, out, _ = looked(broker=server.url(2))
    (finding,) = json.loads(out)["findings"]
    assert (code, finding["subject"]) == (2, "emails")
    assert finding["text"] == "nobody consumes it: 1 message, no worker is online"


def test_a_look_leaves_nothing_behind(server: RedisServer) -> None:
    import redis

    with redis.Redis.from_url(server.url(5)) as plain:
        code, _, _ = looked(broker=server.url(5))
        assert code == 0
        left = {key for key in plain.scan_iter() if plain.ttl(key) == -1}
    assert left == set()


@pytest.mark.parametrize("url", ["redis://:hunter2@127.0.0.1:{port}/0", "nosuch://u:hunter2@h"])
def test_a_broker_that_cannot_be_reached_is_one_line_and_three(url: str) -> None:
    code, out, err = looked(broker=url.format(port=free_port()))
    assert (code, out) == (3, "")
    assert err.startswith("celery-tui: ")
    assert err.count("\n") == 1
    assert "hunter2" not in err
    assert "Traceback" not in err


def test_without_a_broker_there_is_nothing_to_look_at() -> None:
    code, _, err = looked()
    assert code == 3
    assert "No broker is named" in err


def test_an_app_that_cannot_be_imported_is_three() -> None:
    code, _, err = looked(app="no_such_project.celery")
    assert code == 3
    assert "no_such_project" in err


def test_a_refused_password_is_three() -> None:
    with RedisServer(password="hunter2") as locked:
        code, _, err = looked(broker=f"redis://:wronghunter2@127.0.0.1:{locked.port}/0")
    assert code == 3
    assert "refused the password" in err
    assert "hunter2" not in err
