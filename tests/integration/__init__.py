"""Tests against a real Redis and real Celery workers."""
