"""Keys that arrive in one piece, as over a slow line or from a fast hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminals.emulator import Pty
from tests.terminals.shown import Shown


@pytest.mark.parametrize(("keys", "word"), [(b"/pay", "/ pay"), (b"/pay/x", "/ pay/x")])
def test_what_follows_a_slash_is_text_and_no_command(
    tmp_path: Path, keys: bytes, word: str
) -> None:
    at = Shown(tmp_path, lambda: tty.cells())
    env = at.environment(TERM="xterm-256color", COLORTERM="truecolor")
    with Pty(at.command, env, (100, 30)) as tty:
        at.agree("it stands there", "celery-tui")
        tty.press(b"4")
        at.agree("Tasks", "/ filter")
        tty.press(keys)
        at.agree("the filter is what was typed", word)
        lines = "\n".join(tty.lines())
        assert "FROZEN" not in lines
        assert "✱" not in lines


def test_what_follows_a_colon_is_looked_for_and_no_command(tmp_path: Path) -> None:
    at = Shown(tmp_path, lambda: tty.cells())
    env = at.environment(TERM="xterm-256color", COLORTERM="truecolor")
    with Pty(at.command, env, (100, 30)) as tty:
        at.agree("it stands there", "celery-tui")
        tty.press(b"4")
        at.agree("Tasks", "/ filter")
        tty.press(b":pa")
        at.agree("the palette has what was typed", ": pa")
        tty.press(b"\x1b")
        at.agree("and closed", "/ filter")
        lines = "\n".join(tty.lines())
        assert "FROZEN" not in lines
        assert "✱" not in lines
