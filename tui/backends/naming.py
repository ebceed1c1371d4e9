"""How Celery names what it stores by key: files, and keys in Redis and memcached."""

META = "celery-task-meta-"


def separated(prefix: str) -> str:
    """A backend's ``global_keyprefix`` as Celery joins it: an underscore unless it ends in one."""
    return prefix if prefix[-1] in ":_-." else f"{prefix}_"
