"""A whole session looks the same with and without the differ, cell by cell with its styles."""

import pytest

from celery_tui.differ.grid import Grid
from tests.differ_session import Shown, differences, play

SIZES = ((80, 24), (160, 48))


class Forgetful(Grid):
    """Broken on purpose: now and then it believes to have sent what it has not."""

    def update(self) -> str:
        """One frame in seven is lost."""
        sent = super().update()
        self.frames = getattr(self, "frames", 0) + 1
        return "" if self.frames % 7 == 0 else sent


@pytest.fixture(autouse=True)
def true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 16 colours two that differ may look the same."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(scope="module")
def plain() -> dict[tuple[int, int], list[Shown]]:
    """Sessions as Textual draws them, by size."""
    return {}


async def as_textual_does(
    plain: dict[tuple[int, int], list[Shown]], size: tuple[int, int]
) -> list[Shown]:
    """Played once a size."""
    if size not in plain:
        plain[size] = await play(size, no_diff=True)
    return plain[size]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_session_shows_the_same_with_and_without_the_differ(
    size: tuple[int, int], plain: dict[tuple[int, int], list[Shown]]
) -> None:
    wanted = await as_textual_does(plain, size)
    found = differences(wanted, await play(size, no_diff=False))
    assert not found, "\n".join(found[:10])


async def test_a_broken_differ_is_found_out(plain: dict[tuple[int, int], list[Shown]]) -> None:
    wanted = await as_textual_does(plain, (80, 24))
    assert differences(wanted, await play((80, 24), no_diff=False, grid=Forgetful()))
