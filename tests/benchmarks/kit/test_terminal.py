"""The kit's terminal answers as a real one does, also when what it hears comes in pieces."""

import pytest

from .terminal import MODE_2026_ANSWER, Terminal

ASKS = r"stty raw -echo; printf '\033[?20'; sleep 0.2; printf '26$p\033[?2026$p'; "
TELLS = f"head -c {2 * len(MODE_2026_ANSWER)} | od -A n -v -t x1; printf 'all of it'; sleep 60"
FRAME = (
    r"printf 'before \033[?2026hhalf'; sleep 0.2; printf ' whole\033[?20'; sleep 0.2; "
    r"printf '26lafter'; sleep 60"
)


@pytest.mark.parametrize("bytes_per_s", [None, 7_000.0])
def test_a_question_in_two_pieces_is_answered_and_so_is_the_next(bytes_per_s: float | None) -> None:
    with Terminal(["sh", "-c", ASKS + TELLS], bytes_per_s=bytes_per_s) as terminal:
        terminal.wait_for("all of it")
        heard = "".join(terminal.text.partition("all")[0].split())
    assert heard == 2 * MODE_2026_ANSWER.hex()


def test_a_frame_is_whole_only_once_its_end_has_come() -> None:
    with Terminal(["sh", "-c", FRAME]) as terminal:
        terminal.wait_for("half")
        assert terminal.in_frame
        assert terminal.frames_read == 0
        terminal.wait_for("after")
        assert not terminal.in_frame
        assert terminal.frames_read == 1
