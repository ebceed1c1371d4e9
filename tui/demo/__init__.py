"""A Celery cluster on this machine for `celery-tui demo`: broker, workers, sample shop, traffic."""
