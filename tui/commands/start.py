"""Commands of the start screen, where there is no cluster yet."""

from __future__ import annotations

from .base import Command, Group
from .catalog import BOTTOM, DOWN, HELP, REDRAW, THEME, TIME, TOP, UP

CONNECT = Command("open", ("enter",), "connect", "connect to what is chosen", Group.MOVE, 1)
URL = Command("url", ("slash",), "url", "type a broker URL", Group.VIEW, 2)
PROJECT = Command("project", ("p",), "project", "use the settings of the app found", Group.VIEW, 3)
DEMO = Command("demo", ("d",), "demo", "a cluster of its own, to look around", Group.VIEW, 4)
AGAIN = Command("refresh", ("r",), "again", "look again what answers here", Group.VIEW, 5)
LEAVE = Command("escape", ("escape",), "back", "leave the URL field", Group.MOVE)
QUIT = Command("back", ("q",), "quit", "quit", Group.MOVE, 6)

START = (CONNECT, DOWN, UP, TOP, BOTTOM, URL, PROJECT, DEMO, AGAIN, LEAVE, QUIT)
START_ALL = (*START, TIME, THEME, REDRAW, HELP)
