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
