"""In tmux every cell is what the app means, whatever is done to the pane."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import missing
from tests.servers import wait_for
from tests.terminals.cells import Cells, painted
from tests.terminals.emulator import Pty
from tests.terminals.shown import ROOT, Shown

WIDTH, HEIGHT = 100, 30
NAMES = (
    "pay.charge",
    "支払い.領収書を送る",
    "e\u0301tude.ne\u0301e",
    "grün.straße",
    "a漢b字",
    "mail",
)
SCRIBBLE = "\x1b[41mSCRIBBLE\x1b[m"


class Tmux:
    """A server of our own, which reads nobody's configuration."""

    def __init__(self, folder: Path, term: str, **env: str) -> None:
        self.program = shutil.which("tmux") or ""
        if not self.program:
            missing("needs a tmux on PATH")
        self.name = f"celery-tui-{uuid.uuid4().hex[:12]}"
        self.at = Shown(folder, self.cells)
        self.sockets = tempfile.mkdtemp(prefix="celery-tui-tmux-")
        self.env = self.at.environment(TERM="xterm-256color", TMUX_TMPDIR=self.sockets, **env)
        self(
            "start-server", ";", "set-option", "-g", "default-terminal", term, ";",
            "set-option", "-g", "status", "off", ";",
            "new-session", "-d", "-s", "main", "-x", f"{WIDTH}", "-y", f"{HEIGHT}",
            *self.at.command,
        )  # fmt: skip
        self.pane = self("list-panes", "-F", "#{pane_id}").strip()

    def __call__(self, *words: str) -> str:
        """One command; what it says."""
        command = (self.program, "-u", "-L", self.name, "-f", "/dev/null", *words)
        done = subprocess.run(
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False,
            timeout=60, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def cells(self) -> Cells:
        """What stands in the pane."""
        width, height = self.told("#{pane_width} #{pane_height}").split()
        text = self("capture-pane", "-p", "-e", "-N", "-t", self.pane)
        return painted(text.removesuffix("\n").replace("\n", "\r\n"), int(width), int(height))

    def told(self, form: str) -> str:
        """What tmux says of the pane."""
        return self("display-message", "-p", "-t", self.pane, form).strip()

    def client(self, width: int, height: int) -> Pty:
        """Somebody who looks on from a terminal of this size."""
        command = (self.program, "-u", "-L", self.name, "attach-session", "-t", "main")
        client = Pty(command, self.env, (width, height))

        def seen() -> bool:
            client.read()
            return self.told("#{window_width} #{window_height}") == f"{width} {height}"

        wait_for(seen, f"a client of {width}x{height} is attached")
        return client

    def press(self, *keys: str) -> None:
        """Keys, by their names in tmux."""
        self("send-keys", "-t", self.pane, *keys)

    def scribble(self) -> None:
        """Another program writes over the whole pane and moves its lines."""
        with open(self.told("#{pane_tty}"), "w", encoding="utf-8") as tty:
            for line in range(1, 60, 2):
                tty.write(f"\x1b[{line};{line}H{SCRIBBLE}")
            tty.write("\x1b[3;9r\x1b[4;1H\x1b[2M\x1b[r")
        wait_for(lambda: "SCRIBBLE" in self("capture-pane", "-p", "-t", self.pane), "scribbled")

    def end(self) -> None:
        """The server and all in it: the app ends when its terminal is gone."""
        app = int(self.told("#{pane_pid}"))
        subprocess.run(
            (self.program, "-L", self.name, "kill-server"), env=self.env, check=False,
            capture_output=True, timeout=60,
        )  # fmt: skip
        shutil.rmtree(self.sockets, ignore_errors=True)
        wait_for(lambda: not psutil.pid_exists(app), "the app has ended with its pane")


@pytest.fixture(
    params=[("tmux-256color", "truecolor"), ("tmux-256color", ""), ("screen-256color", "")],
    ids=lambda param: " ".join(param).strip(),
)
def tmux(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    """A pane with the app in it."""
    term, colours = request.param
    tmux = Tmux(tmp_path, term, COLORTERM=colours)
    try:
        tmux.at.agree("the app stands in the pane", "celery-tui")
        yield tmux
    finally:
        tmux.end()


def test_a_pane_shows_what_the_app_means(tmux: Tmux) -> None:
    at = tmux.at
    tmux.press("4")
    at.agree("Tasks", "/ filter")
    at.come(900, *NAMES)
    at.agree("tasks came in", "領収書")
    tmux.press("j", "j", "NPage")
    at.come(1000, *NAMES[::-1])
    at.agree("tasks came in while it was scrolled")
    tmux.press("f")
    at.come(1100, *NAMES[:3])
    at.agree("all moved down", "領収書")

    tmux("split-window", "-v", "-t", tmux.pane, "-d", "sleep 600")
    at.agree("the pane was halved")
    at.come(1200, *NAMES[:3])
    at.agree("tasks came into the smaller pane")
    tmux("resize-pane", "-t", tmux.pane, "-y", "20")
    tmux("split-window", "-h", "-t", tmux.pane, "-d", "sleep 600")
    tmux("resize-pane", "-t", tmux.pane, "-x", "60")
    at.come(1300, *NAMES[2:])
    at.agree("the pane was pulled")
    tmux(
        "resize-pane", "-t", tmux.pane, "-x", "30", ";", "resize-pane", "-t", tmux.pane, "-x", "60"
    )
    at.come(1350, *NAMES[2:])
    at.agree("the pane was pulled and let go")
    tmux("kill-pane", "-a", "-t", tmux.pane)
    at.agree("the pane is alone again")

    tmux("new-window", "-t", "main", "sleep 600")
    at.come(1400, *NAMES[:4])
    at.agree("tasks came in behind another window")
    tmux("select-window", "-t", tmux.pane)
    at.come(1500, "back.again")
    at.agree("its window is shown again", "back.again")

    tmux("copy-mode", "-t", tmux.pane)
    tmux.press("-X", "cursor-up")
    at.come(1600, *NAMES)
    at.agree("tasks came in behind copy mode")
    tmux.press("-X", "cancel")
    at.come(1700, "copied")
    at.agree("copy mode was left", "copied")

    for first, size in ((1710, (80, 24)), (1720, (120, 40)), (1730, (60, 12))):
        with tmux.client(*size) as client:
            at.come(first, *NAMES)
            at.agree(f"attached with {size[0]}x{size[1]}")
            tmux("detach-client", "-s", "main")
            wait_for(client.has_ended, "detached")
        at.come(first + 8, *NAMES)
        at.agree("tasks came in while nobody looked on")

    tmux.scribble()
    tmux.press("C-l")
    at.agree("all was painted anew")
    at.come(1800, *NAMES[:2])
    at.agree("tasks came in afterwards", "領収書")
