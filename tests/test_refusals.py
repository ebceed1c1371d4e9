"""Which answers are refusals, by what Redis of several versions and redis-py make of them."""

import pytest
from redis import ResponseError
from redis import exceptions as errors

from celery_tui import refusals
from celery_tui.columns.why_finding import RULES
from celery_tui.triage import broker_refuses

OF_PIPELINE = "Command # 2 (LPUSH q {}) of pipeline caused error: {}"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "memory"),
        (ResponseError("OOM command not allowed when used memory > 'maxmemory'."), "memory"),
        (
            ResponseError(
                "Error running script (call to f_1): @user_script:3: @user_script: 3: "
                "-READONLY You can't write against a read only replica. "
            ),
            "replica",
        ),
        (ResponseError("BUSY Redis is busy running a script."), "script"),
        (ResponseError(OF_PIPELINE.format("x", "MISCONF Redis is configured to save")), "save"),
        (ResponseError("MOVED 866 127.0.0.1:7001"), "cluster"),
        (ResponseError("SELECT is not allowed in cluster mode"), "cluster"),
        (errors.AuthenticationError("invalid username-password pair"), "password"),
        (errors.AuthenticationError("Authentication required."), "no-password"),
        (
            errors.AuthenticationError(
                "AUTH <password> called without any password configured for the default user. "
                "Are you sure your configuration is correct?"
            ),
            "needless-password",
        ),
        (errors.BusyLoadingError("Redis is loading the dataset in memory"), "loading"),
    ],
)  # fmt: skip
def test_a_refusal_is_known_by_its_code_or_its_class(error: Exception, kind: str) -> None:
    found = refusals.of(error)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    "error",
    [
        ResponseError("BUSYGROUP Consumer Group name already exists"),
        ResponseError("BUSYKEY Target key name already exists."),
        ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
        ResponseError(OF_PIPELINE.format("OOM -OOM -BUSY BUSY ", "unknown command 'LPOS'")),
        errors.NoPermissionError("this user has no permissions to run the 'eval' command"),
        errors.ConnectionError("Connection closed by server."),
        errors.TimeoutError("Timeout reading from socket"),
    ],
)
def test_what_is_none_is_not_called_one(error: Exception) -> None:
    found = refusals.of(error)
    assert found is None


def test_of_a_pipeline_only_the_servers_words_are_kept() -> None:
    error = ResponseError(OF_PIPELINE.format("a secret) of pipeline caused error: x", "OOM no"))
    assert refusals.said(error) == "OOM no"


def test_each_kind_has_a_rule_in_words_a_hint_and_a_reason_that_fits() -> None:
    for one in refusals.TABLE:
        assert one.rule in broker_refuses.RULES
        assert one.rule in RULES
        assert one.hint.endswith((".", "…"))
        assert len(one.reason()) <= 60
        assert "lost" not in one.sentence("The broker redis://h")
