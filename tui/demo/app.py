"""The Celery app of the sample shop: queues, routes and settings, taken from the environment.

SHOP_BROKER_URL and SHOP_RESULT_BACKEND name the servers; SHOP_PLAIN=1 leaves Celery's defaults.
"""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import worker_ready

UNCONSUMED_QUEUE = "emails"
"""The queue that no worker consumes: `mail.digest` goes there by mistake."""

ROUTES = {
    "pay.*": {"queue": "pay"},
    "pdf.*": {"queue": "pdf"},
    "crm.*": {"queue": "crm"},
    "reports.*": {"queue": "reports"},
    "mail.digest": {"queue": UNCONSUMED_QUEUE},
    "mail.*": {"queue": "mail"},
}
"""First match wins: Celery compiles the mapping in order (celery.app.routes.MapRoute)."""

EVERYTHING_ON = {"task_send_sent_event": True, "task_track_started": True, "result_extended": True}


def make_app(environment: dict[str, str]) -> Celery:
    """The app, with every monitoring setting on unless SHOP_PLAIN is set."""
    app = Celery("shop", include=[f"{__package__}.tasks"])
    app.conf.update(
        broker_url=environment.get("SHOP_BROKER_URL"),
        result_backend=environment.get("SHOP_RESULT_BACKEND"),
        broker_connection_retry_on_startup=True,
        task_default_queue="default",
        task_routes=ROUTES,
        result_expires=600,  # the server's memory stays bounded however long the shop runs
        worker_redirect_stdouts=False,
        worker_max_tasks_per_child=300,  # a pool process was seen to grow by 20 kB a task
    )
    if not environment.get("SHOP_PLAIN"):
        app.conf.update(EVERYTHING_ON)
    return app


app = make_app(dict(os.environ))


def say_ready(sender: Any, **_: Any) -> None:
    """Tell on stdout that this worker consumes."""
    sys.stdout.write(f"worker {sender.hostname} ready\n")
    sys.stdout.flush()


worker_ready.connect(say_ready)
