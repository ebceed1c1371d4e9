"""The status document: schema 1, unknown is null, secrets are hidden, anything hostile is JSON."""

import io
import json
from typing import Any

import pytest

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import EventBatch, QueueDepth, QueueDepths, Reply
from celery_tui.model.seam import Finding, Health, Level, Link
from celery_tui.model.waiting import Flow, Waiting
from celery_tui.monitor import Monitor
from celery_tui.report import status
from celery_tui.report.plain import lines
from celery_tui.settings import Settings

NOW = 2_000.0
URL = "redis://:hunter2@127.0.0.1:1/0"

SCHEMA_1: dict[str, Any] = {
    "": "schema taken_at watched_s broker result_backend attached_at events workers queues tasks "
    "failures schedule findings unread",
    "broker": "url transport state error latency_ms refuses facts",
    "result_backend": "url kind state error refuses facts",
    "unread": "queues workers",
    "events": "counted per_s lost coverage shed evicted malformed gaps",
    "workers": "hostname state pid pool concurrency active reserved scheduled processed queues "
    "events_enabled heartbeat heartbeat_age_s lost_events duplicate_name software",
    "queues": "name depth by_priority unacked consumers oldest_age_s in_per_s out_per_s drain_s "
    "held held_by_workers limbo quarantine",
    "tasks": "counts active recent",
    "active": "id name worker args kwargs args_exact runtime_s pid",
    "recent": "id name state worker queue source as_of verdict",
    "findings": "rule severity subject text since evidence next",
}
"""The keys that scripts rely on: more may come, none may go."""


def monitor(**settings: Any) -> Monitor:
    """A Monitor that was never started: tests fold in what its sources would have told."""
    return Monitor(Settings(broker=URL, **settings), clock=lambda: NOW)


def busy(name: str = "w1@a", task: str = "t1", secret: str = "hunter2") -> Monitor:
    """A Monitor with one of everything."""
    one = monitor(result_backend=URL)
    cluster = one.cluster
    for source in ("events", "queues", "results"):
        cluster.apply(Health(source, Link.LIVE, NOW, latency_ms=0.4))
    told = {"password": secret, "n": 1}
    events = (
        Event("worker-heartbeat", NOW, name, pid=1, freq=2.0, active=1, processed=5),
        Event("task-received", NOW, name, uuid=task, name="pay.charge", pid=1,
              args="(1,)", kwargs=repr(told)),
        Event("task-started", NOW, name, uuid=task, pid=2),
        Event("task-received", NOW, name, uuid=f"{task}f", name="pay.charge"),
        Event("task-failed", NOW, name, uuid=f"{task}f", exception=f"E('token: {secret}')",
              traceback="…"),
    )  # fmt: skip
    cluster.apply(EventBatch(NOW, events, {}))
    cluster.apply(Reply("active_queues", name, [{"name": "celery"}], NOW, NOW))
    cluster.apply(QueueDepths(NOW, {name: QueueDepth(3, {"0": 3})}, unacked=0))
    found = Finding("no-consumer", Level.CRIT, name, f"secret={secret}", "s", NOW, "queue:q", "do")
    one.findings = (found,)
    return one


def assert_schema(document: dict[str, Any]) -> None:
    parts: dict[str, Any] = {"": document, **document, **document["tasks"]}
    for name, keys in SCHEMA_1.items():
        rows = parts[name] if isinstance(parts[name], list) else [parts[name]]
        for row in rows:
            assert set(keys.split()) <= set(row), name


def test_the_document_has_all_keys_of_the_schema() -> None:
    document = status.document(busy())
    assert_schema(document)
    assert all(document[name] for name in ("workers", "queues", "findings"))
    assert document["tasks"]["active"]
    assert document["tasks"]["recent"]
    assert document["schema"] == 1


def test_what_is_not_known_is_null_and_not_zero() -> None:
    document = status.document(monitor())
    assert_schema(document)
    assert document["failures"] is None
    assert document["schedule"] is None
    assert document["events"]["lost"] is None
    assert document["events"]["per_s"] is None
    nothing = dict.fromkeys(("url", "kind", "state", "error", "refuses", "facts", "recent"))
    assert document["result_backend"] == nothing
    one = monitor()
    one.cluster.worker("w1@a", NOW)
    one.cluster.queue_news.named("celery", NOW)
    document = status.document(one)
    (worker,), (queue,) = document["workers"], document["queues"]
    unknown = set(worker) - {"hostname", "state", "duplicate_name"}
    assert {worker[name] for name in unknown} == {None}
    assert (queue["depth"], queue["unacked"], queue["consumers"]) == (None, None, None)


def test_secrets_are_nowhere_in_document_and_text() -> None:
    document = status.document(busy())
    text = json.dumps(document, ensure_ascii=False) + "\n".join(lines(document))
    assert "hunter2" not in text
    assert "‹hidden›" in text
    assert "redis://:***@127.0.0.1:1/0" in text


HOSTILE = ["[/oops]", "\x1b[31m", "nul\x00", "\u202e", "漢字", "\ud800", "a\nb", "x" * 1_000_000]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_shown_and_never_obeyed(text: str) -> None:
    document = status.document(busy(text, text, text))
    assert json.loads(json.dumps(document, allow_nan=False))["workers"][0]["hostname"] == text
    for line in lines(document):
        assert not set(line) & {"\x1b", "\x00", "\n", "\u202e", "\ud800"}
        assert len(line) < 3_000


def test_numbers_that_json_has_not_are_null() -> None:
    one = busy()
    one.cluster.tasks["t1"].runtime_s = float("nan")
    one.cluster.tasks["t1f"].as_of = float("inf")
    tasks = json.loads(json.dumps(status.document(one), allow_nan=False))["tasks"]
    assert tasks["active"][0]["runtime_s"] is None
    assert tasks["recent"][0]["as_of"] is None


def test_exit_codes_follow_the_worst_finding() -> None:
    crit, warn = (Finding("r", level, "s", "", "", None, "", "") for level in Level)
    assert status.exit_code(()) == 0
    assert status.exit_code((warn,)) == 1
    assert status.exit_code((warn, crit)) == 2


def test_a_stream_of_ascii_takes_everything() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    status._write(stream, "漢字 ‹hidden›")
    stream.flush()
    assert raw.getvalue() == b"\\u6f22\\u5b57 \\u2039hidden\\u203a\n"


def test_an_empty_cluster_reads_well() -> None:
    one = Monitor(Settings(broker=URL), clock=lambda: NOW)
    for source in ("events", "queues"):
        one.cluster.apply(Health(source, Link.LIVE, NOW))
    one.cluster.apply(QueueDepths(NOW, {}))
    text = "\n".join(lines(status.document(one)))
    assert "nothing needs you" in text
    assert "no worker has been heard" in text
    assert "no queue was found" in text


def test_of_what_could_not_be_read_it_is_not_said_that_there_is_none() -> None:
    one = Monitor(Settings(broker=URL), clock=lambda: NOW)
    said = "The broker redis://h is still loading its data"
    for source in ("events", "queues", "inspect"):
        one.cluster.apply(Health(source, Link.REFUSING, NOW, said, "Wait.", refusal="loading"))
    document = status.document(one)
    assert document["broker"]["state"] == "refusing"
    assert document["broker"]["refuses"] == "loading"
    assert document["broker"]["error"] == said
    text = "\n".join(lines(document))
    assert "Workers: ? not known: Redis is still loading its data" in text
    assert "Queues: ? not known: Redis is still loading its data" in text


def test_a_lost_broker_is_lost_in_the_document() -> None:
    cluster = Cluster(NOW)
    cluster.apply(Health("events", Link.LIVE, NOW, latency_ms=1.0))
    cluster.apply(Health("queues", Link.LOST, NOW, "refused"))
    one = monitor()
    one.cluster = cluster
    broker = status.document(one)["broker"]
    assert (broker["state"], broker["error"], broker["latency_ms"]) == ("lost", "refused", None)


def waiting(flow: Flow | None, oldest: Any = (None, None), depth: int = 100) -> dict[str, Any]:
    """The document's queue, of a queue sampled like that and consumed by one worker."""
    one = monitor()
    one.cluster.apply(Reply("active_queues", "w1@a", [{"name": "q"}], NOW, NOW))
    sampled = QueueDepth(depth, {"0": depth}, waiting=Waiting(NOW, oldest, flow))
    one.cluster.apply(QueueDepths(NOW, {"q": sampled}, unacked=0))
    found: dict[str, Any] = status.document(one)["queues"][0]
    return found


def test_waiting_times_are_brackets_and_rates_are_told_when_sure() -> None:
    told = waiting(Flow(10.0, 20.0, sure=True), (3.0, 4.0))
    assert told["oldest_age_s"] == [3.0, 4.0]
    assert (told["in_per_s"], told["out_per_s"], told["drain_s"]) == (10.0, 20.0, 5.0)
    assert waiting(Flow(20.0, 5.0, sure=True))["drain_s"] == "never"
    assert waiting(None, (9.0, None))["oldest_age_s"] == [9.0, None]
    unsure = waiting(Flow(10.0, 20.0, sure=False))
    assert (unsure["in_per_s"], unsure["out_per_s"], unsure["drain_s"]) == (None, None, None)
    assert waiting(None, depth=0)["drain_s"] == 0.0
