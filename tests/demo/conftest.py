"""A temp directory of its own for each test: other demos on this machine are not touched."""

import os
import tempfile
from pathlib import Path

import pytest

from celery_tui.demo.broker import server_program
from celery_tui.demo.processes import command_lines
from celery_tui.errors import DemoError

from ..conftest import missing


@pytest.fixture(autouse=True)
def own_temp_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temp directory of this process and of all it starts."""
    try:
        server_program()
    except DemoError as error:
        missing(error.hint)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def processes_of(text: object) -> list[str]:
    """Command lines that contain a text, this process excepted."""
    return [line for pid, line in command_lines() if str(text) in line and pid != os.getpid()]
