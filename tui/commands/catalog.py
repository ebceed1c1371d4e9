"""Every command there is, by the screens' own words. A screen lists those that work on it."""

from __future__ import annotations

from .base import Command, Group

# -- look: move ------------------------------------------------------------------------------
DOWN = Command("down", ("j", "down"), "down", "next row", Group.MOVE)
UP = Command("up", ("k", "up"), "up", "previous row", Group.MOVE)
PAGE_DOWN = Command("page_down", ("pagedown",), "page down", "a page down", Group.MOVE)
PAGE_UP = Command("page_up", ("pageup",), "page up", "a page up", Group.MOVE)
TOP = Command("top", ("g", "home"), "top", "first row", Group.MOVE)
BOTTOM = Command("bottom", ("G", "end"), "bottom", "last row", Group.MOVE)
OPEN = Command("open", ("enter",), "open", "open what is under the cursor", Group.MOVE, 1)
ESCAPE = Command("escape", ("escape",), "back", "undo one layer: filter, marks, page", Group.MOVE)
BACK = Command("back", ("q",), "back", "back; at a root screen twice quits", Group.MOVE)
NEXT_PANE = Command("next_pane", ("tab",), "pane", "next pane", Group.MOVE)
PREVIOUS_PANE = Command("previous_pane", ("shift+tab",), "pane", "previous pane", Group.MOVE)

# -- look: view ------------------------------------------------------------------------------
FILTER = Command(
    "filter", ("slash",), "filter", "filter the rows, live", Group.VIEW, 2, typing=True
)
SORT = Command("sort", ("s",), "sort", "sort by another column", Group.VIEW, 5)
FREEZE = Command("freeze", ("p",), "freeze", "freeze the view; the counts run on", Group.VIEW, 4)
FOLLOW = Command("follow", ("f",), "follow", "keep the cursor on the newest row", Group.VIEW, 6)
TIME = Command("time", ("t",), "time", "clock in UTC or local time", Group.VIEW, 8)
YANK = Command("yank", ("y",), "yank", "copy the id under the cursor", Group.VIEW, 7)
WHY = Command("why", ("i",), "why", "where it comes from and how old it is", Group.VIEW, 9)
TO_SOURCES = Command("why", ("i",), "sources", "the sources: links, gaps, losses", Group.VIEW, 2)
LEAVE_WHY = Command("why", ("i",), "back", "back to what it was asked of", Group.VIEW)
WRAP = Command("wrap", ("w",), "wrap", "wrap long lines", Group.VIEW)
REFRESH = Command("refresh", ("r",), "refresh", "ask again now; retry a lost broker", Group.VIEW)
FAMILY = Command("family", ("f",), "family", "the whole tree of its workflow", Group.VIEW, 2)
HELP = Command("help", ("question_mark",), "help", "keys of this screen", Group.VIEW)
PALETTE = Command(
    "palette", ("ctrl+p", "colon"), "commands", "all commands by name", Group.VIEW, typing=True
)
THEME = Command("theme", ("ctrl+t",), "theme", "next theme: night, paper, ansi, mono", Group.VIEW)
REDRAW = Command("redraw", ("ctrl+l",), "redraw", "paint the whole screen again", Group.VIEW)

NEXT_PAGE = Command("next_page", ("right", "l"), "page", "the next page of messages", Group.VIEW, 2)
PREVIOUS_PAGE = Command(
    "previous_page", ("left", "h"), "page", "the page of messages before", Group.VIEW
)
OTHER_END = Command(
    "other_end", ("o",), "other end", "the newest messages first, or the oldest", Group.VIEW, 3
)

# -- look: marks -----------------------------------------------------------------------------
MARK = Command("mark", ("space",), "mark", "mark the row and go down", Group.MARK, 3)
MARK_ALL = Command("mark_all", ("a",), "mark all", "mark all rows the filter shows", Group.MARK)
CLEAR_MARKS = Command("clear_marks", ("c",), "clear marks", "clear the marks", Group.MARK)

# -- screens ---------------------------------------------------------------------------------
ROOTS = (("home", "Home"), ("queues", "Queues"), ("workers", "Workers"), ("tasks", "Tasks"))
LOG = ("log", "Log")
SCREEN_KEYS = {"home": "1", "queues": "2", "workers": "3", "tasks": "4", "log": "8"}
"""Digits keep their meaning when screens between them are added."""
SHOW = "show_"
SCREENS = tuple(
    Command(f"{SHOW}{name}", (SCREEN_KEYS[name],), title, f"the {title} screen", Group.MOVE)
    for name, title in (*ROOTS, LOG)
)

# -- acts ------------------------------------------------------------------------------------
REVOKE = Command("revoke", ("X",), "revoke", "revoke: it shall not run", Group.ACT, 1, True, "task")
TERMINATE = Command(
    "terminate",
    ("T",),
    "terminate",
    "terminate a running task by signal",
    Group.ACT,
    3,
    True,
    "task",
)
RETRY = Command("retry", ("R",), "retry", "send the task again", Group.ACT, 2, True, "task")
PURGE = Command(
    "purge", ("D",), "purge", "purge a queue into the quarantine", Group.ACT, 1, True, "queue"
)
UNDO = Command("undo", ("Z",), "undo", "undo the last purge", Group.ACT, 8, True)
EVENTS_ON = Command("events_on", ("E",), "events", "switch task events on", Group.ACT, 4, True)

LINES = (DOWN, UP, PAGE_DOWN, PAGE_UP, TOP, BOTTOM)
LEAVE = (ESCAPE, BACK)
SCROLLS = (*LINES, *LEAVE)
"""Of pages with nothing to open."""
MOVES = (*LINES, OPEN, *LEAVE)
PANES = (NEXT_PANE, PREVIOUS_PANE)
NOT_WHY = (HELP, PALETTE, TIME, THEME, REFRESH, REDRAW, *SCREENS)
"""Works everywhere, on pages too on which `i` is another command."""
EVERYWHERE = (HELP, PALETTE, WHY, TIME, THEME, REFRESH, REDRAW, *SCREENS)
MARKS = (MARK, MARK_ALL, CLEAR_MARKS)
TASK_ACTS = (REVOKE, RETRY, TERMINATE)
