"""Arguments as people type them for a retry."""

from typing import Any

import pytest

from celery_tui.actions.edited import parse_edited, unhidden
from celery_tui.errors import ActionError
from celery_tui.model.redact import HIDDEN


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        ("(1, 'a')", "{'k': True}", ([1, "a"], {"k": True})),
        ("[1, null, true]", '{"k": false}', ([1, None, True], {"k": False})),
        ("", "  ", ([], {})),
        ("[(1, (2,)), {'a': ()}]", "", ([[1, [2]], {"a": []}], {})),
        ('["naïve 日本"]', "{}", (["naïve 日本"], {})),
    ],
)
def test_literals_and_json_are_read(args: str, kwargs: str, expected: Any) -> None:
    assert parse_edited(args, kwargs) == expected


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ("[1, ...]", "{}", "args still holds ..., which stands for what was cut"),
        ("[1", "{}", "args cannot be read"),
        ("{'a': 1}", "{}", "args must be a list, not dict"),
        ("'text'", "{}", "args must be a list, not str"),
        ("[]", "[]", "kwargs must be a dict, not list"),
        ("[]", "{1: 2}", "kwargs has the key 1, which is not text"),
        ("[{1: 2}]", "{}", "args has the key 1, which is not text"),
        ("[b'x']", "{}", "args holds bytes"),
        ("[{1, 2}]", "{}", "args holds set"),
        ("[1e999]", "{}", "args holds inf"),
        ("[NaN]", "{}", "args holds nan"),
        ("[datetime.datetime(2026, 1, 1)]", "{}", "args cannot be read"),
        ("[" * 5000, "{}", "args cannot be read"),
        ("[__import__('os').system('true')]", "{}", "args cannot be read"),
        ("['a']", "{", "kwargs cannot be read"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(args: str, kwargs: str, words: str) -> None:
    with pytest.raises(ActionError) as told:
        parse_edited(args, kwargs)
    assert words in told.value.title


def test_hidden_values_come_back_where_they_were() -> None:
    original: Any = ([1, {"password": "hunter2"}], {"token": "t", "to": "ann"})
    edited: Any = ([1, {"password": HIDDEN}], {"token": HIDDEN, "to": "bob"})
    assert unhidden(edited, original) == ([1, {"password": "hunter2"}], {"token": "t", "to": "bob"})


def test_a_hidden_value_without_an_original_is_refused() -> None:
    with pytest.raises(ActionError, match="stands for a secret"):
        unhidden(([HIDDEN], {}), ([], {}))


def test_an_edit_from_one_to_true_is_an_edit() -> None:
    assert unhidden(([True, 1.0], {}), ([1, 1], {})) == ([True, 1.0], {})
    assert repr(unhidden(([[True]], {}), ([[1]], {}))) == "([[True]], {})"
