"""Whatever bytes come as an event: nothing is raised, what is sound is never lost."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from celery_tui.model.events import KNOWN_TYPES, LATEST, TASK_TYPES, Event, decode

TEXT = st.text(max_size=20)
TIMES = st.floats(0, LATEST, exclude_max=True, allow_nan=False)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": TEXT, "args": TEXT, "kwargs": TEXT, "root_id": TEXT, "parent_id": TEXT,
    "retries": st.integers(0, 2**31), "queue": TEXT, "exchange": TEXT, "routing_key": TEXT,
    "result": TEXT, "runtime": TIMES, "exception": TEXT, "traceback": TEXT,
    "terminated": st.booleans(), "signum": st.integers(1, 64) | TEXT, "expired": st.booleans(),
    "pid": st.integers(0, 2**31), "clock": st.integers(0, 2**62), "utcoffset": st.integers(-12, 14),
    "eta": TEXT, "expires": TEXT | TIMES,
}  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def sound() -> st.SearchStrategy[dict[str, Any]]:
    """A task event as Celery sends it, with any of the fields it may have."""
    always = {
        "type": st.sampled_from(sorted(TASK_TYPES)),
        "uuid": st.uuids().map(str),
        "timestamp": TIMES,
        "hostname": TEXT,
    }
    return st.fixed_dictionaries(always, optional=FIELDS)


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """An event of which one field became something else, or something that is none at all."""
    event = draw(sound())
    if draw(st.booleans()):
        return draw(ANYTHING)
    return {**event, draw(st.sampled_from(sorted(event))): draw(ANYTHING)}


def is_sane(event: Event) -> bool:
    """What everybody who reads events relies on."""
    times = (event.timestamp, event.runtime or 0.0)
    return all(math.isfinite(one) and 0 <= one < LATEST for one in times) and bool(
        event.uuid or event.hostname or event.type not in KNOWN_TYPES
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_counted(body: bytes) -> None:
    found = decode(body)
    assert all(map(is_sane, found.events))
    assert found.events or found.malformed or json.loads(body) == []


@given(ANYTHING)
def test_any_json_is_events_or_counted(value: Any) -> None:
    found = decode(json.dumps(value).encode())
    assert all(map(is_sane, found.events))
    wanted = len(value) if isinstance(value, list) else 1
    assert len(found.events) + sum(found.malformed.values()) == wanted


@given(st.lists(sound(), max_size=5))
def test_sound_events_are_read_as_they_were_sent(events: list[dict[str, Any]]) -> None:
    found = decode(json.dumps(events).encode())
    assert not found.malformed
    for sent, read in zip(events, found.events, strict=True):
        assert {name: getattr(read, name) for name in sent} == sent


@given(st.lists(sound().map(lambda one: (True, one)) | spoilt().map(lambda one: (False, one))))
def test_a_spoilt_event_takes_no_neighbour_with_it(events: list[tuple[bool, Any]]) -> None:
    found = decode(json.dumps([one for _, one in events]).encode())
    assert len(found.events) + sum(found.malformed.values()) == len(events)
    ids = [event.uuid for event in found.events]
    for is_sound, one in events:
        assert not is_sound or one["uuid"] in ids
