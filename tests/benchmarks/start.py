"""`scripts/bench start`: what starting, watching and being there cost, on real servers.

Everything is started here on free loopback ports and ended again. `--quick` does less of each.
`--flower PROGRAM` names a `celery` with Flower installed, to be measured on the same load.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.benchmarks.kit.cost import PerSecond, cpu_s, per_second, private_mib, traffic
from tests.benchmarks.kit.figures import Figure, tell
from tests.benchmarks.kit.programs import (
    LARGE,
    ROOT,
    SMALL,
    cpu_percent,
    dashboard,
    helper,
    load,
    own,
    sent_by,
    settled,
)
from tests.benchmarks.kit.terminal import Terminal
from tests.servers import RedisServer, Worker, free_port

WORKER = "anna"
"""What is looked for on screen: the first worker's name, which nothing else bears."""


@dataclass(frozen=True)
class Plan:
    """How much of each is done."""

    starts: int = 9
    watch_s: float = 15.0
    load_s: float = 20.0
    fast_s: float = 8.0
    burst: int = 15_000
    kept: int = 30_000
    settle_s: float = 15.0
    broker_s: float = 60.0
    """As long as the longest period in which something is asked of a large cluster."""


QUICK = Plan(
    starts=3, watch_s=6.0, load_s=6.0, fast_s=4.0, kept=10_000, settle_s=8.0, broker_s=24.0
)


def watched(url: str, report: Path) -> Terminal:
    """The same program, which writes its counts down at the end."""
    return Terminal(own("watched", url, "--report", report), *LARGE, cwd=str(ROOT))


# -- measurements -----------------------------------------------------------------------------


def starts(url: str, plan: Plan) -> Iterator[Figure]:
    """Exec to ten rows and to the first worker, beside an import of textual.app."""
    imports: list[float] = []
    rows: dict[tuple[int, int], list[float]] = {SMALL: [], LARGE: []}
    workers: list[float] = []
    for turn in range(plan.starts + 1):
        took = [import_s()]
        for size in (SMALL, LARGE):
            with dashboard(url, size) as terminal:
                terminal.read(10.0, lambda: terminal.received(WORKER.encode()))
                took.append(terminal.draw(lambda: rows_drawn(terminal) >= 10) or float("nan"))
                took.append(terminal.draw(lambda: WORKER in terminal.text) or float("nan"))
        if turn:  # the first turn warms the page cache
            imports.append(took[0])
            rows[SMALL].append(took[1])
            rows[LARGE].append(took[3])
            workers += [took[2], took[4]]
    alone = statistics.median(imports)
    yield Figure("`python -c 'import textual.app'`", f"{alone * 1000:.0f} ms")
    for size in (SMALL, LARGE):
        took_s = statistics.median(rows[size])
        yield Figure(
            f"exec to 10 rows, {size[0]}x{size[1]}, median of {plan.starts}",
            f"{took_s * 1000:.0f} ms, {took_s / alone:.2f} x",
            "300 ms, 2.2 x",
            took_s <= 0.3 and took_s <= 2.2 * alone,
        )
    first = statistics.median(workers)
    yield Figure(
        f"first worker on screen, median of {len(workers)} (longest)",
        f"{first:.2f} s ({max(workers):.2f} s)",
        "1.5 s",
        first <= 1.5,
    )


def import_s() -> float:
    """Seconds of the yardstick."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import textual.app"], check=True, cwd="/")
    return time.monotonic() - began


def rows_drawn(terminal: Terminal) -> int:
    """Rows that are not blank."""
    return sum(bool(line) for line in terminal.lines)


def being_there(server: RedisServer, plan: Plan) -> Iterator[Figure]:
    """Idle: CPU, memory, and what the broker has to do for us on a small cluster."""
    client = redis.Redis.from_url(server.url())
    without = broker_cost(client, lambda: time.sleep(plan.watch_s))
    with dashboard(server.url(), LARGE) as terminal:
        settled(terminal, 10.0 - 0.5)
        memory = private_mib(terminal.pid)
        used: list[float] = []
        costs = broker_cost(client, lambda: used.append(cpu_percent(terminal, plan.watch_s)))
    ours = costs.less(without)
    yield Figure("CPU idle, Home, 160x48", f"{used[0]:.1f} %", "2 %", used[0] <= 2)
    yield Figure("memory 10 s after start (RssAnon)", f"{memory:.0f} MiB", "80 MiB", memory <= 80)
    yield cost_figure("broker, 2 workers, 1 queue", ours)
    client.close()


def broker_cost(client: "redis.Redis", during: Callable[[], object]) -> PerSecond:
    """What the broker did a second, all clients together."""
    before = traffic(client)
    during()
    return per_second(before, traffic(client))


def cost_figure(what: str, ours: PerSecond) -> Figure:
    """A broker's cost with its target."""
    return Figure(
        f"{what}: {ours.biggest}",
        f"{ours.commands:.0f} commands/s, {ours.bytes / 1e6:.3f} MB/s",
        "600 /s, 1 MB/s",
        ours.commands <= 600 and ours.bytes <= 1e6,
    )


def large_cluster(plan: Plan) -> Iterator[Figure]:
    """The broker's cost where there are 2,000 queues of four lists and 500 workers."""
    with RedisServer() as server, helper("fleet", server.url()):
        client = redis.Redis.from_url(server.url())
        without = broker_cost(client, lambda: time.sleep(plan.watch_s / 2))
        with dashboard(server.url(), LARGE) as terminal:
            settled(terminal, plan.settle_s)
            used: list[float] = []
            costs = broker_cost(client, lambda: used.append(cpu_percent(terminal, plan.broker_s)))
            memory = private_mib(terminal.pid)
        client.close()
    yield cost_figure("broker, 500 workers, 2,000 queues x 4 lists", costs.less(without))
    yield Figure("CPU and memory there, Home, 160x48", f"{used[0]:.1f} %, {memory:.0f} MiB")


def per_event(url: str, plan: Plan, flower: str | None) -> Iterator[Figure]:
    """CPU of one event at 5,000 a second, beside Celery's State and Flower on the same load."""
    arguments = ("--rate", 5000, "--seconds", plan.fast_s)
    with tempfile.TemporaryDirectory() as folder:
        ours, told = cpu_per_event(url, Path(folder), arguments)
    with helper("celery_state", url) as process:
        sent_by(load(url, *arguments))
        time.sleep(1.0)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        state = json.loads(process.stdout.readline())
    theirs = state["cpu_s"] / state["events"] * 1e6
    yield Figure("CPU per event at 5,000/s, whole process, Home", f"{ours:.0f} us")
    yield Figure(
        "Celery's Receiver + State on the same load", f"{theirs:.0f} us, {theirs / ours:.1f} x ours"
    )
    if flower:
        flowers = flower_us(flower, url, arguments)
        yield Figure(
            "Flower on the same load",
            f"{flowers:.0f} us, {flowers / ours:.1f} x ours",
            "5 x",
            flowers >= 5 * ours,
        )
    yield lost_figure(f"events lost at 5,000/s for {plan.fast_s:g} s", told)


def cpu_per_event(
    url: str, folder: Path, arguments: tuple[object, ...], rest_s: float = 1.0
) -> tuple[float, tuple[int, dict[str, int]]]:
    """Microseconds of CPU an event above idle on Home, and (sent, what was counted)."""
    report = folder / "report.json"
    with watched(url, report) as terminal:
        settled(terminal)
        idle = cpu_percent(terminal, 3.0) / 100
        began, used = time.monotonic(), cpu_s(terminal.pid)
        producer = load(url, *arguments)
        while producer.poll() is None:
            terminal.read(0.2)
            terminal.forget()
        sent = int(sent_by(producer)["events"])
        terminal.read(rest_s)
        used = cpu_s(terminal.pid) - used - idle * (time.monotonic() - began)
    told = json.loads(report.read_text())
    return used / sent * 1e6, (sent, told)


def lost_figure(what: str, told: tuple[int, dict[str, int]]) -> Figure:
    """Events sent against events counted; our own worker's heartbeats come on top."""
    sent, counted = told
    shed = sum(dict(counted["shed"]).values())  # type: ignore[call-overload]
    lost = max(0, sent - counted["events"] - shed)
    words = f"{lost} of {sent:,}" + (f", and {shed:,} left out" if shed else "")
    return Figure(what, words, "0", not lost and not shed)


def losses(url: str, plan: Plan) -> Iterator[Figure]:
    """A burst all at once, then 10,000 a second."""
    with tempfile.TemporaryDirectory() as folder:
        _, told = cpu_per_event(url, Path(folder), ("--events", plan.burst), 4.0)
        yield lost_figure(f"events lost in a burst of {plan.burst:,}", told)
    with tempfile.TemporaryDirectory() as folder:
        steady = ("--rate", 10_000, "--seconds", plan.load_s)
        took_us, told = cpu_per_event(url, Path(folder), steady, 4.0)
        yield lost_figure(f"events lost at 10,000/s for {plan.load_s:g} s", told)
        yield Figure("CPU per event there", f"{took_us:.0f} us")


def flower_us(program: str, url: str, arguments: tuple[object, ...]) -> float:
    """Microseconds of CPU an event in Flower."""
    command = [program, "-b", url, "flower", f"--port={free_port()}", "--address=127.0.0.1"]
    process = subprocess.Popen(
        command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(6.0)
        began, used = time.monotonic(), cpu_s(process.pid)
        time.sleep(3.0)
        idle = (cpu_s(process.pid) - used) / (time.monotonic() - began)
        began, used = time.monotonic(), cpu_s(process.pid)
        sent = sent_by(load(url, *arguments))
        time.sleep(2.0)
        used = cpu_s(process.pid) - used - idle * (time.monotonic() - began)
    finally:
        process.terminate()
        process.wait(10)
    return used / sent["events"] * 1e6


def task_memory(plan: Plan) -> Iterator[Figure]:
    """What one kept task takes."""
    done = subprocess.run(
        own("memory", plan.kept), cwd=ROOT, check=True, capture_output=True, text=True
    )
    told = json.loads(done.stdout)
    ours = told["bytes"] - told["text"]
    yield Figure(
        f"memory per task kept, of {told['tasks']:,}",
        f"{ours / 1000:.2f} kB + {told['text']:.0f} B of text",
        "1.5 kB + its text",
        ours <= 1500,
    )


# -- all of it --------------------------------------------------------------------------------


def measure(plan: Plan, flower: str | None, only: str) -> Iterator[Figure]:
    """All figures, as they come."""
    yield from task_memory(plan) if not only or only == "memory" else ()
    with RedisServer() as server:
        url = server.url()
        with Worker(url, server.url(1), name=f"{WORKER}@bench"):
            parts: dict[str, Callable[[], Iterator[Figure]]] = {
                "starts": lambda: starts(url, plan),
                "idle": lambda: being_there(server, plan),
                "event": lambda: per_event(url, plan, flower),
                "losses": lambda: losses(url, plan),
            }
            for name, part in parts.items():
                yield from part() if not only or only == name else ()
    yield from large_cluster(plan) if not only or only == "broker" else ()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="scripts/bench start", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    parser.add_argument("--flower", metavar="PROGRAM", help="a celery that has Flower")
    parser.add_argument("--only", default="", help="starts, idle, event, losses, …")
    options = parser.parse_args()
    tell(measure(QUICK if options.quick else Plan(), options.flower, options.only))


if __name__ == "__main__":
    main()
