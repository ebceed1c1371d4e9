"""Processes are told apart by id and start time, with and without /proc."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from celery_tui.demo import processes
from tests.servers import wait_for


@pytest.fixture(params=["as it is here", "ps"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to ask: /proc where there is one, and ps(1)."""
    if request.param == "ps":
        if shutil.which("ps") is None:
            pytest.skip("no ps(1) here")
        monkeypatch.setattr(processes, "_BOOT_ID", Path("/nowhere"))


@pytest.mark.usefixtures("way")
def test_a_process_keeps_its_identity_until_it_ends() -> None:
    script = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        first = processes.identity(child.pid)
        assert first is not None
        assert processes.identity(child.pid) == first
        # For a moment after its start a process has no command line yet.
        wait_for(lambda: script in dict(processes.command_lines())[child.pid], "its command line")
        child.kill()
        assert processes.wait_gone([child.pid], limit_s=30), "a zombie counts as gone"
    assert processes.identity(child.pid) is None
    assert processes.identity(os.getpid()) is not None
