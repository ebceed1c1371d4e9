"""Its tasks."""

import time

from celery import Task, shared_task


@shared_task
def add(x: float, y: float) -> float:
    """The sum."""
    return x + y


@shared_task
def fail(message: str) -> None:
    """Raise ValueError with the message."""
    raise ValueError(message)


@shared_task(bind=True)
def stepping(self: Task, current: int, total: int) -> None:
    """Tell how far it is, and stay there."""
    self.update_state(state="PROGRESS", meta={"current": current, "total": total})
    time.sleep(120)
