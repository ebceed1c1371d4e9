"""Task messages as a Celery client puts them into a Redis list."""

import base64
import json
import uuid
from typing import Any

SEPARATOR = "\x06\x16"


def envelope(
    task_id: str | None = None,
    name: str = "proj.work",
    args: Any = (),
    kwargs: Any = None,
    queue: str = "celery",
    **headers: Any,
) -> dict[str, Any]:
    """One message of task protocol 2 in kombu's envelope."""
    task_id = task_id or str(uuid.uuid4())
    body = json.dumps([list(args), kwargs or {}, {"callbacks": None, "errbacks": None}])
    return {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"id": task_id, "task": name, "lang": "py", "retries": 0, **headers},
        "properties": {
            "correlation_id": task_id,
            "reply_to": str(uuid.uuid4()),
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


def message(task_id: str | None = None, **more: Any) -> str:
    """The same as bytes in a list."""
    return json.dumps(envelope(task_id, **more))


def binding(queue: str, routing_key: str | None = None) -> str:
    """A member of `_kombu.binding.<exchange>`."""
    key = queue if routing_key is None else routing_key
    return SEPARATOR.join((key, "", queue))
