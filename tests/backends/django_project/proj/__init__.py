"""A small Django project as its owner would write it: it knows nothing of celery_tui."""

from .celery import app as celery_app

__all__ = ("celery_app",)
