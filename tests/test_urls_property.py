"""Whatever stands in a user name and a password: the password is shown nowhere."""

from __future__ import annotations

import contextlib
import json
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from celery_tui import preflight, probe, urls
from celery_tui.backends import database_link, why_not
from celery_tui.errors import BrokerError, TuiError
from celery_tui.links import management, sentinel
from celery_tui.links.errors import broker_error
from celery_tui.model.redact import redact_text
from celery_tui.settings import Settings, load, read_broker_file
from tests.odd_urls import MARK, Odd, odd_urls, urls_with_a_login
from tests.rounds import rounds

ROUNDS = rounds(400, long=4_000)
many = settings(max_examples=ROUNDS)
SENTENCES = (
    "{}",
    "cannot open {}: refused",
    "cannot open '{}'",
    'no route ("{}")',
    "tried <{}>, [{}] and {}.",
    "{}: gone\n{}: gone, celery@w1 too",
)


def written(url: str) -> tuple[str, ...]:
    """The URL as errors and logs quote it."""
    return (
        url, repr(url), ascii(url), json.dumps(url), repr(url.encode()), repr(ValueError(url)),
        repr([repr(url)]), " ".join(url.split()),
    )  # fmt: skip


@many
@given(odd_urls)
@example(Odd(f"amqp://ops@tenant:{MARK}@host/shop.eu", ("host",), MARK))
@example(Odd(f"amqp://user:sec;{MARK}@host/v", ("host",), f"sec;{MARK}"))
@example(Odd(f"redis://ops@t:{MARK}@h/0;redis://i/0", ("h", "i"), MARK))
@example(Odd(f"redis://u:1/{MARK}@h/0", ("h",), f"1/{MARK}"))
@example(Odd(f"redis://h/0?password=a@{MARK}", ("h",), f"a@{MARK}"))
def test_what_is_shown_of_a_url_holds_its_hosts_and_no_secret(one: Odd) -> None:
    shown = urls.redact(one.url)
    assert MARK not in shown
    assert all(host in shown for host in one.hosts)
    assert urls.redact(shown) == shown


@many
@given(odd_urls, st.sampled_from(SENTENCES))
@example(Odd(f"amqp://h/1;amqp:// :{MARK}@i/", ("h", "i"), MARK), SENTENCES[-1])
def test_no_sentence_about_a_known_url_holds_its_secret(one: Odd, sentence: str) -> None:
    for url in written(one.url):
        said = urls.clean(sentence.replace("{}", url), one.url)
        assert MARK not in said
        assert MARK not in urls.clean(said, one.url)
    for word in (*written(one.secret), *urls.passwords(one.url)):
        assert MARK not in urls.clean(sentence.replace("{}", word), one.url)


@many
@given(urls_with_a_login())
def test_alternates_are_never_cut_in_a_password(one: Odd) -> None:
    parts = urls.alternates(one.url)
    assert "".join(parts).count(MARK) == one.url.count(MARK)
    for part in parts:
        assert MARK not in urls.redact(part)


@many
@given(odd_urls)
def test_what_is_wrong_with_a_broker_is_told_without_its_secret(one: Odd) -> None:
    for error in (
        ValueError(f"Port could not be cast to integer value as {one.secret!r}"),
        OSError(f"Error connecting to {one.secret}: Connection refused"),
        RuntimeError(one.url),
        KeyError(one.url),
    ):
        assert MARK not in str(broker_error(error, one.url))


@settings(max_examples=ROUNDS // 4)
@given(odd_urls)
@example(Odd(f"redis+socket://:@{MARK}@broker.eu", ("broker.eu",), f"@{MARK}"))
@example(Odd(f"http://a/b:{MARK}@broker.eu", ("broker.eu",), MARK))
def test_no_refusal_and_no_repr_holds_the_secret(one: Odd) -> None:
    url = one.url
    attempts: tuple[Callable[[], object], ...] = (
        lambda: preflight.check_url(url),
        lambda: management.parts_of(url)[0],
        lambda: sentinel.read(url, {}, BrokerError, "broker"),
        lambda: probe.address(probe.alternates(url)[0]),
        lambda: load({}, {"CELERY_BROKER_URL": url, "CELERY_TUI_MANAGEMENT_URL": url}),
        lambda: load({}, {"CELERY_TUI_READ_ONLY": url}),
        lambda: why_not(Settings(result_backend=url)),
        lambda: database_link.engine_for(url, {}).name,
    )
    for attempt in attempts:
        with contextlib.suppress(ValueError):
            assert MARK not in said(attempt)


def said(attempt: Callable[[], object]) -> str:
    """What it gives, or the sentence with which it refuses."""
    try:
        return repr(attempt())
    except TuiError as error:
        return f"{error} {error!r}"


@given(odd_urls)
def test_a_file_gives_the_url_as_it_is_written(one: Odd) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=MARK) as file:
        file.write(f"\n{one.url}\n# the old one\n")
        file.flush()
        assert read_broker_file(Path(file.name)) == one.url.strip()


PLAIN = st.text("/?#:,%()[]{}<>=+|~^$!*-_.0159éß漢", max_size=5)
"""What a password may hold that stands in a sentence of which nothing is known."""


@many
@given(
    st.sampled_from(("amqp", "redis", "db+postgresql", "mongodb")),
    st.sampled_from(("", "ops", "ops@tenant", "us;er")),
    st.tuples(PLAIN, PLAIN).map(MARK.join),
    st.sampled_from(SENTENCES),
)
def test_no_sentence_holds_the_secret_of_a_url_that_nobody_named(
    scheme: str, user: str, secret: str, sentence: str
) -> None:
    url = f"{scheme}://{user}:{secret}@broker.eu:5672/0"
    for text in (sentence.replace("{}", one) for one in (url, repr(url), json.dumps(url))):
        assert MARK not in urls.in_text(text)
        assert MARK not in redact_text(text)
        assert "broker.eu:5672/0" in urls.in_text(text)


@pytest.mark.parametrize("cut", [";", " ", "'", '"'])
@given(st.sampled_from(("amqp", "redis")), st.sampled_from(("", "ops", "ops@tenant")))
def test_what_was_cut_before_its_at_sign_is_hidden_to_its_end(
    cut: str, scheme: str, user: str
) -> None:
    piece = f"{scheme}://{user}:{MARK}"
    assert MARK not in urls.redact(piece) + urls.redact(f"{piece}{cut}")
    for text in (piece, f"{piece}{cut}", f"no: {piece}{cut} and so on"):
        assert MARK not in urls.in_text(text)
    whole = f"no: {piece}{cut}{MARK}@host and celery@w1"
    assert MARK not in urls.in_text(whole)


@many
@given(odd_urls)
def test_a_traceback_holds_no_secret(one: Odd) -> None:
    try:
        try:
            raise ValueError(one.url)
        except ValueError as error:
            raise RuntimeError(f"because of {error!r}") from error
    except RuntimeError as error:
        text = "".join(traceback.format_exception(error))
    assert MARK not in urls.clean(text, one.url)
