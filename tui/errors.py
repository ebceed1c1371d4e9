"""Errors that a person reads: each says what happened and what to do about it.

TuiError
├── BrokerError      the broker cannot be reached, refuses us, or its driver is missing
│   └── BrokerBlocked    it stands, and takes no messages from anybody
├── BackendError     the same for the result backend
├── AppError         a Celery app (``-A``) cannot be loaded
├── SettingsError    an option, environment variable or file is wrong
├── ActionError      an act was refused before anything was sent
└── DemoError        the demo cluster could not be started
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import urls

if TYPE_CHECKING:
    from .settings import Settings


class TuiError(Exception):
    """One clear sentence (``title``) and what to do next (``hint``).

    Neither may hold a password: pass URLs through ``urls.redact``, and what a driver says through
    ``urls.clean`` first. A URL in a title that somebody forgot is hidden here; in hints stand
    examples. ``refusal`` is the kind (``refusals.TABLE``) where the server stands and answers that;
    empty: it does not.
    """

    refusal = ""

    def __init__(self, title: str, hint: str = "") -> None:
        title = urls.in_text(title)
        super().__init__(title)
        self.title = title
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.title}. {self.hint}" if self.hint else self.title


class Unexpected(Exception):
    """A mistake of ours that ended the dashboard, and what was known by then to be secret."""

    def __init__(self, error: Exception, settings: Settings) -> None:
        super().__init__(type(error).__name__)
        self.error = error
        self.settings = settings


class BrokerError(TuiError):
    """The broker cannot be reached, refuses us, or its driver is missing."""


class BrokerBlocked(BrokerError):
    """The broker stands, and takes no messages from anybody (RabbitMQ's alarms)."""

    refusal = "alarm"


class BackendError(TuiError):
    """The result backend cannot be reached or read."""


class AppError(TuiError):
    """The Celery app named with ``-A`` cannot be loaded."""


class SettingsError(TuiError):
    """An option, an environment variable or a file holds something unusable."""


class ActionError(TuiError):
    """An act was refused before anything was sent."""


class DemoError(TuiError):
    """The demo cluster could not be started."""
