"""Celery apps that lie in the folder in which we were started. Nothing is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

PATTERNS = ("*/celery.py", "*.py", "*/*/celery.py")
"""A Django project's app, a tutorial's tasks.py, a package in a folder."""
LOOKED_AT = 200
"""Files read at most: we may have been started in a home directory."""
MAKES_AN_APP = re.compile(rb"^\w+\s*(?::[^=\n]+)?=\s*(?:celery\.)?Celery\(", re.MULTILINE)
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


@dataclass(frozen=True, slots=True)
class Project:
    """A file that makes a Celery app."""

    path: str
    """As a person would type it: ``./proj/celery.py``."""
    app: str
    """For ``-A``: ``proj``."""


def projects(folder: Path) -> list[Project]:
    """Apps at the usual places in ``folder``."""
    found = []
    for path in islice(_candidates(folder), LOOKED_AT):
        name = _app_name(path.relative_to(folder))
        if name and _makes_an_app(path):
            found.append(Project(f"./{path.relative_to(folder)}", name))
    return found


def _candidates(folder: Path) -> Iterator[Path]:
    for pattern in PATTERNS:
        try:
            yield from sorted(islice(folder.glob(pattern), LOOKED_AT))
        except OSError:
            continue


def _app_name(path: Path) -> str:
    """What ``-A`` takes; empty when the file cannot be imported from here."""
    parts = path.parent.parts if path.name == "celery.py" else path.with_suffix("").parts
    name = ".".join(parts)
    return name if NAME.fullmatch(name) else ""


def _makes_an_app(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return MAKES_AN_APP.search(file.read(64 * 1024)) is not None
    except OSError:
        return False
