"""The commands `celery-tui …` and the plugin `celery -A proj tui`."""

import click

from . import __version__


@click.group(name="celery-tui")
@click.version_option(__version__, prog_name="celery-tui")
def main() -> None:
    """Watch and steer a Celery cluster from the terminal."""


@click.command(name="tui")
def tui() -> None:
    """Watch and steer this app's cluster from the terminal."""
