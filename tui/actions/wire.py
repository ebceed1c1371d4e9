"""One act's own connections: made in its thread, used by nobody else, closed after."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .. import backends, brokers
from ..errors import ActionError, BackendError

if TYPE_CHECKING:
    from celery import Celery
    from kombu.connection import Connection

    from ..backends.base import Backend
    from ..brokers.base import Broker
    from .base import Context

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

        Returns once ``expected`` workers have answered, else after ``timeout_s``; without
        ``destination`` it goes to all. Two workers of one name: an error reply wins.
        """
        words = dict(arguments or {})
        if destination:
            chosen = list(destination)
            return _by_hostname(self._mailbox.call(chosen, command, words, timeout=timeout_s))
        limit = expected or None
        return _by_hostname(
            self._mailbox.multi_call(command, words, timeout=timeout_s, limit=limit)
        )

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
    def _mailbox(self) -> Any:
        """Celery's mailbox without its producer pool, which all threads of a process share."""
        from kombu.pidbox import Mailbox

        conf = self.app.conf
        return Mailbox(
            conf.control_exchange,
            type="fanout",
            accept=conf.accept_content,
            serializer=conf.task_serializer,
            queue_ttl=conf.control_queue_ttl,
            reply_queue_ttl=conf.control_queue_ttl,
            queue_expires=conf.control_queue_expires,
            reply_queue_expires=conf.control_queue_expires,
        )(self.connection)


def _by_hostname(replies: Any) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for reply in replies or ():
        if not isinstance(reply, dict):
            continue
        for hostname, answer in reply.items():
            if not (hostname in answers and error_of(answers[hostname])):
                answers[str(hostname)] = answer
    return answers


def error_of(answer: Any) -> str:
    """The worker's own words if it refused; empty if it did not."""
    return str(answer["error"]) if isinstance(answer, dict) and "error" in answer else ""


@contextlib.contextmanager
def connected(context: Context) -> Iterator[Wire]:
    """A Wire of the calling thread's own. Raises BrokerError, also for a link lost midway."""
    with ExitStack() as stack:
        yield Wire(context, stack.enter_context(context.connect()), stack)
