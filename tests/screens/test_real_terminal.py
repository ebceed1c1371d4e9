"""Hostile text on a real terminal: it moved nothing, coloured nothing and named nothing."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unicodedata import category

import pyte

from tests.screens.still_app import Cell
from tests.servers import wait_for
from tests.shell import environment

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT = 80, 24
OSC = re.compile(r"\x1b\](\d*)")
"""Commands that name a window, fill the clipboard and the like."""
OURS = "\x1b\r\n\x07"
"""What the program itself must send."""
STEPS = re.compile(r"\x1b\[\d*[AB]\x08{1,3}")
"""One line up or down, and a few columns back: the only backspaces of its own."""
CONTROLS = ("Cc", "Cf", "Cs")


class Terminal:
    """A process on a pseudo terminal whose output an emulator obeys."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process, self.master = process, master
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.ByteStream(self.screen)
        self.sent = b""

    def read(self) -> None:
        """Obey what has been written meanwhile."""
        while select.select([self.master], [], [], 0.05)[0]:
            try:
                data = os.read(self.master, 65_536)
            except OSError:  # it has ended
                return
            self.sent += data
            self.stream.feed(data)

    def press(self, keys: bytes) -> None:
        """As if typed."""
        os.write(self.master, keys)

    def cells(self) -> list[list[Cell]]:
        """What stands on the terminal."""
        return [[self._cell(self.screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]

    @staticmethod
    def _cell(char: Any) -> Cell:
        front, back = (char.bg, char.fg) if char.reverse else (char.fg, char.bg)
        if char.data == " " and not (char.reverse or char.underscore):
            return " ", "default", back, False
        return char.data, front, back, char.bold


@contextmanager
def started(dump: Path) -> Iterator[Terminal]:
    """The app on a terminal of 80x24."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    command = (sys.executable, "-m", "tests.screens.still_app", str(dump))
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, start_new_session=True,
        env=environment(COLORTERM="truecolor"),
    )  # fmt: skip
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_a_real_terminal_shows_hostile_text_where_it_belongs_and_nothing_else_changes(
    tmp_path: Path,
) -> None:
    dump = tmp_path / "cells.json"
    with started(dump) as terminal:

        def agree() -> bool:
            terminal.read()
            if not dump.exists():
                return False
            wanted = json.loads(dump.read_text(encoding="utf-8"))
            return bool(wanted == [[list(cell) for cell in line] for line in terminal.cells()])

        for keys, title in ((b"1", "Home"), (b"3", "Workers"), (b"2", "Queues"), (b"4", "Tasks")):
            terminal.press(keys)

            def shows(word: str = f" {keys.decode()} {title} ") -> bool:
                return agree() and _filled(terminal, word)

            wait_for(shows, f"{title} full of hostile text stands on a terminal", 60)
        for keys, word in ((b"\r", "Args"), (b"R", "RETRY")):
            terminal.press(keys)

            def says(word: str = word) -> bool:
                return agree() and any(word in line for line in terminal.screen.display)

            wait_for(says, f"{word} of a hostile task stands on a terminal", 60)
        text = terminal.sent.decode("utf-8")
        assert set(OSC.findall(text)) <= {"22"}, "only the shape of the pointer, which Textual sets"
        rest = STEPS.sub("", text)
        assert not [char for char in rest if char not in OURS and category(char) in CONTROLS]
        assert terminal.screen.margins is None
        assert terminal.process.poll() is None


def _filled(terminal: Terminal, word: str) -> bool:
    """Whether the word is the open tab."""
    column = terminal.screen.display[2].find(word)
    return column >= 0 and bool(terminal.screen.buffer[2][column + 1].bold)
