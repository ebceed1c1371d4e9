"""What workers answer when asked: one broadcast a question, each reply handed on as it comes."""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import msgspec

from ..errors import BrokerBlocked
from ..links.asking import Answer, Mailbox
from ..links.kombu_link import NO_BROADCAST, broadcasts, latency_ms, opened, until_unblocked
from ..links.mailbox import mailbox
from ..links.site import Site
from ..model.observations import Reply, RoundEnded
from .base import Source
from .inbox import Inbox

if TYPE_CHECKING:
    from kombu.connection import Connection

log = logging.getLogger(__name__)

FIRST = ("ping", "active_queues", "active", "stats", "reserved", "scheduled", "registered")
"""All questions, in the order in which they are first asked."""
OFTEN = frozenset({"active", "reserved", "ping"})
OFTEN_WITH_SCHEDULED = OFTEN | {"scheduled"}
TIMEOUT_S = 1.5
"""How long a worker may take; later answers still count, but the round has ended without it."""
LATE_S = 120.0
"""How long an answer is still understood."""
PING_EVERY_S = 10.0
SELDOM_EVERY_S = 60.0
OFTEN_AT_LEAST_S, OFTEN_AT_MOST_S, WORKERS_A_SECOND = 5.0, 60.0, 10
CHECK_EVERY_S = 1.0
TURN_S = 0.25
"""Longest wait before the thread looks whether it shall stop or ask."""


class Round(msgspec.Struct):
    """One question that is out; times are epoch seconds, ``deadline`` is monotonic."""

    question: str
    asked_at: float
    deadline: float
    everybody: bool
    """Asked of all workers: who is silent then says something."""
    answered: set[str] = msgspec.field(default_factory=set)
    ended: bool = False
    receivers: int | None = None
    standing: frozenset[str] | None = None


class InspectSource(Source):
    """Asks in the rhythm that the broker can bear; questions are out side by side.

    A round ends when every worker in ``known`` has answered or its time is up. Answers that
    come later, and those of workers nobody knew, are handed on all the same.
    """

    name = "inspect"
    refusal = "asking workers is not permitted: names from events only"

    def __init__(self, inbox: Inbox, site: Site) -> None:
        super().__init__(inbox)
        self.site = site
        self.known: frozenset[str] = frozenset()
        """Workers whose answer is worth waiting for; set by the monitor."""
        self.often = OFTEN
        """Questions asked every few seconds; set by the monitor."""
        self._asked: deque[tuple[str, tuple[str, ...]]] = deque()
        self._due: dict[str, float] = {}
        self._rounds: dict[str, Round] = {}
        self._warned = False
        self._unheard = set(FIRST)
        """Questions that not everybody had time to answer yet, since the start."""
        self._oid = str(uuid.uuid4())

    def ask(self, question: str, workers: tuple[str, ...] = ()) -> None:
        """Ask soon, all workers or those named; from any thread."""
        if (question, workers) not in self._asked:
            self._asked.append((question, workers))

    def session(self) -> None:
        """Ask and listen until stopped or the link is lost."""
        self._rounds.clear()
        with opened(self.site) as connection:
            if not broadcasts(connection):
                self.off(NO_BROADCAST)
                return
            if connection.transport.driver_type != "redis":
                # The broker may hold on to the reply queue of a link that was lost.
                self._oid = str(uuid.uuid4())
            with self._mailbox(connection) as box:
                self._due = dict.fromkeys(FIRST, 0.0)
                while not self.stopping.is_set():
                    try:
                        self._converse(connection, box)
                    except BrokerBlocked as error:
                        self._rounds.clear()
                        self.refusing(error)
                        until_unblocked(connection, self.stopping)

    def _mailbox(self, connection: Connection) -> AbstractContextManager[Mailbox]:
        return mailbox(connection, self.site, self._oid)

    def _converse(self, connection: Connection, box: Mailbox) -> None:
        next_check = 0.0
        while not self.stopping.is_set():
            now = time.monotonic()
            for question, workers in self._to_ask(now):
                self._send(box, question, workers)
            for answer in box.answers(TURN_S, urgent=self._open()):
                self._hand_on(answer)
            self._end_rounds(time.monotonic(), box)
            if not next_check:
                self.live()  # only now: it was permitted to ask
            if now >= next_check:
                self.live(latency_ms(connection))
                next_check = now + CHECK_EVERY_S
            if self._unheard:
                self._hear_out(time.monotonic())

    def _hear_out(self, now: float) -> None:
        rounds = self._rounds.values()
        self._unheard -= {one.question for one in rounds if is_heard(one, self.known, now)}
        if not self._unheard:
            self.answered()

    def _to_ask(self, now: float) -> Iterator[tuple[str, tuple[str, ...]]]:
        while self._asked:
            question, workers = self._asked.popleft()
            if not workers:
                self._due[question] = 0.0
            else:
                yield question, workers
        for question, due in self._due.items():
            if now >= due:
                self._due[question] = now + period_s(question, len(self.known), self.often)
                yield question, ()

    def _send(self, box: Mailbox, question: str, workers: tuple[str, ...]) -> None:
        ticket = str(uuid.uuid4())
        self._rounds[ticket] = Round(
            question, time.time(), time.monotonic() + TIMEOUT_S, not workers
        )
        box.ask(question, ticket, workers)
        self._rounds[ticket].receivers = box.receivers

    def _open(self) -> bool:
        return any(not one.ended for one in self._rounds.values())

    def _hand_on(self, answer: Answer) -> None:
        asked = self._rounds.get(answer.ticket)
        if answer.error and not self._warned:
            self._warned = True
            log.warning("an answer of a worker cannot be read: %s", answer.error)
        if asked is None:
            return
        for hostname, payload in answer.replies.items():
            asked.answered.add(hostname)
            self.inbox.put(Reply(asked.question, hostname, payload, asked.asked_at, time.time()))

    def _end_rounds(self, now: float, box: Mailbox) -> None:
        for ticket, one in list(self._rounds.items()):
            if not one.ended and self._is_over(one, now):
                one.ended = True
                if one.everybody:
                    if one.question == "ping":
                        one.standing = box.standing(self.known - one.answered)
                    self._tell_end(one)
            if now > one.deadline + LATE_S:
                del self._rounds[ticket]

    def _is_over(self, one: Round, now: float) -> bool:
        return now >= one.deadline or (bool(self.known) and self.known <= one.answered)

    def _tell_end(self, one: Round) -> None:
        answered = frozenset(one.answered)
        self.inbox.put(
            RoundEnded(
                one.question, one.asked_at, time.time(), answered, one.receivers, one.standing
            )
        )


def is_heard(one: Round, known: frozenset[str], now: float) -> bool:
    """Whether all have answered a question, or had twice the time: workers may be busy, too."""
    if not one.everybody:
        return False
    if now >= one.deadline + TIMEOUT_S:
        return True
    if one.receivers is not None:
        return len(one.answered) >= max(one.receivers, len(known))
    return now >= one.deadline and bool(known) and known <= one.answered


def period_s(question: str, workers: int, often: frozenset[str] = OFTEN) -> float:
    """Seconds between two times a question is asked of a fleet of that size."""
    if question not in often:
        return SELDOM_EVERY_S
    at_least = PING_EVERY_S if question == "ping" else OFTEN_AT_LEAST_S
    return min(max(at_least, workers / WORKERS_A_SECOND), OFTEN_AT_MOST_S)
