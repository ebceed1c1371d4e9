"""A source: own daemon thread, connection, back-off and health; it only appends to the Inbox."""

from __future__ import annotations

import logging
import random
import threading
import time

from ..errors import TuiError
from ..links.redis_link import NotPermitted
from ..links.redis_vitals import Refused
from ..model.seam import Health, Link
from .inbox import Inbox

FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 5.0
log = logging.getLogger(__name__)


class Source:
    """Runs ``session()`` again and again until stopped; each failure is told as Health.

    A subclass sets ``name`` and writes ``session()``, which connects, calls ``live()``, works
    until ``self.stopping.is_set()`` and returns; it raises TuiError when the link is lost
    (title: what happened in the broker's words, hint: what to do; no password in either).
    """

    name = ""
    refusal = "this is not permitted"
    """What the broker does not permit, in words; a subclass says it."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.stopping = threading.Event()
        self.retry_now = threading.Event()
        self._answered = threading.Event()
        self._thread: threading.Thread | None = None
        self._tries = 0
        self._lost_since: float | None = None
        self._trouble = Link.LOST
        """How the link has been since then: lost, or refused."""
        self._live_since: float | None = None
        self._refused_since: float | None = None

    def start(self) -> None:
        """Begin in a daemon thread: a blocked read never keeps the process alive."""
        thread = threading.Thread(target=self._run, name=f"source-{self.name}", daemon=True)
        thread.start()
        self._thread = thread  # only now: another thread may already want to join it

    def stop(self) -> None:
        """Ask the thread to end; does not wait."""
        self.stopping.set()
        self.retry_now.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread's end."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    @property
    def has_answered(self) -> bool:
        """Whether it has told, once, all that somebody needs who looks once; or why it cannot.

        What it told by then is in the Inbox.
        """
        return self._answered.is_set()

    def answered(self) -> None:
        """All that it can tell at once has been told; said by ``session()``."""
        self._answered.set()

    def session(self) -> None:
        """One connection's life."""
        raise NotImplementedError

    def live(
        self,
        latency_ms: float | None = None,
        limit: str = "",
        refused: Refused | None = None,
    ) -> None:
        """Tell that the connection stands; told again, it still stands since the first time.

        ``limit`` says what of it this user may not see, ``refused`` what the server takes from
        nobody.
        """
        self._tries, self._lost_since = 0, None
        now = time.time()
        self._live_since = self._live_since or now
        self._refused_since = (self._refused_since or now) if refused else None
        self.inbox.put(
            Health(
                self.name, Link.LIVE, self._live_since,
                limit or (refused.title if refused else None), refused.hint if refused else None,
                latency_ms=latency_ms, at=now, refused=bool(limit),
                refusal=refused.kind if refused else "",
                refused_since=self._refused_since, facts=refused.facts if refused else "",
            )
        )  # fmt: skip

    def off(self, why: str, hint: str = "") -> None:
        """Tell that there is nothing to read from, by configuration."""
        now = time.time()
        self.inbox.put(Health(self.name, Link.OFF, now, error=why, hint=hint, at=now))
        self.answered()

    def refusing(self, error: TuiError) -> None:
        """Tell that the server stands and refuses, until ``live`` is told again."""
        now = time.time()
        self._live_since, self._lost_since = None, now
        self.inbox.put(
            Health(
                self.name, Link.REFUSING, now, error.title, error.hint, at=now,
                refusal=error.refusal, refused_since=now,
            )
        )  # fmt: skip
        self.answered()

    def _run(self) -> None:
        self.inbox.put(Health(self.name, Link.CONNECTING, time.time()))
        while not self.stopping.is_set():
            try:
                self.session()
            except NotPermitted as error:
                self._refused(error)
            except TuiError as error:
                self._lost(error)
            except Exception as error:  # the thread's outermost loop: nothing may vanish silently
                log.exception("source %s failed", self.name)
                self._lost(TuiError(f"{type(error).__name__} in source {self.name}: {error}"))
            else:
                return

    def _refused(self, error: NotPermitted) -> None:
        """The broker stands and says no. Trying again changes nothing, until somebody asks."""
        if self.stopping.is_set():
            return
        self._tries, self._live_since, self._lost_since = 0, None, None
        now = time.time()
        text = f"{self.refusal} ({error.said or error.title})"
        self.inbox.put(Health(self.name, Link.OFF, now, text, error.hint, at=now, refused=True))
        self.answered()
        self.retry_now.clear()
        if not self.stopping.is_set():
            self.retry_now.wait()

    def _lost(self, error: TuiError) -> None:
        if self.stopping.is_set():
            return
        self._tries, self._live_since = self._tries + 1, None
        now = time.time()
        self._lost_since = self._lost_since or now
        pause = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** (self._tries - 1))
        pause *= random.uniform(0.8, 1.2)  # noqa: S311  jitter, not secrecy
        state = Link.REFUSING if error.refusal else Link.LOST
        if state != self._trouble:
            self._trouble, self._lost_since = state, now
        self.inbox.put(
            Health(
                self.name, state, self._lost_since, error.title, error.hint,
                retry_at=now + pause, tries=self._tries, at=now, refusal=error.refusal,
                refused_since=self._lost_since if error.refusal else None,
            )
        )  # fmt: skip
        self.answered()
        self.retry_now.clear()
        if not self.stopping.is_set():
            self.retry_now.wait(pause)
