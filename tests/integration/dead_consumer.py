"""The sample app with a command that ends a worker's consumers without its noticing."""

from typing import Any

from celery.worker.control import control_command
from sample import app  # type: ignore[import-not-found]  # as a worker finds it

__all__ = ["app", "lose_consumers"]


@control_command()
def lose_consumers(state: Any) -> dict[str, str]:
    """The broker forgets them; the worker's own list of queues stays."""
    consumer = state.consumer.task_consumer
    for tag in list(consumer._active_tags.values()):
        consumer.channel.basic_cancel(tag)
    return {"ok": "lost"}
