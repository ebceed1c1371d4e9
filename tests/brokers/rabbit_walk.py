"""Acts on RabbitMQ with a fault at each of their AMQP methods, and what becomes of all messages."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.errors import TuiError
from celery_tui.links.site import Site
from tests.brokers.rabbit_faults import KINDS, Fault, laid
from tests.rabbit_queues import bodies, put
from tests.rounds import rounds

COUNT, BATCH = 10, 4
COMES_BACK_WITHIN_S = 10.0
Act = Callable[[RabbitBroker, str], object]


@dataclass
class Walk:
    """What became of all messages, over many faults."""

    faults: int = 0
    lost: int = 0
    twice: int = 0
    doubtful: int = 0
    bad: list[str] = field(default_factory=list)

    def add(self, what: str, back: list[int], doubtful: list[int]) -> None:
        """One fault's: what is in the queue, and what was called doubtful."""
        there = Counter(back)
        lost = set(range(COUNT)) - there.keys() - set(doubtful)
        twice = [number for number, times in there.items() if times > 1]
        self.faults += 1
        self.lost += len(lost)
        self.twice += len(twice)
        self.doubtful += len(doubtful)
        if lost or twice or len(doubtful) != len(set(doubtful)):
            self.bad.append(f"{what}: lost {sorted(lost)}, twice {twice}")

    def tell(self, what: str) -> None:
        """Print the sums."""
        print(
            f"{what}: {self.faults} faults, lost {self.lost}, twice {self.twice}, "
            f"doubtful {self.doubtful}"
        )


def purge(broker: RabbitBroker, queue: str) -> object:
    """As the key does."""
    return broker.quarantine(queue)


def undo(broker: RabbitBroker, queue: str) -> int:
    """How many came back."""
    return sum(broker.restore(held.name) for held in broker.quarantines())


def with_fault(url: str, queue: str, act: Act, fault: Fault) -> str:
    """Whatever happens there is a sentence, never the driver's own error; empty: all is well."""
    broker, said = RabbitBroker(Site(url)), ""
    try:
        with laid(fault):
            act(broker, queue)
    except TuiError as error:
        said = str(error)
    finally:
        broker.close()
    assert "\n" not in said
    return said


def left(url: str, channel: Any, queue: str) -> tuple[list[int], list[int]]:
    """What is in the queue once nothing is left to be undone, and what then is doubtful."""
    broker = RabbitBroker(Site(url))
    try:
        while undo(broker, queue):
            assert len(broker.quarantines()) <= 1
        held = sum(one.doubtful for one in broker.quarantines())
        back = all_of(channel, queue, COUNT - held)
        for one in broker.quarantines():
            broker.restore(one.name, doubtful=True)
        assert broker.quarantines() == []
        return back, all_of(channel, queue, held)
    finally:
        broker.close()


def all_of(channel: Any, queue: str, count: int) -> list[int]:
    """What is in the queue: what a dead connection held comes back a moment later."""
    found: list[int] = []
    until = time.monotonic() + COMES_BACK_WITHIN_S
    while len(found) < count and time.monotonic() < until:
        found += bodies(channel, queue)
    return found + bodies(channel, queue)


def faults(number: int, some: int) -> list[tuple[int, str, bool]]:
    """(n, kind, after) of all faults, or of some that are spread over them."""
    every = list(itertools.product(range(1, number + 1), KINDS, (False, True)))
    step = rounds(max(1, len(every) // some), long=1)
    while step > 1 and len(KINDS) * 2 % step == 0:  # else it would be the same kinds for ever
        step += 1
    return every[::step]


def walk(
    url: str, channel: Any, queue: str, act: Act, before: Act | None = None, some: int = 60
) -> tuple[Walk, int]:
    """The act, ``before`` it another one without a fault, with some faults; and its methods."""
    number = counted(url, channel, queue, act, before)
    found = Walk()
    for at, kind, after in faults(number, some):
        put(channel, queue, COUNT)
        if before is not None:
            assert with_fault(url, queue, before, Fault(0)) == ""
        fault = Fault(at, kind, after=after)
        said = with_fault(url, queue, act, fault)
        back, doubtful = left(url, channel, queue)
        direction = "after" if after else "before"
        found.add(f"{at} of {number} {fault.hit} {kind} {direction}: {said}", back, doubtful)
    return found, number


def counted(url: str, channel: Any, queue: str, act: Act, before: Act | None) -> int:
    """How many methods the act takes without any fault."""
    put(channel, queue, COUNT)
    if before is not None:
        with_fault(url, queue, before, Fault(0))
    fault = Fault(0)
    assert with_fault(url, queue, act, fault) == ""
    left(url, channel, queue)
    return fault.counted
