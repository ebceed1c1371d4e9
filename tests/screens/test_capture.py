"""What tests read of a screen is what Textual's public screenshot shows of it."""

from __future__ import annotations

import pytest

from tests.screens.capture import composed_cells, screen_text, screenshot_cells, strips
from tests.screens.sample import app_on, busy_cluster


@pytest.mark.parametrize("theme", ["night", "paper"])
async def test_captured_characters_and_colours_are_those_of_the_public_screenshot(
    theme: str,
) -> None:
    app = app_on(busy_cluster(), theme=theme)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.open("task", next(iter(app.cluster.failures)))
        await pilot.pause()
        shown = screenshot_cells(app.export_screenshot(), 80)
        assert shown == composed_cells(strips(app))
        assert len(shown) > 300


async def test_a_captured_screen_names_the_styles_of_its_cells() -> None:
    app = app_on(busy_cluster())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text, _, rest = screen_text(app).partition("-- styles\n")
        styles, _, legend = rest.partition("-- legend\n")
        assert text.splitlines()[0] == "80x24"
        row = next(i for i, line in enumerate(text.splitlines()[1:]) if "1 Home" in line)
        column = text.splitlines()[1:][row].index("1 Home")
        letter = styles.splitlines()[row][column]
        assert f"{letter} ink bold on acc" in legend.splitlines()
