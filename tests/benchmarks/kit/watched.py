"""The dashboard itself: with tasks from the start, and with its counts written down at the end.

Run by itself in a terminal: `python -m tests.benchmarks.kit.watched URL --tasks 1000`.
"""

import argparse
import json
import time
from pathlib import Path

from celery_tui.app import CeleryTui, tune
from celery_tui.monitor import Monitor
from celery_tui.settings import Settings
from celery_tui.terminal import dressed

from .fill import fill, room


def counts(app: CeleryTui) -> dict[str, object]:
    """What it has counted."""
    cluster, monitor = app.cluster, app.monitor
    return {
        "events": cluster.events_counted,
        "tasks": len(cluster.tasks),
        "evicted": cluster.evicted,
        "malformed": cluster.malformed,
        "shed": monitor.shed if monitor is not None else {},
    }


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--report", type=Path, help="where the counts go")
    parser.add_argument("--tasks", type=int, default=0, help="tasks it knows from the start")
    parser.add_argument("--no-diff", action="store_true", help="send all that is painted")
    options = parser.parse_args()
    settings = Settings(broker=options.url, no_diff=options.no_diff)
    monitor = None
    if options.tasks:
        settings = room(options.tasks, settings)
        monitor = Monitor(settings)
        fill(monitor.cluster, options.tasks, time.time())
    tune()
    app = CeleryTui(dressed(settings), monitor=monitor)
    try:
        app.run(mouse=False)
    finally:
        app.close()
    if options.report is not None:
        options.report.write_text(json.dumps(counts(app)), encoding="utf-8")


if __name__ == "__main__":
    main()
