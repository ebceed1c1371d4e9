"""Tests of what is read from brokers beyond Celery's own protocol, against real servers."""
