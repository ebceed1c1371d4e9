"""Decoding worker events: what is hostile or broken is counted, and takes nobody with it."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest

from celery_tui.model.events import Event, decode
from celery_tui.model.observations import EventBatch, Reply

from .recording import new_cluster, recorded

GOOD = {"type": "task-started", "timestamp": 5.0, "hostname": "w1@a", "uuid": "u1", "pid": 1}


def body(*events: Any) -> bytes:
    return json.dumps(list(events)).encode()


def test_a_single_event_and_a_list_of_one_say_the_same() -> None:
    alone, listed = decode(json.dumps(GOOD).encode()), decode(body(GOOD))
    assert alone.events == listed.events
    assert (alone.malformed, listed.malformed) == ({}, {})


def test_every_recorded_event_keeps_its_fields() -> None:
    for _, fields in recorded():
        (event,) = decode(json.dumps(fields).encode()).events
        for name, value in fields.items():
            told = getattr(event, name)
            assert (list(told) if isinstance(told, tuple) else told) == value


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({**GOOD, "pid": "many"}, "wrong field pid"),
        ({**GOOD, "timestamp": None}, "wrong field timestamp"),
        ({**GOOD, "timestamp": 1e300}, "wrong field timestamp"),
        ({**GOOD, "timestamp": -1}, "wrong field timestamp"),
        ({**GOOD, "runtime": 1e300, "type": "task-succeeded"}, "wrong field runtime"),
        ({**GOOD, "uuid": ["u1"]}, "wrong field uuid"),
        ({**GOOD, "uuid": ""}, "no task id or hostname"),
        ({"type": "worker-heartbeat", "timestamp": 1}, "no task id or hostname"),
        ({"type": "task-mine", "timestamp": 1}, "no task id or hostname"),
        ({"timestamp": 1}, "wrong field type"),
        (None, "wrong field null"),
        (7, "wrong field int"),
        ([[]], "wrong field array"),
    ],
)
def test_one_wrong_event_never_takes_its_neighbours_with_it(bad: Any, reason: str) -> None:
    found = decode(body(GOOD, bad, {**GOOD, "uuid": "u2"}))
    assert [event.uuid for event in found.events] == ["u1", "u2"]
    assert found.malformed == {reason: 1}


@pytest.mark.parametrize(
    "broken",
    [b"", b"nothing", b"\xff\xfe\x00", b'{"type":', b"[" * 100_000, b'{"a":' * 100_000, b'"x"'],
)
def test_what_is_no_event_at_all_is_counted(broken: bytes) -> None:
    found = decode(broken)
    assert found.events == ()
    assert sum(found.malformed.values()) == 1


def test_nan_is_legal_for_celery_and_becomes_unknown() -> None:
    found = decode(body(GOOD, {**GOOD, "type": "task-succeeded", "runtime": math.nan}))
    assert [event.runtime for event in found.events] == [None, None]
    assert found.malformed == {}


def test_bytes_that_are_not_utf_8_become_replacement_signs() -> None:
    raw = json.dumps({**GOOD, "type": "task-sent", "args": "X"}).encode().replace(b"X", b"\xff\xfe")
    (event,) = decode(raw).events
    assert event.args == "��"


def test_half_characters_never_reach_a_screen() -> None:
    raw = json.dumps({**GOOD, "args": "\ud800", "x": "\udfff"}).encode()
    (event,) = decode(raw).events
    assert event.args == "?"
    event.args.encode()


def test_bottomless_nesting_in_a_custom_event_is_cut() -> None:
    deep: Any = 1
    for _ in range(800):
        deep = [deep]
    for fields in ({"deep": deep}, {"deep": deep, "nan": math.nan}):
        (event,) = decode(body({**GOOD, "type": "task-mine", **fields})).events
        assert event.extra is not None
        assert len(repr(event.extra)) < 500


def test_unknown_types_keep_all_their_fields() -> None:
    fields = {**GOOD, "type": "task-progress", "done": 3, "note": "half"}
    (event,) = decode(body(fields)).events
    assert event.extra == fields
    (event,) = decode(body({"type": "deploy-done", "timestamp": 1, "by": "ann"})).events
    assert event.extra == {"type": "deploy-done", "timestamp": 1, "by": "ann"}


def test_fields_that_celery_may_add_one_day_do_no_harm() -> None:
    found = decode(body({**GOOD, "new_in_6": {"a": [1]}}))
    assert [event.extra for event in found.events] == [None]


HOSTILE: tuple[Any, ...] = (
    "[/oops]", "[@click=app.quit]", "\x1b[2J\x07", "日本語", "\u202eabc", "\x00", "a" * 1_000_000,
    "", None, 0, -1, 2**70, 1e308, True, [], {}, [[]], {"a": {"b": "c"}}, "\ud800",
)  # fmt: skip


def test_hostile_values_in_any_field_never_raise() -> None:
    chance = random.Random(7)
    cluster = new_cluster(0.0)
    names = [name for name in Event.__struct_fields__ if name != "extra"]
    types = [*sorted({fields["type"] for _, fields in recorded()}), "task-mine", "mine"]
    for number in range(3_000):
        fields = {**GOOD, "type": chance.choice(types), "uuid": f"u{number % 50}"}
        for name in chance.sample(names, 3):
            fields[name] = chance.choice(HOSTILE)
        found = decode(body(GOOD, fields))
        assert found.events[0].uuid == "u1"
        cluster.apply(EventBatch(float(number), found.events, found.malformed))
    assert cluster.malformed
    assert "" not in cluster.workers


ENTRY = {"id": "u1", "name": "n", "args": [], "kwargs": {}, "time_start": 1.0, "worker_pid": 2}


def hostile_payloads(chance: random.Random, question: str) -> Iterator[Any]:
    yield from HOSTILE
    for _ in range(300):
        entry = {**ENTRY, chance.choice(sorted(ENTRY)): chance.choice(HOSTILE)}
        request = {"request": entry, "eta": chance.choice(HOSTILE)}
        yield [chance.choice(HOSTILE), request if question == "scheduled" else entry]
        fields = ("pool", "total", "rusage", "uptime", "pid", "prefetch_count")
        yield {name: chance.choice(HOSTILE) for name in fields}


@pytest.mark.parametrize(
    "question", ["ping", "active", "reserved", "scheduled", "stats", "active_queues", "registered"]
)
def test_hostile_answers_to_a_question_never_raise(question: str) -> None:
    chance = random.Random(11)
    cluster = new_cluster(0.0)
    for number, payload in enumerate(hostile_payloads(chance, question)):
        hostname = f"w{number % 5}@a"
        cluster.apply(Reply(question, hostname, payload, float(number), number + 0.1))
    assert len(cluster.workers) == 5
