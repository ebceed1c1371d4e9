"""The processes of the demo cluster: their command lines, environment and worker names."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from .broker import backend_url, broker_url
from .rundir import marker

ERROR_MARK = "error\t"
"""Begins the line in which the supervisor says why it ends: mark, title, tab, hint."""

_PACKAGE = __package__ or "celery_tui.demo"
_PYTHON = (sys.executable, "-P")
"""-P: nothing is imported from the directory the person happens to be in."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process."""

    hostname: str
    """Node name, as in `celery worker -n`."""
    pool: str
    """`prefork` or `threads`."""
    queues: str
    """Queues it consumes, separated by commas."""


WORKERS = (
    Worker("pay-worker@demo", "prefork", "default,pay"),
    Worker("media-worker@demo", "threads", "pdf,crm,mail,reports"),
)


def worker_command(worker: Worker, directory: Path, *, plain: bool) -> list[str]:
    """Command line of a worker; critical messages only, so that nothing grows for days."""
    command = [*_PYTHON, "-m", "celery", "-A", f"{_PACKAGE}.app", "worker"]
    command += ["-n", worker.hostname, "-P", worker.pool, "-c", "4", "-Q", worker.queues]
    command += ["--loglevel", "CRITICAL", f"{marker(directory)}{worker.hostname}.pid"]
    return command if plain else [*command, "-E"]


def traffic_command(rate: float) -> list[str]:
    """Command line of the traffic; it ends when its stdin closes."""
    return [*_PYTHON, "-m", f"{_PACKAGE}.traffic", "--rate", str(rate)]


def supervisor_command(*arguments: str) -> list[str]:
    """Command line of the supervisor; it ends when its stdin closes."""
    return [*_PYTHON, "-m", f"{_PACKAGE}.supervisor", *arguments]


def environment(port: int, directory: Path, *, plain: bool) -> dict[str, str]:
    """Environment of workers and traffic, without the person's own Celery settings.

    CELERY_BROKER_URL in the environment overrides an app's broker (celery.app.base.Celery).
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CELERY")}
    # A pool process that is killed leaves its temporary folder: it shall go with the demo's own.
    kept |= {"TMPDIR": str(directory)}
    kept |= {"SHOP_BROKER_URL": broker_url(port), "SHOP_RESULT_BACKEND": backend_url(port)}
    return {**kept, "SHOP_PLAIN": "1" if plain else ""}
