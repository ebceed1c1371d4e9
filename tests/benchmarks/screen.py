"""`scripts/bench screen`: what goes to the terminal, and how soon a key is answered there.

Everything is started here on free loopback ports and ended again. `--quick` does less of each.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from celery_tui.theme import NIGHT
from tests.benchmarks.kit.figures import Figure, Heads, tell
from tests.benchmarks.kit.keys import Hand, Keys, Timed, quiet_bytes, timed
from tests.benchmarks.kit.programs import (
    LARGE,
    ROOT,
    SMALL,
    cpu_percent,
    helper,
    own,
    steady,
)
from tests.benchmarks.kit.terminal import Terminal
from tests.servers import RedisServer, Worker

LINE_BYTES_PER_S = 7_000
"""A line of 56 kbit/s."""
SLOW, FAST = 500, 10_000
FEW, MANY, MOST = 1_000, 100_000, 1_000_000
CURSOR = NIGHT["select"].removeprefix("#").lower()
WOBBLE = 1.1
"""Two figures of one run that differ by less are the same."""


@dataclass(frozen=True)
class Plan:
    """How much of each is done."""

    keys: int = 60
    limit_s: float = 20.0
    """Of one series of keys: a slow program gets fewer."""
    quiet_keys: int = 10
    flow_s: float = 4.0
    rows_s: float = 10.0
    cpu_s: float = 10.0
    up_s: float = 60.0
    counts: tuple[int, ...] = (FEW, MANY, MOST)
    sizes: tuple[tuple[int, int], ...] = (SMALL, LARGE)
    whole: bool = True
    """Also without the differ, and the slow line beside both loads."""

    @property
    def others(self) -> "tuple[Program, ...]":
        """What is measured beside ours."""
        return OTHERS if self.whole else (RIVAL,)


QUICK = Plan(
    keys=20, limit_s=6.0, quiet_keys=7, flow_s=3.0, rows_s=6.0, cpu_s=6.0, counts=(FEW,),
    sizes=(SMALL,), whole=False,
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """One that is measured, showing the tasks it knows from the start."""

    name: str
    module: str
    options: tuple[str, ...]
    keys: Keys
    first: str
    """What to press to see the tasks."""
    shows: str
    """What is on screen then."""

    def start(
        self, url: str, size: tuple[int, int], tasks: int, up_s: float, rate: float | None = None
    ) -> Terminal:
        """Its terminal once the tasks are on screen. Raises AssertionError if that takes longer."""
        command = own(self.module, url, "--tasks", tasks, *self.options)
        terminal = Terminal(command, *size, cwd=str(ROOT), bytes_per_s=rate)
        try:
            if self.first:
                terminal.wait_for("1 Home", up_s)
                terminal.press(self.first)
            terminal.wait_for(self.shows, up_s)
        except BaseException:
            terminal.end()
            raise
        terminal.read(SETTLED_S)
        terminal.must_run()
        return terminal


SETTLED_S = 1.5
OUR_KEYS = Keys("g", "f", "\x1b[B", "\x1b[6~", 1, CURSOR)
THEIR_KEYS = Keys("\x1b[1;5F", "f", "\x1b[A", "\x1b[5~", -1, CURSOR)
OURS = Program("", "watched", (), OUR_KEYS, "4", "state ─")
PLAIN = Program("without the differ", "watched", ("--no-diff",), OUR_KEYS, "4", "state ─")
RIVAL = Program("DataTable", "data_table", (), THEIR_KEYS, "", "state")
OTHERS = (PLAIN, RIVAL)
Each = dict[str, str]
"""Name of a program -> what was measured of it, in words."""


def beside(what: str, each: Each, target: str = "", reached: bool | None = None) -> Figure:
    """A figure of ours and of the others, as far as they were measured."""
    others = tuple(each.get(program.name, "") for program in OTHERS)
    return Figure(what, each[OURS.name], target, reached, others)


def at(size: tuple[int, int]) -> str:
    """As people write it."""
    return f"{size[0]}x{size[1]}"


# -- bytes ------------------------------------------------------------------------------------


@dataclass
class Bytes:
    """What one program sent, in bytes (a second)."""

    key: float = 0.0
    page: float = 0.0
    rows: float = 0.0
    tasks: float = 0.0
    home: float = 0.0
    workers: float = 0.0


def per_second(terminal: Terminal, seconds: float) -> float:
    """Bytes a second for so long."""
    before = terminal.bytes_read
    terminal.read(seconds)
    terminal.must_run()
    return (terminal.bytes_read - before) / seconds


def bytes_of(program: Program, url: str, size: tuple[int, int], plan: Plan) -> Bytes:
    """One program through all screens."""
    told = Bytes()
    with program.start(url, size, FEW, plan.up_s) as terminal:
        told.key = quiet_bytes(terminal, program.keys.next, plan.quiet_keys)
        told.page = quiet_bytes(terminal, program.keys.page, plan.quiet_keys)
        terminal.press(program.keys.follow)
        if size == SMALL:
            with helper("trickle", url):
                terminal.read(2.0)
                told.rows = per_second(terminal, plan.rows_s)
        with steady(url, SLOW):
            terminal.read(2.0)
            told.tasks = per_second(terminal, plan.flow_s)
            if program.first:
                told.home = _on_screen(terminal, "1", plan.flow_s)
                told.workers = _on_screen(terminal, "3", plan.flow_s)
    return told


def _on_screen(terminal: Terminal, key: str, seconds: float) -> float:
    terminal.press(key)
    terminal.read(1.5)
    return per_second(terminal, seconds)


def flows(url: str, plan: Plan) -> Iterator[Figure]:
    """Bytes to the terminal, at both sizes."""
    for size in plan.sizes:
        programs = (OURS, *plan.others)
        told = {program.name: bytes_of(program, url, size, plan) for program in programs}
        if size == SMALL:
            rows = told[OURS.name].rows
            each = {name: _flow(one.rows) for name, one in told.items()}
            what = f"to the terminal, {at(size)}, live at 4 Hz, 4 rows changing"
            yield beside(what, each, "0.8 kB/s", rows <= 800)
        for screen in ("home", "tasks", "workers"):
            each = {name: _flow(getattr(one, screen)) for name, one in told.items()}
            what = f"to the terminal, {at(size)}, {screen.title()}, {SLOW} events/s"
            yield beside(what, each)
        for key in ("key", "page"):
            each = {name: f"{getattr(one, key):,.0f} B" for name, one in told.items()}
            yield beside(f"bytes of a {key}, {at(size)}, nothing else moving", each)


def _flow(bytes_per_s: float) -> str:
    return f"{bytes_per_s / 1000:.1f} kB/s" if bytes_per_s else ""


# -- keys -------------------------------------------------------------------------------------


@dataclass
class Series:
    """Keys of one program beside one load."""

    steps: Timed
    jumps: Timed
    per_s: float
    """Events that were sent."""


Answers = dict[int, Series] | str
"""By events a second asked for; in words: why there are none."""


def keys(url: str, plan: Plan) -> Iterator[Figure]:
    """Key press to frame beside the load, with few and many tasks."""
    few: Timed | None = None
    for tasks in plan.counts:
        others = [one for one in plan.others if tasks == FEW or one is not PLAIN]
        told = {one.name: answers(one, url, tasks, plan) for one in (OURS, *others)}
        for rate in (SLOW, FAST):
            yield from _of_rate(told, tasks, rate)
        ours = told[OURS.name]
        if isinstance(ours, str):
            continue
        if few is not None and tasks == MOST:
            yield _no_more(ours[FAST].steps, few)
        few = few or ours[FAST].steps


def answers(program: Program, url: str, tasks: int, plan: Plan) -> Answers:
    """What its keys took at both rates."""
    try:
        terminal = program.start(url, LARGE, tasks, plan.up_s)
    except AssertionError:
        return f"not up after {plan.up_s:g} s"
    series = {}
    with terminal:
        for rate in (SLOW, FAST):
            with steady(url, rate) as told:
                terminal.read(2.0)
                steps, jumps = timed(Hand(terminal, program.keys), plan.keys, plan.limit_s)
            series[rate] = Series(steps, jumps, told["per_s"])
    return series


def _of_rate(told: dict[str, Answers], tasks: int, rate: int) -> Iterator[Figure]:
    series = {name: one if isinstance(one, str) else one[rate] for name, one in told.items()}
    sent = [one.per_s for one in series.values() if isinstance(one, Series)]
    came = f"{min(sent):,.0f}" if sent else f"{rate:,}"
    where = f"{at(LARGE)}, {tasks:,} tasks, {came} events/s"
    steps = {name: one if isinstance(one, str) else one.steps.words for name, one in series.items()}
    jumps = {name: one if isinstance(one, str) else one.jumps.words for name, one in series.items()}
    ours = series[OURS.name]
    if rate != FAST or isinstance(ours, str):
        yield beside(f"key to frame, {where}", steps)
        return
    reached = ours.steps.p50_ms <= 5 and ours.steps.p99_ms <= 40
    yield beside(f"key to frame, {where}", steps, "p50 5, p99 40 ms", reached)
    yield beside("back to the newest row there, all rows change", jumps)


def _no_more(most: Timed, few: Timed) -> Figure:
    p50, p99 = most.p50_ms / few.p50_ms, most.p99_ms / few.p99_ms
    return Figure(
        f"key with {MOST:,} tasks against {FEW:,}, {FAST:,} events/s",
        f"p50 {p50:.2f} x, p99 {p99:.2f} x",
        "no more",
        p50 <= WOBBLE and p99 <= WOBBLE,
    )


# -- a slow line ------------------------------------------------------------------------------


def far_end(url: str, plan: Plan) -> Iterator[Figure]:
    """Keys at the far end of a slow line, without its round trip."""
    loads: dict[str, Callable[[], AbstractContextManager[object]]] = {
        "4 rows changing": lambda: helper("trickle", url),
        f"{SLOW} events/s": lambda: steady(url, SLOW),
    }
    first = dict(list(loads.items())[:1])
    told: dict[str, dict[str, Timed]] = {name: {} for name in loads}
    for program in (OURS, *plan.others):
        limit_s = plan.limit_s if program is OURS else plan.limit_s / 2
        with program.start(url, SMALL, FEW, plan.up_s, LINE_BYTES_PER_S) as terminal:
            every = plan.whole and program is not RIVAL  # whose keys take 13 s each
            for name, load in (loads if every else first).items():
                with load():
                    terminal.read(2.0)
                    hand = Hand(terminal, program.keys)
                    told[name][program.name], _ = timed(hand, plan.keys, limit_s)
    for name, some in told.items():
        if not some:
            continue
        ours = some[OURS.name]
        yield beside(
            f"key at the far end of {LINE_BYTES_PER_S:,} B/s, {at(SMALL)}, {name}",
            {program: one.words + _size(one) for program, one in some.items()},
            "20 ms",
            bool(ours.took_s) and ours.p50_ms <= 20,
        )


def _size(one: Timed) -> str:
    return f", {statistics.median(one.drawn):,.0f} B" if one.drawn else ""


# -- CPU --------------------------------------------------------------------------------------


def cpu(url: str, plan: Plan) -> Iterator[Figure]:
    """Of the whole process on Tasks, idle and busy."""
    with OURS.start(url, LARGE, FEW, plan.up_s) as terminal:
        idle = cpu_percent(terminal, plan.cpu_s)
        with steady(url, SLOW) as told:
            terminal.read(3.0)
            busy = cpu_percent(terminal, plan.cpu_s)
    yield Figure(f"CPU idle, Tasks, {at(LARGE)}", f"{idle:.1f} %", "1 %", idle <= 1)
    what = f"CPU at {told['per_s']:.0f} events/s, Tasks, {at(LARGE)}"
    yield Figure(what, f"{busy:.1f} %", "5 %", busy <= 5)


# -- all of it --------------------------------------------------------------------------------


HEADS = Heads("goal", tuple(program.name for program in OTHERS))


def measure(plan: Plan, only: str) -> Iterator[Figure]:
    """All figures, as they come."""
    parts = {"cpu": cpu, "bytes": flows, "line": far_end, "keys": keys}
    with RedisServer() as server, Worker(server.url(), server.url(1), name="anna@bench"):
        for name, part in parts.items():
            yield from part(server.url(), plan) if not only or only == name else ()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="scripts/bench screen", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    parser.add_argument("--only", default="", help="cpu, bytes, line, keys")
    options = parser.parse_args()
    tell(measure(QUICK if options.quick else Plan(), options.only), HEADS)


if __name__ == "__main__":
    main()
