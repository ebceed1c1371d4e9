"""How widgets reach the look of the app without knowing the app."""

from __future__ import annotations

from typing import Protocol, cast

from textual.widget import Widget

from ..theme import Look


class HasLook(Protocol):
    """What the app offers to widgets."""

    look: Look


def look_of(widget: Widget) -> Look:
    """The look in force."""
    return cast(HasLook, widget.app).look
