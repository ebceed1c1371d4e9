"""A process that purges a queue and undoes it again and again, until it is killed."""

import sys

from celery_tui.brokers.redis import RedisBroker


def main(url: str, queue: str) -> None:
    """Undo what a killed predecessor left, then purge and restore for ever."""
    broker = RedisBroker(url)
    for left in broker.quarantines():
        broker.restore(left.name)
    print("ready", flush=True)
    while True:
        broker.restore(broker.quarantine(queue).name)


if __name__ == "__main__":
    main(*sys.argv[1:])
