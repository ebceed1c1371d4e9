"""Nothing of us stays: no key at the broker, no process, no file, however the dashboard ends."""

import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
import redis

from tests.benchmarks.kit.terminal import Terminal
from tests.servers import RedisServer, Worker, redis_program, wait_for

PROGRAM = str(Path(sys.executable).with_name("celery-tui"))
EXPIRES_WITHIN_S = 60.0
ALL = 9
"""Processes of a demo: dashboard, supervisor, broker, two workers, four pool processes."""
OF_BILLIARD = "pymp-"
"""Begins the temporary folder of a prefork worker, which stays when the worker is killed."""
Ending = Callable[[Terminal], None]


def quit_twice(terminal: Terminal) -> None:
    """As a person does."""
    terminal.press("q")
    terminal.read(0.3)
    terminal.press("q")


def terminate(terminal: Terminal) -> None:
    """As a service manager does."""
    terminal.send(signal.SIGTERM)


def hang_up(terminal: Terminal) -> None:
    """As a shell does that ends."""
    terminal.send(signal.SIGHUP)


def close_window(terminal: Terminal) -> None:
    """As a person does who has had enough of it."""
    terminal.close_window()


def kill(terminal: Terminal) -> None:
    """As the out-of-memory killer does."""
    terminal.send(signal.SIGKILL)


POLITE: tuple[Ending, ...] = (quit_twice, terminate, hang_up, close_window)


def name_of(ending: Ending) -> str:
    """For the test's id."""
    return ending.__name__


def private(folder: Path) -> dict[str, str]:
    """An environment in which everything a program writes for itself lies in one folder."""
    names = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    return dict.fromkeys((*names, "XDG_STATE_HOME", "XDG_RUNTIME_DIR"), str(folder))


def files(folder: Path) -> list[str]:
    """All that lies there."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# -- keys --------------------------------------------------------------------------------------


def keys(server: RedisServer) -> dict[str, float | None]:
    """Every key of every database in use with the seconds it still has; None: it stays."""
    found: dict[str, float | None] = {}
    for database in (0, 1):
        with redis.Redis.from_url(server.url(database)) as connection:
            for key in connection.scan_iter(count=1000):
                left_ms = connection.pttl(key)
                if left_ms != -2:
                    name = f"{database}: {key.decode(errors='replace')}"
                    found[name] = None if left_ms == -1 else left_ms / 1000
    return found


def added(before: dict[str, float | None], server: RedisServer) -> dict[str, float | None]:
    """What is there now and was not before."""
    return {name: left for name, left in keys(server).items() if name not in before}


def asked_since(before: dict[str, float | None], server: RedisServer) -> bool:
    """Whether a reply queue has been made."""
    return any("reply" in name for name in added(before, server))


@pytest.fixture
def busy_redis(own_redis: RedisServer) -> Iterator[RedisServer]:
    """A Redis with a worker on it, whose own keys are all made."""
    with Worker(own_redis.url(0), own_redis.url(1), name="anna@test"):
        # Its first ping made a reply queue that goes with the one who asked.
        wait_for(lambda: not any("reply" in name for name in keys(own_redis)), "no reply queue")
        yield own_redis


def dashboard(server: RedisServer, folder: Path) -> Terminal:
    """A real one that has seen the worker, asked it and got its answers."""
    command = [PROGRAM, "-b", server.url(0), "--result-backend", server.url(1)]
    terminal = Terminal(command, 120, 36, env=private(folder), cwd=str(folder))
    took_s = terminal.wait_for("anna")
    print(f"[took] the worker is on screen: {took_s:.3f} s")
    terminal.press("2")
    terminal.read(3.0)
    return terminal


@pytest.mark.parametrize("ending", POLITE, ids=name_of)
def test_no_key_and_no_file_is_left_after(
    ending: Ending, busy_redis: RedisServer, tmp_path: Path
) -> None:
    before = keys(busy_redis)
    with dashboard(busy_redis, tmp_path) as terminal:
        print(f"while it runs: {added(before, busy_redis)}")
        ending(terminal)
        assert terminal.ended(30.0) is not None
    assert added(before, busy_redis) == {}
    assert keys(busy_redis).keys() >= before.keys()
    assert files(tmp_path) == []


def test_after_a_kill_only_what_expires_by_itself_is_left(
    busy_redis: RedisServer, tmp_path: Path
) -> None:
    before = keys(busy_redis)
    with dashboard(busy_redis, tmp_path) as terminal:
        kill(terminal)
        terminal.ended(30.0)
        left = added(before, busy_redis)
        killed_at = time.monotonic()
    print(f"left, with the seconds they have: {left}")
    assert all(seconds is not None and seconds <= EXPIRES_WITHIN_S for seconds in left.values())
    # Answers that come late must not make a key that stays: hence until they are really gone.
    wait_for(lambda: not added(before, busy_redis), "all is gone after a kill", EXPIRES_WITHIN_S)
    print(f"gone {time.monotonic() - killed_at:.0f} s after the kill")
    assert keys(busy_redis).keys() >= before.keys()
    assert files(tmp_path) == []


def test_a_kill_while_workers_are_being_asked_leaves_nothing_that_stays(
    busy_redis: RedisServer, tmp_path: Path
) -> None:
    """All questions go out at the start: killed then, answers are still on their way."""
    before = keys(busy_redis)
    for moment in range(6):
        command = [PROGRAM, "-b", busy_redis.url(0)]
        with Terminal(command, 80, 24, env=private(tmp_path), cwd=str(tmp_path)) as terminal:
            wait_for(partial(asked_since, before, busy_redis), "it has begun to ask")
            time.sleep(moment * 0.004)
            kill(terminal)
            terminal.ended(30.0)
        left = added(before, busy_redis)
        stay = [name for name, seconds in left.items() if seconds is None]
        assert stay == [], f"killed {moment * 4} ms after it began to ask"
        before |= left
    own = [name for name in before if "reply." in name]
    assert own
    wait_for(lambda: not keys(busy_redis).keys() & set(own), "all is gone", EXPIRES_WITHIN_S)


# -- the demo ----------------------------------------------------------------------------------


def processes(folder: Path) -> list[psutil.Process]:
    """All whose temp directory is that folder: the demo hands its environment down."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR", "").startswith(str(folder)):
                found.append(process)
        except psutil.Error:
            continue
    return [one for one in found if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def demo(folder: Path) -> Terminal:
    """A real `celery-tui demo` whose workers are on screen."""
    redis_program()
    terminal = Terminal([PROGRAM, "demo"], 120, 36, env=private(folder), cwd=str(folder.parent))
    reads_until(terminal, lambda: len(processes(folder)) >= ALL, "all of the demo runs")
    both = r"busy \d/8 "
    reads_until(terminal, lambda: re.search(both, shown(terminal)), "its workers are on screen")
    return terminal


def shown(terminal: Terminal) -> str:
    """What is on screen now."""
    terminal.draw()
    return terminal.text


def reads_until(terminal: Terminal, predicate: Callable[[], object], what: str) -> None:
    """Wait as `wait_for` does, while somebody reads what the program writes."""

    def reading() -> object:
        terminal.read(0.1)
        return predicate()

    wait_for(reading, what)


def is_clean(folder: Path) -> bool:
    """No process of the demo, and nothing that it has written itself."""
    return not processes(folder) and not [name for name in files(folder) if OF_BILLIARD not in name]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home and temp directory for one demo; whatever a failed test leaves is ended."""
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    for process in processes(folder):
        process.kill()


@pytest.mark.parametrize("ending", POLITE, ids=name_of)
def test_nothing_of_a_demo_is_left_after(ending: Ending, home: Path) -> None:
    with demo(home) as terminal:
        assert files(home)
        ending(terminal)
        reads_until(terminal, lambda: is_clean(home), f"nothing is left after {name_of(ending)}")


def test_no_temporary_folder_of_its_workers_is_left_after_a_demo(home: Path) -> None:
    with demo(home) as terminal:
        quit_twice(terminal)
        reads_until(terminal, lambda: is_clean(home), "nothing else is left")
    assert files(home) == []


def test_nothing_of_a_killed_demo_is_left_once_another_has_run(home: Path) -> None:
    with demo(home) as terminal:
        supervisors = [one for one in processes(home) if "supervisor" in "".join(one.cmdline())]
        assert len(supervisors) == 1
        # With the supervisor gone first, nobody is left who could clean up.
        supervisors[0].kill()
        kill(terminal)
        terminal.ended(30.0)
    orphans = processes(home)
    print(f"left by the kill: {len(orphans)} processes, {files(home)}")
    assert orphans
    with demo(home) as terminal:
        wait_for(lambda: not any(map(is_alive, orphans)), "the next demo ended what was left")
        quit_twice(terminal)
        reads_until(terminal, lambda: is_clean(home), "nothing is left of both")


def test_a_killed_dashboard_takes_its_demo_along(home: Path) -> None:
    with demo(home) as terminal:
        kill(terminal)
        terminal.ended(30.0)
        wait_for(lambda: is_clean(home), "nothing is left after a kill of the dashboard")


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs (a zombie does not)."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
