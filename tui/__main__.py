"""`python -m celery_tui` is the same as `celery-tui`."""

from .cli import main

if __name__ == "__main__":
    main()
