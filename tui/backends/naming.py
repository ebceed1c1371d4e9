"""How Celery names what it stores by key: files, and keys in Redis and memcached."""

META = "celery-task-meta-"


def separated(prefix: str) -> str:
    """A backend's ``global_keyprefix`` as Celery joins it: an underscore unless it ends in one."""
    return prefix if prefix[-1] in ":_-." else f"{prefix}_"


def storable(task_id: str, longest: int) -> bool:
    """Whether such an id can be in a column, and be asked for: no driver takes all text."""
    if len(task_id) > longest or "\x00" in task_id:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in task_id)
