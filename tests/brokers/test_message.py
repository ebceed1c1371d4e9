"""Messages are parsed and never executed."""

import base64
import bz2
import gzip
import json
import lzma
import pickle
import zlib
from typing import Any

import pytest

from celery_tui.brokers.body import LONGEST_BODY_BYTES
from celery_tui.brokers.message import of_envelope, parse
from tests.brokers.messages import envelope, message


def body(raw: bytes, compression: str | None = None, kind: str = "application/json") -> Any:
    one = envelope("t1")
    one["body"] = base64.b64encode(raw).decode()
    one["content-type"] = kind
    if compression:
        one["headers"]["compression"] = compression
    parsed = of_envelope(one)
    assert parsed is not None
    return parsed.arguments()


def test_arguments_are_exact() -> None:
    parsed = parse(message("t1", args=[1, None, "ü"], kwargs={"k": {"__type__": "x"}}))
    assert parsed is not None
    assert (parsed.task_id, parsed.name) == ("t1", "proj.work")
    assert parsed.arguments() == (
        [1, None, "ü"],
        {"k": {"__type__": "x"}},
        {"callbacks": None, "errbacks": None},
    )


@pytest.mark.parametrize(
    ("compression", "pack"),
    [
        ("application/x-gzip", zlib.compress),
        ("application/x-gzip", gzip.compress),
        ("application/x-bz2", bz2.compress),
        ("application/x-lzma", lzma.compress),
    ],
)
def test_compressed_bodies_are_read(compression: str, pack: Any) -> None:
    assert body(pack(b'[[1], {"k": 2}, {}]'), compression) == ([1], {"k": 2}, {})
    assert body(b"not compressed at all", compression) is None
    assert body(pack(b" " * (LONGEST_BODY_BYTES + 1)), compression) is None


def test_pickle_is_never_loaded() -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("it was loaded",))

    assert body(pickle.dumps(Bomb()), kind="application/x-python-serialize") is None
    assert body(pickle.dumps(Bomb())) is None


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[1]", b"[1, 2, 3]", b"[" * 9_000, b"\xff\xfe", b"null"]
)
def test_odd_bodies_have_no_arguments(raw: bytes) -> None:
    assert body(raw) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        "null",
        "[]",
        "{}",
        '{"headers": {}, "properties": {}}',
        "[" * 9_000,
        "1" * 9_000,
    ],
)
def test_what_is_no_message_is_none(payload: bytes | str) -> None:
    assert parse(payload) is None


def test_a_body_that_is_not_base64_is_read_as_it_is() -> None:
    one = json.loads(message("t1"))
    one["properties"]["body_encoding"] = None
    one["body"] = "[[1], {}, {}]"
    parsed = of_envelope(one)
    assert parsed is not None
    assert parsed.arguments() == ([1], {}, {})
