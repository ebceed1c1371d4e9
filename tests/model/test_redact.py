"""Secrets never reach the screen, whatever form they take, and looking for them is quick."""

import time
from typing import Any

import pytest

from celery_tui.model.redact import DEEPEST, HIDDEN, redact_text, redact_value
from celery_tui.secret_names import is_secret

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{'user': 'ann', 'password': 'hunter2'}", "{'user': 'ann', 'password': ‹hidden›}"),
        ("login(password='hunter2', n=1)", "login(password=‹hidden›, n=1)"),
        ('{"token": "hunter2", "a": 1}', '{"token": ‹hidden›, "a": 1}'),
        ("Authorization: Bearer hunter2hunter2, x", "Authorization: ‹hidden›, x"),
        ("{'Authorization': 'Bearer hunter2'}", "{'Authorization': ‹hidden›}"),
        ("[('Authorization', 'hunter2'), ('Host', 'h')]",
         "[('Authorization', ‹hidden›), ('Host', 'h')]"),
        ("?password=hunter2&x=1", "?password=‹hidden›&x=1"),
        ("API_KEY=hunter2 apiKey: 'hunter2'", "API_KEY=‹hidden› apiKey: ‹hidden›"),
        ("X-Api-Key: hunter2", "X-Api-Key: ‹hidden›"),
        ("{'db_password_old': b'hunter2'}", "{'db_password_old': ‹hidden›}"),
        ("{'secret': ['hunter2', {'a': 'hunter2)'}], 'b': 2}", "{'secret': ‹hidden›, 'b': 2}"),
        ("{'credentials': {'a': 'hunter2}'}, 'b': 2}", "{'credentials': ‹hidden›, 'b': 2}"),
        ("{'pin': 1234, 'card': '4111 1111', 'cvv': 123}",
         "{'pin': ‹hidden›, 'card': ‹hidden›, 'cvv': ‹hidden›}"),
        ("card_number=4111111111111111", "card_number=‹hidden›"),
        (r"'{\"password\": \"hun\\\"ter2\", \"b\": 2}'", r"'{\"password\": ‹hidden›, \"b\": 2}'"),
        (r"""{'password': 'it\'s hunter2', 'b': 2}""", "{'password': ‹hidden›, 'b': 2}"),
        ("{'password': \"it's hunter2\", 'b': 2}", "{'password': ‹hidden›, 'b': 2}"),
        ("{'a': 1, 'password': 'hunter2 and then it was cut o...", "{'a': 1, 'password': ‹hidden›"),
        ("password=<Secret hunter2>, b=1", "password=‹hidden›, b=1"),
        ("redis://ann:hunter2@h/0;amqp://b:hunter2@c//", "redis://ann:‹hidden›@h/0;amqp://b:‹hidden›@c//"),
        ("GET / Bearer hunter2hunter2", "GET / Bearer ‹hidden›"),
        ("ValueError('bad token: hunter2')", "ValueError('bad token: ‹hidden›')"),
        ("secret => 'hunter2'", "secret => ‹hidden›"),
    ],
)  # fmt: skip
def test_values_of_secret_keys_are_hidden(text: str, shown: str) -> None:
    assert redact_text(text) == shown
    assert SECRET not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "{'user': 'ann', 'n': 1}",
        "author: Bob, discard=1, cardinality: 4, tokenizer: x, pinned: 3, keyboard: 4",
        "KeyError: 'password'",
        "password",
        "token=None, {'password': null}",
        "https://example.org:8080/path?a=b@c",
        "passed: 5, compass=north",
        "",
        "‹hidden›",
    ],
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


def test_redacting_twice_changes_nothing() -> None:
    once = redact_text("{'password': 'hunter2', 'url': 'redis://a:hunter2@h'}")
    assert redact_text(once) == once


def test_values_are_hidden_at_any_depth() -> None:
    value = {
        "user": "ann",
        "password": {"deep": SECRET},
        "list": [{"api_key": SECRET}, ("secret", SECRET), f"token={SECRET}"],
        "headers": [["Authorization", SECRET], ["Host", "h"]],
        "token": None,
        "n": 1.5,
    }
    before = repr(value)
    hidden = redact_value(value)
    assert SECRET not in repr(hidden)
    assert hidden["headers"] == [["Authorization", HIDDEN], ["Host", "h"]]
    assert (hidden["user"], hidden["token"], hidden["n"]) == ("ann", None, 1.5)
    assert repr(value) == before


def test_what_is_nested_too_deep_is_hidden() -> None:
    deep: Any = SECRET
    for _ in range(DEEPEST * 20):
        deep = [deep]
    assert SECRET not in repr(redact_value(deep))


def test_odd_keys_do_no_harm() -> None:
    assert not is_secret(5)
    assert not is_secret(None)
    assert redact_value({5: "x", None: [b"y"]}) == {5: "x", None: [b"y"]}


MILLION = 1_000_000
HOSTILE = [
    "password", "password=", "password='", 'password="', "password={", "password=,", "a", "key",
    "password ", "('password', ", "['password',", "bearer ", "://", "://a:", "token=<", "\\", "'",
    "password=\\'", "password=\\'\\\\\\'", "token:\\\\\\\\'", "password=[\"'", "basic a.", "\x00",
    "pass_", "password-", "\\'password\\'", "漢", "{'password': '", "=>", "card", "\n",
]  # fmt: skip
BEGUN = ["password='", "password=\\'", "password={", "x://", "x://a:", "bearer ", "('password', '"]


def test_a_megabyte_of_anything_takes_no_time_worth_mentioning() -> None:
    slowest = (0.0, "")
    texts = [piece * (MILLION // len(piece)) for piece in HOSTILE]
    texts += [begun + text for begun in BEGUN for text in texts[::7]]
    for text in texts:
        began = time.perf_counter()
        redact_text(text)
        took_s = time.perf_counter() - began
        slowest = max(slowest, (took_s, text[:40]))
        assert took_s < 30, text[:40]
    print(f"[took] the slowest of {len(texts)} hostile megabytes: {slowest[0]:.3f} s")
    print(slowest[1])
