"""An embedded broker, a sample Celery app and traffic for `celery-tui demo`."""
