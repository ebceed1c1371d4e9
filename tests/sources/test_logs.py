"""What is logged and printed comes into the Log once, in its own words, and leaves no trace."""

from __future__ import annotations

import logging
import os
import pty
import select
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from celery_tui.links import chatter
from celery_tui.model.seam import LogLine
from celery_tui.prints import AT_ONCE
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.logs import Logs

NAMES = ("", "shop", "shop.own", "redis", "redis.connection", "kombu", "celery_tui")


class Console:
    """A terminal."""

    def __init__(self) -> None:
        self.leader, follower = pty.openpty()
        self.stream = open(follower, "w", buffering=1, encoding="utf-8")  # noqa: SIM115

    def handler(self) -> logging.StreamHandler[TextIO]:
        """One that writes to it."""
        return logging.StreamHandler(self.stream)

    def shows(self) -> str:
        """What was written to it."""
        ready, _, _ = select.select([self.leader], [], [], 0.2)
        return os.read(self.leader, 10_000).decode().replace("\r\n", "\n") if ready else ""


@pytest.fixture
def console() -> Iterator[Console]:
    """A terminal of one's own."""
    console = Console()
    yield console
    console.stream.close()
    os.close(console.leader)


@pytest.fixture
def project(console: Console) -> Iterator[logging.Logger]:
    """A project that logs to its console at DEBUG, and some of it elsewhere."""
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(one, one.level, list(one.handlers), one.propagate) for one in loggers]
    logging.getLogger().setLevel(logging.DEBUG)
    logging.getLogger().addHandler(console.handler())
    logging.getLogger("redis.connection").setLevel(logging.DEBUG)
    own = logging.getLogger("shop.own")
    own.propagate = False
    own.addHandler(console.handler())
    yield logging.getLogger("shop")
    for logger, level, handlers, propagate in before:
        logger.setLevel(level)
        logger.handlers[:], logger.propagate = handlers, propagate


def lines(inbox: Inbox) -> list[tuple[str, str, str, bool]]:
    """What came in."""
    found = [line for line in iter(inbox.take, None) if isinstance(line, LogLine)]
    return [(line.kind, line.level, line.text, line.printed) for line in found]


def test_each_record_comes_in_once_and_reaches_no_console(
    console: Console, project: logging.Logger, tmp_path: Path
) -> None:
    inbox, file = Inbox(), tmp_path / "log"
    logs = Logs(inbox, file, "shop")
    logs.install()
    project.debug("small")
    project.warning("large")
    logging.getLogger("shop.own").error("own")
    for name in ("redis.connection", "kombu.new", "celery_tui.monitor"):
        logging.getLogger(name).debug("chatter")
    logging.getLogger("redis.connection").warning("lost")
    logs.remove()
    project.warning("afterwards")
    assert lines(inbox) == [
        ("shop", "info", "small", True),
        ("shop", "warn", "large", False),
        ("shop.own", "crit", "own", False),
        ("redis.connection", "warn", "lost", False),
    ]
    told = [line.split(" ", 2)[2] for line in file.read_text(encoding="utf-8").splitlines()]
    assert told == [
        "DEBUG shop: small", "WARNING shop: large", "ERROR shop.own: own",
        "WARNING redis.connection: lost",
    ]  # fmt: skip
    assert console.shows() == "afterwards\n"
    assert logging.getLogger("redis.connection").level == logging.DEBUG


def test_a_console_that_is_made_later_is_found_once_it_prints(
    console: Console, project: logging.Logger
) -> None:
    inbox = Inbox()
    logs = Logs(inbox, None, "shop")
    logs.install()
    late = console.handler()
    project.addHandler(late)
    assert not late.filters
    logs.printed(1e12, "a line of it")
    assert late.filters
    logs.remove()
    assert not late.filters
    assert ("project", "info", "shop prints: a line of it", True) in lines(inbox)


def test_a_forked_child_writes_as_ever(project: logging.Logger) -> None:
    inbox = Inbox()
    logs = Logs(inbox)
    logs.install()
    (handler, *_) = [one for one in logging.getLogger().handlers if one.filters]
    record = logging.LogRecord("shop", logging.INFO, "", 0, "x", (), None)
    assert not handler.filter(record)
    child = os.fork()
    if not child:
        os._exit(0 if handler.filter(record) else 1)
    assert os.waitpid(child, 0)[1] == 0
    logs.remove()


def test_too_many_at_once_are_counted_and_their_warnings_are_kept(project: logging.Logger) -> None:
    inbox = Inbox()
    logs = Logs(inbox, None, "shop")
    logs.install()
    for number in range(AT_ONCE + 100):
        logs.printed(1e12, f"line {number}")
    project.error("kept all the same")
    logs.settle(1e12)
    found = lines(inbox)
    assert len(found) == AT_ONCE + 2
    assert found[-2:] == [
        ("shop", "crit", "kept all the same", False),
        ("project", "warn", "100 lines of shop left out: too many at once", False),
    ]
    logs.remove()


def test_passwords_that_a_project_prints_are_hidden(project: logging.Logger) -> None:
    inbox = Inbox()
    logs = Logs(inbox, None, "shop")
    logs.install(("redis://:hunter2@h/0",))
    logs.printed(1.0, "broker amqp://u:other@h and hunter2")
    project.debug("redis://:hunter2@h/0")
    logs.remove()
    assert not [line for line in lines(inbox) if "hunter2" in line[2] or "other" in line[2]]


def test_a_log_file_that_is_full_is_told_once_and_no_more(
    console: Console, project: logging.Logger
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs a device that is full")
    inbox = Inbox()
    logs = Logs(inbox, Path("/dev/full"), "shop")
    logs.install()
    for number in range(5):
        logs.printed(1.0, f"line {number}")
    logs.remove()
    told = [text for kind, _, text, _ in lines(inbox) if kind == "log"]
    assert told == ["the log file /dev/full cannot be written any more"]
    assert console.shows() == ""


def test_what_drivers_tell_of_themselves_can_only_become_less() -> None:
    logger = logging.getLogger("amqp.channel")
    before, vine = logger.level, logging.getLogger("vine").level
    try:
        logger.setLevel(logging.ERROR)
        levels = chatter.quieten()
        assert logger.level == logging.ERROR
        assert chatter.quieten() == []
        chatter.restore(levels)
        assert logging.getLogger("vine").level == vine
    finally:
        logger.setLevel(before)
