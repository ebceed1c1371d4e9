"""How far a task says it is: its own word, a bar and numbers; only while it runs."""

import pytest

from celery_tui.columns.tasks import progress_cells
from celery_tui.model.task import STARTED, SUCCESS, Progress, Task


def shown(progress: Progress, state: str = STARTED) -> str:
    return "".join(text for text, _ in progress_cells(Task("t", state=state, progress=progress), 8))


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress("PROGRESS", 45, 100), "PROGRESS  ━━━╸────  45 of 100  45%"),
        (Progress("UPLOADING", 0, 3), "UPLOADING  ────────  0 of 3  0%"),
        (Progress("PROGRESS", 12, 10), "PROGRESS  ━━━━━━━━  12 of 10  100%"),
        (Progress("PROGRESS", 1.5, 12_000), "PROGRESS  ╸───────  1.5 of 12,000  0%"),
        (Progress("PROGRESS", 7), "PROGRESS  7"),
        (Progress("LOADING", text="{'step': 'a'}"), "LOADING  {'step': 'a'}"),
        (Progress("\x1b[2J", 7), "^[[2J  7"),
        (Progress("LOGIN", text="{'password': 'hunter2'}"), "LOGIN  {'password': ‹hidden›}"),
    ],
)
def test_progress_is_a_bar_where_current_and_total_are_told(progress: Progress, text: str) -> None:
    assert shown(progress) == text


def test_a_task_that_has_ended_shows_none() -> None:
    assert shown(Progress("PROGRESS", 45, 100), SUCCESS) == ""
