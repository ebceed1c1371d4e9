"""The README says what the program does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from celery_tui import cli
from celery_tui.commands import catalog
from celery_tui.commands.base import Command, shown_key
from celery_tui.settings import ENVIRONMENT
from tests import known

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading."""
    return README.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def commands() -> Iterator[Command]:
    """Every command of the catalog."""
    yield from (value for value in vars(catalog).values() if isinstance(value, Command))
    yield from catalog.SCREENS


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: command.id)
def test_every_key_stands_in_the_key_table(command: Command) -> None:
    told = {
        key.lower() if len(key) > 1 else key for key in re.findall("`([^`]+)`", section("Keys"))
    }
    keys = {shown_key(key) for key in command.keys}
    assert {key.lower() if len(key) > 1 else key for key in keys} <= told


def test_every_environment_variable_stands_in_the_table() -> None:
    told = section("Configuration")
    assert not [name for names in ENVIRONMENT.values() for name in names if name not in told]


def test_every_flag_stands_in_the_table() -> None:
    flags = {flag for option in cli.main.params for flag in option.opts if flag != "--version"}
    assert not [flag for flag in flags if f"`{flag}" not in section("Configuration")]


def test_each_cell_of_what_can_be_known_has_a_test_or_says_that_it_cannot_be() -> None:
    shown, cells = known.shown(), known.cells()
    assert len({where for _, where in cells}) == 9
    assert not [cell for cell, told in cells.items() if known.is_shown(told) and cell not in shown]
    assert not [cell for cell, told in cells.items() if not known.is_shown(told) and cell in shown]
    assert not shown.keys() - cells.keys()
