"""Looks into a queue when somebody asks: one thread and connection, kept while it is in use."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from ..brokers import open_broker, why_not
from ..errors import TuiError
from ..model.peeked import End, Peeked, Sampled
from .inbox import Inbox

if TYPE_CHECKING:
    from ..brokers.base import Broker
    from ..settings import Settings

IDLE_S = 30.0
"""A connection that nobody needed for so long is let go."""
MOST_MESSAGES = 200
SAMPLE_MESSAGES = 500
log = logging.getLogger(__name__)


class Look(msgspec.Struct, frozen=True):
    """What somebody wants to see of a queue; no page for ``count`` 0."""

    queue: str
    end: End = End.HEAD
    offset: int = 0
    count: int = 0
    sample: int = 0
    """Messages whose task names are counted; 0: none."""
    steps: tuple[int, ...] = ()
    """Priority steps in which messages were seen."""
    asked: int = 0
    """How often somebody has asked for it who was told what it does to the messages."""


def _names_of(page: Peeked) -> Sampled:
    """The sample that a page is, where messages are not read once more for another one."""
    names = Counter(message.name for message in page.messages)
    count = len(page.messages)
    return Sampled(page.at, page.queue, dict(names), count, page.total or count)


class Peeker:
    """``ask`` from any thread; pages, samples and errors come through the Inbox."""

    def __init__(self, inbox: Inbox, settings: Settings) -> None:
        self._inbox, self._settings = inbox, settings
        self._asked: queue.SimpleQueue[Look | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._broker: Broker | None = None

    def ask(self, look: Look) -> None:
        """Look soon. A thread is started with the first question."""
        self._asked.put(look)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="peek", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, if there is one; does not wait."""
        self._asked.put(None)

    def join(self, timeout_s: float) -> None:
        """Wait for its end."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            try:
                look = self._asked.get(timeout=IDLE_S)
            except queue.Empty:
                self._let_go()
                look = self._asked.get()
            if look is None:
                self._let_go()
                return
            if self._asked.empty() or look.sample:  # who turns pages fast wants the last one
                self._answer(look)

    def _answer(self, look: Look) -> None:
        try:
            self._look(look)
        except TuiError as error:
            self._let_go()
            self._tell_error(look, error.title, error.hint)
        except Exception as error:  # the thread's outermost loop: nothing may vanish silently
            log.exception("looking into a queue failed")
            self._let_go()
            self._tell_error(look, f"{type(error).__name__} while looking into it", "See Log.")

    def _look(self, look: Look) -> None:
        broker = self._broker = self._broker or open_broker(self._settings)
        if broker is None:
            self._tell_error(look, why_not(self._settings), "")
            return
        marks = False
        if look.count:
            count = min(look.count, MOST_MESSAGES)
            page = broker.peek(
                look.queue, look.end, look.offset, count, look.steps, asked=look.asked
            )
            self._inbox.put(page)
            marks = page.marks
            if marks and page.messages:
                self._inbox.put(_names_of(page))
        if look.sample and not marks:
            count = min(look.sample, SAMPLE_MESSAGES)
            self._inbox.put(broker.sample_names(look.queue, count, look.steps))

    def _tell_error(self, look: Look, error: str, hint: str | None) -> None:
        now = time.time()
        told = Peeked(now, look.queue, look.end, look.offset, error=error, hint=hint or "")
        self._inbox.put(told)

    def _let_go(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            with contextlib.suppress(TuiError, OSError):
                broker.close()
