"""One act's own connections: made in its thread, used by nobody else, closed after."""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .. import backends, brokers
from ..errors import ActionError, BackendError
from ..links.asking import Answer, Mailbox
from ..links.kombu_link import broadcasts
from ..links.mailbox import lent_oid, mailbox
from ..links.site import site_of

if TYPE_CHECKING:
    from celery import Celery
    from kombu.connection import Connection

    from ..backends.base import Backend
    from ..brokers.base import Broker
    from .base import Context

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 3.0
NOT_FOUND = "404"


class Wire:
    """Asks workers and sends tasks, through Celery's own protocol."""

    def __init__(self, context: Context, connection: Connection, stack: ExitStack) -> None:
        self.connection = connection
        self._context, self._stack = context, stack

    @cached_property
    def app(self) -> Celery:
        """The user's Celery app, or one of our own that knows nothing of their project."""
        if self._context.app is not None:
            return self._context.app
        from celery import Celery

        return Celery("celery-tui", set_as_current=False)

    @cached_property
    def broker(self) -> Broker:
        """What lies in the broker; opened at the first use. Raises ActionError if unreadable."""
        broker = brokers.open_broker(self._context.settings)
        if broker is None:
            raise ActionError("This broker's messages cannot be moved or read here")
        return self._stack.enter_context(contextlib.closing(broker))

    @cached_property
    def backend(self) -> Backend | None:
        """The result backend; opened at the first use. None: there is none, or it is away."""
        try:
            backend = backends.open_backend(self._context.settings)
        except BackendError:
            return None
        if backend is not None:
            self._stack.enter_context(contextlib.closing(backend))
        return backend

    def ask(
        self,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        destination: Sequence[str] = (),
        expected: int = 0,
        timeout_s: float = ANSWER_WITHIN_S,
    ) -> dict[str, Any]:
        """Each worker's answer to a remote control command, by node name.

        Returns once ``expected`` workers (or all of ``destination``) have answered, else after
        ``timeout_s``; without ``destination`` it goes to all. A broker that cannot broadcast
        reaches nobody. Two workers of one name: an error reply wins.
        """
        if not broadcasts(self.connection):
            return {}
        ticket = str(uuid.uuid4())
        self._mailbox.ask(command, ticket, destination, arguments)
        enough = len(destination) or expected
        until = time.monotonic() + timeout_s
        answers: dict[str, Any] = {}
        while (left_s := until - time.monotonic()) > 0 and not 0 < enough <= len(answers):
            for answer in self._mailbox.answers(left_s, urgent=True):
                _collect(answers, answer, ticket)
        return answers

    def depth(self, queue: str) -> int | None:
        """Messages that wait in a queue, over Celery's priorities; None if it is not told."""
        try:
            # A refusal closes an AMQP channel: this one is for the question alone.
            with self.connection.channel() as channel:
                return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except self.connection.channel_errors as error:
            # Redis has no list for an empty queue.
            return 0 if str(getattr(error, "reply_code", "")) == NOT_FOUND else None

    @cached_property
    def _mailbox(self) -> Mailbox:
        """Where this act's answers come in; made at the first question."""
        site = site_of(self._context.settings, self._context.app)
        oid = self._stack.enter_context(lent_oid())
        return self._stack.enter_context(mailbox(self.connection, site, oid))


def _collect(answers: dict[str, Any], answer: Answer, ticket: str) -> None:
    """Keep what answers this question; of two workers of one name an error."""
    if answer.error:
        log.warning("an answer of a worker cannot be read: %s", answer.error)
    if answer.ticket != ticket:
        return
    for hostname, payload in answer.replies.items():
        if not error_of(answers.get(hostname)):
            answers[hostname] = payload


def error_of(answer: Any) -> str:
    """The worker's own words if it refused; empty if it did not."""
    return str(answer["error"]) if isinstance(answer, dict) and "error" in answer else ""


@contextlib.contextmanager
def connected(context: Context) -> Iterator[Wire]:
    """A Wire of the calling thread's own. Raises BrokerError, also for a link lost midway."""
    with ExitStack() as stack:
        yield Wire(context, stack.enter_context(context.connect()), stack)
