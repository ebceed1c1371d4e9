"""Retry, against real workers: equal arguments, the same queue, and never a guess."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import signature
from kombu.entity import Exchange, Queue

from celery_tui.actions.resend import KEPT
from celery_tui.model.arguments import parse_args, parse_kwargs
from celery_tui.model.redact import HIDDEN
from celery_tui.model.seam import Act, Stage
from tests.actions.acting import Operator, echoed, ledger, request
from tests.integration.conftest import RunningCluster
from tests.servers import RedisServer, Worker, client

ALL_KINDS: list[Any] = [
    1,
    -0.0,
    1e308,
    3.141592653589793,
    2**70,
    True,
    None,
    "",
    "naïve 日本語 \u202e rtl \x00\x1b[31m \U0001f600",
    [],
    [[1, [2, [3, None]]], {}],
    {"k": [1, 2], "nested": {"ключ": {"deep": [None, False, 0.1]}}, "": ""},
    "x" * 5000,
]


def messages(broker: str, queue: str) -> list[dict[str, Any]]:
    """Everything that waits in a queue at any priority, the oldest first."""
    with redis.Redis.from_url(broker) as connection:
        found = []
        for key in (queue, *(f"{queue}\x06\x16{step}" for step in (3, 6, 9))):
            raw = connection.lrange(key, 0, -1)
            assert isinstance(raw, list)
            found += [json.loads(item) for item in reversed(raw)]
        return found


def only_other(broker: str, queue: str, task_id: str) -> dict[str, Any]:
    """The one message in the queue that is not the original."""
    (other,) = [m for m in messages(broker, queue) if m["headers"]["id"] != task_id]
    return dict(other)


def drop_queue(broker: str, queue: str) -> None:
    with redis.Redis.from_url(broker) as connection:
        connection.delete(queue, *(f"{queue}\x06\x16{step}" for step in (3, 6, 9)))


def test_a_retry_from_the_queue_message_keeps_everything_but_its_identity(
    cluster: RunningCluster, operator: Operator
) -> None:
    sent = cluster.app.send_task(
        "sample.echo",
        ALL_KINDS,
        {"password": "hunter2", "π": ALL_KINDS},
        queue="nobody",
        priority=7,
        headers={"x-tenant": "acme", "x-deep": {"a": [1, None]}},
        link=signature("sample.add", (1, 2)),
        countdown=3600,
        time_limit=90,
        shadow="shown",
    )
    operator.until(lambda: "nobody" in operator.cluster.queues, "the queue is found")
    target = operator.task(sent.id)
    preview = operator.look(request(Act.RETRY, target))
    (known,) = preview.args
    assert (known.exact, known.source) == (True, "queue message")
    assert "hunter2" not in known.kwargs
    assert "priority 7" in known.text
    assert "callbacks" in known.text
    assert preview.command == ""  # it would hold a masked password
    assert any("second copy" in warning for warning in preview.warnings)

    asked = operator.act(Act.RETRY, target)
    told = operator.outcome(asked, Stage.SENT)
    (old,) = [m for m in messages(cluster.broker, "nobody") if m["headers"]["id"] == sent.id]
    new = only_other(cluster.broker, "nobody", sent.id)
    drop_queue(cluster.broker, "nobody")
    assert new["headers"]["id"] == told.new_id != sent.id
    assert new["body"] == old["body"]
    changed = {k for k in new["headers"] if new["headers"][k] != old["headers"].get(k)}
    assert changed <= {"id", "root_id", "eta", "origin", "x-retried-from"}
    assert new["headers"]["root_id"] == told.new_id
    assert new["headers"]["eta"] is None
    assert new["headers"]["x-retried-from"] == sent.id
    assert new["headers"]["x-tenant"] == "acme"
    assert new["headers"]["timelimit"] == [90, None]
    assert new["properties"]["priority"] == 7
    assert new["properties"]["correlation_id"] == told.new_id
    assert new["properties"]["delivery_tag"] != old["properties"]["delivery_tag"]
    assert new["properties"]["delivery_info"] == old["properties"]["delivery_info"]
    waits = operator.outcome(asked, Stage.SENT, Stage.NOT_CONFIRMED, words=str(told.new_id))
    assert waits


def test_a_retried_task_runs_with_equal_arguments(
    cluster: RunningCluster, operator: Operator
) -> None:
    kwargs = {"all": ALL_KINDS, "nothing": None}
    # With an ETA it stays on the worker, where inspect shows it.
    sent = cluster.app.send_task("sample.echo", ALL_KINDS, kwargs, countdown=600, priority=3)
    target = operator.sees(sent.id, "RECEIVED")
    asked = operator.act(Act.RETRY, target)
    seen = operator.outcome(asked, Stage.SEEN)
    new_id = str(seen.new_id)
    operator.sees(new_id, "SUCCESS")
    ran = echoed(cluster.ledger, new_id)
    assert ran is not None
    assert json.dumps(ran["args"]) == json.dumps(ALL_KINDS)
    assert json.dumps(ran["kwargs"]) == json.dumps(kwargs)
    assert echoed(cluster.ledger, sent.id) is None
    cluster.app.control.revoke(sent.id)


def test_a_retry_from_inspect_keeps_arguments_queue_and_priority(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    broker = own_redis.url(0)
    # Early acknowledgement: a running task has no message any more, only the worker knows it.
    with Worker(broker, queues=("emails",), concurrency=1), Operator(broker) as operator:
        app = client(broker)
        sent = app.send_task(
            "sample.slow", (3.0,), {"path": str(tmp_path / "päth")}, queue="emails", priority=6
        )
        target = operator.sees(sent.id, "STARTED")
        preview = operator.look(request(Act.RETRY, target))
        assert [known.source for known in preview.args] == ["inspect"]
        assert any("Callbacks" in warning for warning in preview.warnings)
        asked = operator.act(Act.RETRY, target)
        told = operator.outcome(asked, Stage.SENT)
        assert "sent to emails" in told.text
        assert "exact, from inspect" in told.text
        new = str(told.new_id)
        held = operator.until(
            lambda: app.control.inspect(timeout=1.0).query_task(new), "the worker holds the copy"
        )
        assert held["w1@test"][new][1]["delivery_info"]["priority"] == 6
        operator.sees(new, "SUCCESS")
        assert f"end {new}" in ledger(tmp_path / "päth")
        app.close()


EXTENDED = """
import os
from celery import Celery

app = Celery("shop", broker=os.environ["CT_BROKER"], backend=os.environ["CT_BACKEND"])
app.conf.result_extended = True

@app.task
def buy(*args, **kwargs):
    if kwargs.get("fail"):
        raise ValueError(args)
"""


def test_a_retry_of_a_failed_task_takes_the_arguments_of_an_extended_result(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    broker, backend = own_redis.url(0), own_redis.url(1)
    (tmp_path / "shop.py").write_text(EXTENDED)
    worker = Worker(broker, backend, app="shop", folder=tmp_path, queues=("a", "b"))
    args, kwargs = [1, ["z" * 3000, {"a": None}]], {"k": "é", "fail": True}
    app = client(broker, backend)
    with worker, Operator(broker, backend) as operator:
        sent = app.send_task("shop.buy", args, kwargs, queue="b")
        target = operator.sees(sent.id, "FAILURE")
        (known,) = operator.look(request(Act.RETRY, target)).args
        assert (known.exact, known.source) == (True, "result backend")
        asked = operator.act(Act.RETRY, target)
        told = operator.outcome(asked, Stage.SENT)
        assert "sent to b" in told.text
        operator.sees(str(told.new_id), "FAILURE")
        stored = json.loads(app.backend.get(f"celery-task-meta-{told.new_id}"))
        assert (stored["args"], stored["kwargs"]) == (args, kwargs)
    app.close()


def test_a_task_whose_queue_nobody_knows_is_not_sent(own_redis: RedisServer) -> None:
    broker = own_redis.url(0)
    app = client(broker)
    with Worker(broker, queues=("a", "b")), Operator(broker) as operator:
        sent = app.send_task("sample.add", (1, 2), queue="b")
        target = operator.sees(sent.id, "SUCCESS")
        preview = operator.look(request(Act.RETRY, target))
        assert "The queue of this task is not known" in preview.blocked
        asked = operator.act(Act.RETRY, target, edited={sent.id: ([1, 2], {})})
        refused = operator.outcome(asked, Stage.FAILED)
        assert "w1@test reads several queues" in refused.text
    app.close()


@pytest.mark.parametrize(("kind", "same_exchange"), [("direct", True), ("topic", False)])
def test_a_retry_reaches_the_queue_behind_an_exchange(
    cluster: RunningCluster, operator: Operator, kind: str, same_exchange: bool
) -> None:
    name = f"orders-{kind}"
    key = "order.*" if kind == "topic" else "order.new"
    queue = Queue(name, Exchange(f"shop-{kind}", kind), routing_key=key)
    sent = cluster.app.send_task(
        "sample.echo", (1,), exchange=f"shop-{kind}", routing_key="order.new", declare=[queue]
    )
    operator.until(lambda: name in operator.cluster.queues, "the queue is found")
    target = operator.task(sent.id)
    asked = operator.act(Act.RETRY, target)
    told = operator.outcome(asked, Stage.SENT)
    assert f"sent to {name}" in told.text
    new = only_other(cluster.broker, name, sent.id)
    drop_queue(cluster.broker, name)
    exchange = new["properties"]["delivery_info"]["exchange"]
    assert exchange == (f"shop-{kind}" if same_exchange else "")


def test_only_a_cut_repr_is_never_sent_unasked(cluster: RunningCluster, operator: Operator) -> None:
    sent = cluster.app.send_task("sample.echo", ("y" * 3000, {"k": (1, 2)}))
    target = operator.sees(sent.id, "SUCCESS")
    preview = operator.look(request(Act.RETRY, target))
    (known,) = preview.args
    assert not known.exact
    assert preview.button == "Edit and send"
    before = len(ledger(cluster.ledger))
    asked = operator.act(Act.RETRY, target)
    refused = operator.outcome(asked, Stage.FAILED)
    assert refused.text.startswith("Not sent: only a repr of the arguments is known")
    assert len(ledger(cluster.ledger)) == before

    edited = (parse_args("['typed', (1, None)]"), parse_kwargs('{"k": true}'))
    asked = operator.act(Act.RETRY, target, edited={sent.id: edited})
    told = operator.outcome(asked, Stage.SEEN)
    operator.sees(str(told.new_id), "SUCCESS")
    ran = echoed(cluster.ledger, str(told.new_id))
    assert ran is not None
    assert (ran["args"], ran["kwargs"]) == (["typed", [1, None]], {"k": True})


def test_a_hostile_message_is_refused_or_resent_and_obeyed_never(
    cluster: RunningCluster, operator: Operator
) -> None:
    sent = cluster.app.send_task("sample.echo", (1,), queue="evil")
    (envelope,) = messages(cluster.broker, "evil")
    envelope["properties"].update(
        {"exchange": "x", "routing_key": "celery", "declare": [1], "retry": True, "user_id": "root"}
    )
    envelope["headers"]["task"] = "[/oops]\x1b[2J"
    with redis.Redis.from_url(cluster.broker) as connection:
        connection.delete("evil")
        connection.lpush("evil", json.dumps(envelope))
    operator.until(lambda: "evil" in operator.cluster.queues, "the queue is found")
    asked = operator.act(Act.RETRY, operator.task(sent.id))
    operator.outcome(asked, Stage.SENT)
    new = only_other(cluster.broker, "evil", sent.id)
    assert new["headers"]["task"] == envelope["headers"]["task"]
    assert set(new["properties"]) <= {*KEPT, "priority", "correlation_id", "delivery_info",
                                      "delivery_tag", "body_encoding"}  # fmt: skip
    del envelope["content-type"]
    with redis.Redis.from_url(cluster.broker) as connection:
        connection.delete("evil")
        connection.lpush("evil", json.dumps(envelope))
    asked = operator.act(Act.RETRY, operator.task(sent.id))
    assert "The message has no content-type" in operator.outcome(asked, Stage.FAILED).text
    assert len(messages(cluster.broker, "evil")) == 1
    drop_queue(cluster.broker, "evil")


def test_edited_arguments_keep_what_the_dialog_had_hidden(
    cluster: RunningCluster, operator: Operator
) -> None:
    sent = cluster.app.send_task(
        "sample.echo", (1,), {"password": "hunter2", "to": "ann"}, queue="hidden"
    )
    operator.until(lambda: "hidden" in operator.cluster.queues, "the queue is found")
    (known,) = operator.look(request(Act.RETRY, operator.task(sent.id))).args
    assert HIDDEN in known.kwargs
    edited: tuple[list[Any], dict[str, Any]] = ([1], {"password": HIDDEN, "to": "bob"})
    asked = operator.act(Act.RETRY, operator.task(sent.id), edited={sent.id: edited})
    operator.outcome(asked, Stage.SENT)
    new = only_other(cluster.broker, "hidden", sent.id)
    drop_queue(cluster.broker, "hidden")
    body = json.loads(base64.b64decode(new["body"]))
    assert body[:2] == [[1], {"password": "hunter2", "to": "bob"}]
    assert body[2]["callbacks"] is None
