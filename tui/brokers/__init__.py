"""What Celery's own interface does not tell about a broker: depths, messages, quarantine."""
