"""The dashboard itself, which writes down at its end what it has counted.

Run by itself in a terminal: `python -m tests.benchmarks.kit.watched REPORT URL`.
"""

import json
import sys
from pathlib import Path

from celery_tui.app import CeleryTui, tune
from celery_tui.settings import Settings
from celery_tui.terminal import dressed


def main() -> None:
    """Entry point."""
    report, url = Path(sys.argv[1]), sys.argv[2]
    tune()
    app = CeleryTui(dressed(Settings(broker=url)))
    try:
        app.run(mouse=False)
    finally:
        app.close()
    cluster, monitor = app.cluster, app.monitor
    told = {
        "events": cluster.events_counted,
        "tasks": len(cluster.tasks),
        "evicted": cluster.evicted,
        "malformed": cluster.malformed,
        "shed": monitor.shed if monitor is not None else {},
    }
    report.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
