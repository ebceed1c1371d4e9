"""Stored results are read whatever the worker wrote, and never executed."""

import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from celery.backends.base import compress_payload

from celery_tui.backends.meta import LARGEST_UNPACKED_BYTES, LONGEST_TEXT, read
from celery_tui.model.observations import ResultMeta
from celery_tui.model.task import Progress


def stored(**meta: Any) -> ResultMeta:
    return read("t1", json.dumps(meta).encode())


def test_a_success_shows_its_result_as_a_repr() -> None:
    done = "2026-11-20T14:00:00.500000+00:00"
    meta = stored(status="SUCCESS", result={"a": [1, None]}, date_done=done)
    assert (meta.state, meta.result) == ("SUCCESS", "{'a': [1, None]}")
    assert meta.date_done == datetime(2026, 11, 20, 14, 0, 0, 500_000, UTC).timestamp()


def test_a_date_without_zone_is_utc() -> None:
    meta = stored(status="SUCCESS", date_done="2026-11-20T14:00:00")
    assert meta.date_done == datetime(2026, 11, 20, 14, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (["card declined"], "DeclinedError('card declined')"),
        (["no", 5], "DeclinedError('no', 5)"),
        ([], "DeclinedError()"),
        ("plain", "DeclinedError('plain')"),
        (None, "DeclinedError()"),
    ],
)
@pytest.mark.parametrize("state", ["FAILURE", "RETRY"])
def test_an_exception_reads_like_one(state: str, message: Any, text: str) -> None:
    result = {"exc_type": "DeclinedError", "exc_message": message, "exc_module": "pay"}
    meta = stored(status=state, result=result, traceback="Traceback …")
    assert (meta.exception, meta.result, meta.traceback) == (text, None, "Traceback …")


def test_started_tells_who_runs_it() -> None:
    meta = stored(status="STARTED", result={"pid": 4411, "hostname": "w1@a"})
    assert (meta.pid, meta.worker, meta.result) == (4411, "w1@a", None)


def test_extended_results_hold_exact_arguments() -> None:
    moment = {"__type__": "datetime", "__value__": "2026-11-20T14:00:00+00:00"}
    meta = stored(
        status="SUCCESS",
        result=None,
        name="pay.charge",
        args=[moment, {"__type__": "decimal", "__value__": "1.50"}],
        kwargs={"id": {"__type__": "uuid", "__value__": {"hex": "0" * 32}}},
        worker="w1@a",
        queue="pay",
        retries=2,
        parent_id="p",
        group_id="g",
        children=[
            [["c1", None], None],
            [["c2", ["p", None]], []],
            [["group", None], [[["g1", None], None], [["g2", None], None], 5]],
            "junk",
        ],
    )
    assert meta.args == [datetime(2026, 11, 20, 14, tzinfo=UTC), Decimal("1.50")]
    assert meta.kwargs == {"id": UUID(int=0)}
    assert (meta.name, meta.worker, meta.queue, meta.retries) == ("pay.charge", "w1@a", "pay", 2)
    assert (meta.parent_id, meta.group_id, meta.children) == ("p", "g", ("c1", "c2", "g1", "g2"))


@pytest.mark.parametrize(
    "odd",
    [
        {"__type__": "nobody", "__value__": 1},
        {"__type__": "decimal", "__value__": "x"},
        {"__type__": "datetime", "__value__": 5},
        {"__type__": "uuid", "__value__": {"a": 1}},
        {"__type__": [1], "__value__": {}},
        {"__type__": "base64", "__value__": "a"},
    ],
)
def test_types_that_cannot_be_decoded_stay_as_they_are(odd: Any) -> None:
    assert stored(status="SUCCESS", args=[odd], kwargs={}).args == [odd]


def test_pickle_is_never_loaded() -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("it was loaded",))

    meta = read("t1", pickle.dumps(Bomb()))
    assert (meta.state, meta.result) == ("UNKNOWN", "not readable: pickle")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x87\xa6status", "msgpack"),
        (b"children: []\nstatus: SUCCESS\n", "yaml"),
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b"null", "no task result"),
        (b'{"status": 5}', "no task result"),
    ],
)
def test_what_is_not_json_says_so(raw: bytes, why: str) -> None:
    assert read("t1", raw).result == f"not readable: {why}"


def test_odd_fields_are_left_out() -> None:
    meta = stored(
        status="SUCCESS", result=1, date_done="yesterday", name=5, retries="x", worker=[],
        children={"a": 1}, args="(1,)", kwargs="{}", traceback=7, parent_id=1, queue=None,
    )  # fmt: skip
    assert meta == ResultMeta("t1", "SUCCESS", result="1", args_text="(1,)", kwargs_text="{}")


def test_a_huge_result_is_cut_and_says_so() -> None:
    text = stored(status="SUCCESS", result="x" * 1_000_000).result
    assert text is not None
    assert len(text) < LONGEST_TEXT + 100
    assert text.endswith("characters more)")


def test_not_a_number_and_deep_nesting_do_no_harm() -> None:
    assert read("t1", b'{"status": "SUCCESS", "result": NaN}').result == "nan"
    deep = b'{"status": "SUCCESS", "result": ' + b"[" * 900 + b"]" * 900 + b"}"
    assert read("t1", deep).state in ("SUCCESS", "UNKNOWN")


@pytest.mark.parametrize(
    ("result", "current", "total"),
    [
        ({"current": 45, "total": 100}, 45, 100),
        ({"current": 4.5, "total": 0}, 4.5, 0),
        ({"current": "45", "total": True}, None, None),
        ({"current": -1, "total": 10**400}, None, None),
        ({"step": "loading"}, None, None),
        ([45, 100], None, None),
    ],
)
def test_a_state_of_the_task_s_own_tells_its_progress(
    result: Any, current: float | None, total: float | None
) -> None:
    meta = stored(status="PROGRESS", result=result)
    assert meta.state == "PROGRESS"
    assert meta.progress == Progress("PROGRESS", current, total, repr(result))
    assert stored(status="SUCCESS", result=result).progress is None


def test_progress_that_is_no_number_is_none() -> None:
    raw = b'{"status": "PROGRESS", "result": {"current": NaN, "total": Infinity}}'
    progress = read("t1", raw).progress
    assert progress is not None
    assert (progress.current, progress.total) == (None, None)


PLAIN = json.dumps({"status": "SUCCESS", "result": "x" * 1_000}).encode()


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "lzma", "zstd"])
def test_compressed_results_are_read(kind: str) -> None:
    packed = compress_payload(PLAIN, kind)
    assert len(packed) < len(PLAIN)
    assert read("t1", packed) == read("t1", PLAIN)


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        (compress_payload(b"x" * (LARGEST_UNPACKED_BYTES + 1), "gzip"), "its gzip cannot be"),
        (compress_payload(compress_payload(PLAIN, "gzip"), "gzip"), "its gzip cannot be"),
        (compress_payload(PLAIN, "gzip")[:-9], "its gzip cannot be"),
        (compress_payload(pickle.dumps(1), "gzip"), "pickle"),
        (b"\x00celery-compressed\x00brotli\x00" + PLAIN, "its brotli cannot be"),
        (b"\x00celery-compressed\x00", "its  cannot be"),
    ],
    ids=["too large", "twice", "torn", "pickle", "unknown", "empty"],
)
def test_what_cannot_be_unpacked_says_so(packed: bytes, why: str) -> None:
    meta = read("t1", packed)
    assert meta.state == "UNKNOWN"
    assert (meta.result or "").startswith(f"not readable: {why}")
