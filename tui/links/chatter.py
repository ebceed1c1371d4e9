"""What the drivers that we use tell of themselves: no project's configuration makes it more."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

DRIVERS = (
    "amqp", "asyncio", "billiard", "kombu", "psycopg", "pymemcache", "pymongo", "redis",
    "sqlalchemy", "vine",
)  # fmt: skip
"""A root logger at DEBUG, as a project may want it, has some of them say each command we send."""
OURS = "celery_tui"


def is_ours(name: str) -> bool:
    """Whether a logger is our own, or of a driver that works for us."""
    return name.partition(".")[0] in (OURS, *DRIVERS)


def quieten() -> list[tuple[logging.Logger, int]]:
    """Let them tell warnings and worse; returns what was asked of them before."""
    changed = [(logger, logger.level) for logger in _loggers() if _tells_more(logger)]
    for logger, _ in changed:
        logger.setLevel(logging.WARNING)
    return changed


def restore(levels: Iterable[tuple[logging.Logger, int]]) -> None:
    """Put back what was asked of them; of the same one the oldest counts."""
    for logger, level in reversed(list(levels)):
        logger.setLevel(level)


def _tells_more(logger: logging.Logger) -> bool:
    if logger.level == logging.NOTSET:
        return logger.name in DRIVERS
    return logger.level < logging.WARNING


def _loggers() -> Iterator[logging.Logger]:
    yield from map(logging.getLogger, DRIVERS)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        driver, dot, _ = name.partition(".")
        if dot and driver in DRIVERS and isinstance(logger, logging.Logger):
            yield logger
