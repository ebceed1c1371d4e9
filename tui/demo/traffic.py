"""Steady traffic for the sample shop, until stdin closes."""

import argparse
import select
import sys
import time

from kombu.exceptions import OperationalError

from . import flows
from .app import ROUTES, UNCONSUMED_QUEUE, app

LIMITS = {"default": 200, UNCONSUMED_QUEUE: 300}
"""Depth from which nothing more is sent, by queue: the shop never grows without limit."""
_OTHER_LIMIT = 200
_TICK_S = 0.1
_LONGEST_GAP_S = 1.0


def overfull_queues() -> set[str]:
    """Queues that hold as many messages as they may, all priorities together."""
    names = {"default", *(str(route["queue"]) for route in ROUTES.values())}
    full = set()
    with app.pool.acquire(block=True) as connection:
        channel = connection.default_channel
        for name in names:
            # `_size` is what kombu's redis transport answers a passive declare with; it adds up
            # the lists of all priorities, and is 0 for a queue that does not exist yet.
            if channel._size(name) >= LIMITS.get(name, _OTHER_LIMIT):
                full.add(name)
    return full


def due(now: float, next_at: dict[flows.Flow, float]) -> list[flows.Flow]:
    """Timed flows whose moment has come; their next one is set."""
    ready = [flow for flow, moment in next_at.items() if moment <= now]
    for flow in ready:
        next_at[flow] = now + flows.TIMED[flow] * flows.chance.uniform(0.7, 1.3)
    return ready


def send(budget: float, full: set[str]) -> float:
    """Send steady flows while the budget (in tasks) lasts; what is left of it."""
    while budget >= 1:
        (flow,) = flows.chance.choices(list(flows.STEADY), list(flows.STEADY.values()))
        budget -= 1 if flows.QUEUES[flow] & full else flow()
    return budget


def expect_no_results() -> None:
    """Do not subscribe to the result of every task that is sent.

    The Redis backend does (celery.backends.redis.ResultConsumer.consume_from); here nobody would
    read what is published, and the server would have to keep it.
    """
    app.backend.on_task_call = lambda _producer, _task_id: None


def run(rate: float) -> None:
    """Send about `rate` tasks a second until stdin closes."""
    budget, full = 0.0, set[str]()
    before = checked_at = time.monotonic()
    next_at = dict.fromkeys(flows.TIMED, before)
    while not select.select([sys.stdin], [], [], _TICK_S)[0]:
        now = time.monotonic()
        budget += rate * min(now - before, _LONGEST_GAP_S)
        before = now
        try:
            if now - checked_at >= 1.0:
                full, checked_at = overfull_queues(), now
            for flow in due(now, next_at):
                if not flows.QUEUES[flow] & full:
                    flow()
            budget = send(budget, full)
        except OperationalError:
            budget = 0.0  # the broker is away: what was not sent is not made up for


def main() -> None:
    """Entry point of the traffic process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=10.0, help="tasks per second")
    expect_no_results()
    run(parser.parse_args().rate)


if __name__ == "__main__":
    main()
