"""What the user asked for: flags, then environment, then defaults. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from . import urls
from .errors import SettingsError


@dataclass(frozen=True, slots=True)
class Settings:
    """One run's settings; nobody changes them afterwards."""

    broker: str | None = field(default=None, repr=False)
    """Broker URL as kombu takes it; ``a;b`` are failover alternates. None: the start screen."""
    result_backend: str | None = field(default=None, repr=False)
    """Result backend URL as Celery takes it; None: results are not read."""
    management_url: str | None = field(default=None, repr=False)
    """RabbitMQ's management API; None: what AMQP itself does not tell stays unknown."""
    app: str | None = None
    """Dotted name of a Celery app (``-A``), imported only when asked for."""
    config_module: str | None = None
    """Module that configures Celery where no app is named, as for Celery's own default app."""
    celery_app: Any = field(default=None, compare=False, repr=False)
    """The app itself, once imported: it knows TLS and transport options besides the URL."""
    key_prefix: str = ""
    """``global_keyprefix`` of the Redis transport."""
    read_only: bool = False
    """Nothing that could write to the cluster is even constructed."""
    log_file: Path | None = None
    """Where the log goes besides the Log screen; None: nowhere."""
    theme: str = ""
    """night, paper, ansi or mono; empty: chosen from the terminal."""
    ascii: bool | None = None
    """Only ASCII glyphs; None: chosen from locale and TERM."""
    no_diff: bool = False
    """Everything painted is sent, as Textual does it; else only the cells that changed."""
    demo: bool = False
    """The dashboard starts and ends an embedded demo cluster."""
    plain_cluster: bool = False
    """The demo cluster runs with Celery's defaults (no ``-E``, nothing extended)."""
    max_tasks: int = 50_000
    """Finished tasks kept; running ones are never evicted, failures have a ring of their own."""
    max_failures: int = 10_000
    """Failed tasks kept."""


# setting -> environment variables, the first that is set wins
ENVIRONMENT: Mapping[str, tuple[str, ...]] = {
    "broker": ("CELERY_TUI_BROKER", "CELERY_BROKER_URL"),
    "result_backend": ("CELERY_TUI_RESULT_BACKEND", "CELERY_RESULT_BACKEND"),
    "management_url": ("CELERY_TUI_MANAGEMENT_URL",),
    "app": ("CELERY_TUI_APP",),
    "config_module": ("CELERY_CONFIG_MODULE",),
    "key_prefix": ("CELERY_TUI_KEY_PREFIX",),
    "read_only": ("CELERY_TUI_READ_ONLY",),
    "log_file": ("CELERY_TUI_LOG",),
    "theme": ("CELERY_TUI_THEME",),
    "ascii": ("CELERY_TUI_ASCII",),
    "no_diff": ("CELERY_TUI_NO_DIFF",),
}
THEMES = ("night", "paper", "ansi", "mono")


def load(flags: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``flags`` (None means "not given"), then ``environ``, then defaults.

    Raises SettingsError, naming the flag or the variable, for a value that cannot be used.
    """
    environ = os.environ if environ is None else environ
    given = _from_environment(environ)
    given.update({name: value for name, value in flags.items() if value is not None})
    known = {field.name for field in fields(Settings)}
    settings = replace(Settings(), **{name: given[name] for name in given if name in known})
    if settings.theme and settings.theme not in THEMES:
        raise SettingsError(
            f"No theme is called {settings.theme!r}", f"Use one of {', '.join(THEMES)}."
        )
    return settings


def read_broker_file(path: Path) -> str:
    """The broker URL in a file's first line, so that a password stays out of ``ps``.

    Raises SettingsError if the file cannot be read or is empty.
    """
    try:
        lines = path.read_text(encoding="utf-8").strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        # The error of a wrong byte would tell a part of what is in the file.
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(
            f"Cannot read the broker file {path}: {why}", "Give a file that holds one URL."
        ) from None
    if not lines:
        raise SettingsError(
            f"The broker file {path} is empty", "Write the broker URL into its first line."
        )
    return lines[0].strip()


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, variables in ENVIRONMENT.items():
        for variable in variables:
            if environ.get(variable):
                found[name] = _convert(name, variable, environ[variable])
                break
    return found


def _convert(name: str, variable: str, text: str) -> Any:
    if name == "log_file":
        return Path(text)
    if name in {"read_only", "ascii", "no_diff"}:
        return _flag(variable, text)
    return text


def _flag(variable: str, text: str) -> bool:
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise SettingsError(f"{variable}={urls.redact(text)!r} is neither yes nor no", "Use 1 or 0.")
