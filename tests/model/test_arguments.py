"""Arguments as people type them."""

from __future__ import annotations

from typing import Any

import pytest

from celery_tui.model.arguments import parse_args, parse_kwargs


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", []),
        (" () ", []),
        ("(1, 'a')", [1, "a"]),
        ("1, 2", [1, 2]),
        ("[1, (2, 3)]", [1, [2, 3]]),
        ('[true, null, "x"]', [True, None, "x"]),
        ("[1.5, -2, 'é中']", [1.5, -2, "é中"]),
    ],
)
def test_args_are_read_as_python_or_json(text: str, value: list[Any]) -> None:
    assert parse_args(text) == value


def test_kwargs_are_read_as_python_or_json() -> None:
    assert parse_kwargs("") == {}
    assert parse_kwargs("{'a': (1,)}") == {"a": [1]}
    assert parse_kwargs('{"a": {"b": false}}') == {"a": {"b": False}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5", "must be a list"),
        ("'abc'", "must be a list"),
        ("{}", "must be a list"),
        ("[1, ...]", "still holds ..."),
        ("(1, 'abc...", "cannot be read"),
        ("[1e999]", "JSON does not have"),
        ("[NaN]", "cannot be read"),
        ("[b'x']", "JSON does not have"),
        ("[{1}]", "JSON does not have"),
        ("[{1: 2}]", "not text"),
        ("[f()]", "only literals"),
        ("[__import__('os')]", "only literals"),
        ("[‹hidden›]", "a mask"),
        ("['‹hidden›']", "a mask"),
        ("[" * 150 + "]" * 150, "too deep"),
        ("[" * 5_000 + "]" * 5_000, "args is nested too deep"),
        ("[" * 200_000 + "]" * 200_000, "args is nested too deep"),
        ("(" * 5_000 + ")" * 5_000, "cannot be read: too many nested parentheses"),
        ("[" + "-" * 5_000 + "1]", "cannot be read"),
        ("[" + "1+" * 50_000 + "1]", "cannot be read: it is nested too deep"),
        ("['\\d', oops]", "cannot be read"),
        ("[\x00]", "cannot be read"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match="args") as caught:
        parse_args(text)
    assert words in str(caught.value)


def test_kwargs_must_be_a_dict_with_text_keys() -> None:
    with pytest.raises(ValueError, match="must be a dict"):
        parse_kwargs("[1]")
    with pytest.raises(ValueError, match="not text"):
        parse_kwargs("{1: 2}")
