"""No password leaves a URL."""

import pytest

from celery_tui import urls


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://10.0.3.7:6379/0", "redis://10.0.3.7:6379/0"),
        ("redis://:hunter2@h/0", "redis://:***@h/0"),
        ("amqp://u:p@h//;amqp://v:q@i//", "amqp://u:***@h//;amqp://v:***@i//"),
        ("redis://:p@ss:w/rd@h/0", "redis://:***@h/0"),
        ("redis://h/0?password=hunter2&x=1", "redis://h/0?password=***&x=1"),
        ("redis://user@h/0", "redis://user@h/0"),
        ("", ""),
        (
            "redis://:one@a/0;rediss://u:two@b/0?ssl_password=three;redis+socket://:four@/s?x=1",
            "redis://:***@a/0;rediss://u:***@b/0?ssl_password=***;redis+socket://:***@/s?x=1",
        ),
        (
            "sentinel://u:one@h:1/0;h:2;sentinel://:two@i:3?master_name=m&sentinel_password=three",
            "sentinel://u:***@h:1/0;h:2;sentinel://:***@i:3?master_name=m&sentinel_password=***",
        ),
    ],
)
def test_what_is_shown_of_a_url_holds_no_password(url: str, shown: str) -> None:
    assert urls.redact(url) == shown


def test_a_drivers_error_is_cleaned_of_every_password_of_its_url() -> None:
    url = "redis://:one@a/0;redis://:two@b/0"
    text = urls.clean(f"cannot open {url}: bad words one, two", url)
    assert "one" not in text
    assert "two" not in text


def test_an_unknown_url_in_a_text_is_cleaned_too() -> None:
    assert "hunter2" not in urls.clean("no route to redis://:hunter2@h/0")


def test_a_driver_may_tell_a_password_as_it_reads_it() -> None:
    url = "redis://:p%40ss@h/0?sentinel_password=s%2Fx"
    said = urls.clean("AUTH p@ss, AUTH s/x, AUTH p%40ss", url)
    assert said == "AUTH ***, AUTH ***, AUTH ***"


def test_a_password_within_another_leaves_nothing_of_it() -> None:
    url = "redis://:hunter@a/0;redis://:hunter2@b/0"
    assert urls.clean("first hunter2 then hunter", url) == "first *** then ***"


def test_a_page_in_a_text_is_no_secret_and_what_is_one_is_hidden_twice() -> None:
    text = "see https://example.org:8080/path?a=b@c, path 8080"
    assert urls.clean(text) == text
    text = "cannot open redis://:hunter2@h/0 with hunter2"
    assert urls.clean(text) == text.replace("hunter2", "***")


def test_a_port_is_not_taken_for_a_password_of_the_next_url() -> None:
    text = "The broker redis://a:6379 is gone, try redis://:hunter2@b:6379/0 instead"
    assert urls.clean(text) == text.replace("hunter2", "***")


def test_a_password_that_no_url_holds_is_hidden_when_it_is_known() -> None:
    options = {"sentinel_kwargs": {"password": "hunter2", "db": 0}, "master_name": "m"}
    words = urls.secret_words(options)
    assert words == ("hunter2",)
    assert urls.clean("kwargs {'password': 'hunter2'}", *words) == "kwargs {'password': '***'}"
