"""The start screen: what is offered, and what is said of a choice that cannot be used."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from celery_tui.errors import BrokerError
from celery_tui.probe import Found
from celery_tui.projects import Project, projects
from celery_tui.screens import start
from celery_tui.screens.start import StartScreen
from tests.screens.fake import FakeHost

HERE = Found("redis://localhost:6379/2", 1.6, note="used by Celery")
LOCKED = Found("redis://localhost:6379/0", said="wants a password")
NOT_HERE = Found("amqp://guest@localhost:5672//")
Chosen = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which one Redis answers, and an empty folder."""
    monkeypatch.setattr(start, "local_redis", lambda: [HERE])
    monkeypatch.setattr(start, "local_rabbitmq", lambda: NOT_HERE)
    monkeypatch.chdir(tmp_path)
    for name in ("CELERY_BROKER_URL", "CELERY_TUI_BROKER"):
        monkeypatch.delenv(name, raising=False)


def shown(host: FakeHost) -> str:
    """The screen's text."""
    strips = host.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(pilot: Pilot[Any], host: FakeHost, words: str) -> None:
    """Wait until the screen shows this."""
    for _ in range(600):
        if words in shown(host):
            return
        await pilot.pause(0.05)
    raise AssertionError(f"{words!r} never appeared:\n{shown(host)}")


def refusing(kind: str, value: str) -> None:
    """A check that finds every choice wanting."""
    raise BrokerError("The broker refused the connection", "Check host and port.")


def program(check: Any = None) -> tuple[FakeHost, Chosen]:
    """A start screen, and what is chosen on it."""
    chosen: Chosen = []
    screen = StartScreen(
        lambda kind, value: chosen.append((kind, value)), check or (lambda kind, value: None)
    )
    return FakeHost(first=screen), chosen


async def wait_for(pilot: Pilot[Any], chosen: Chosen) -> tuple[str, str]:
    """The choice, once it was handed over."""
    for _ in range(600):
        if chosen:
            return chosen[0]
        await pilot.pause(0.05)
    raise AssertionError("nothing was chosen")


async def test_it_says_what_was_looked_for_and_what_answers() -> None:
    host, _ = program()
    async with host.run_test(size=(80, 24)) as pilot:
        await until(pilot, host, "nothing there")
        text = shown(host)
        for words in (
            HERE.url,
            "✓ answers, 2 ms",
            "CELERY_BROKER_URL",
            "not set",
            "celery-tui demo",
        ):
            assert words in text
        assert all(len(line) == 80 for line in text.splitlines())


async def test_enter_connects_to_what_answers() -> None:
    host, chosen = program()
    async with host.run_test(size=(80, 24)) as pilot:
        await until(pilot, host, "nothing there")
        await pilot.press("enter")
        assert await wait_for(pilot, chosen) == ("url", HERE.url)


async def test_a_place_where_nothing_answers_is_not_connected_to() -> None:
    host, chosen = program()
    async with host.run_test(size=(80, 24)) as pilot:
        await until(pilot, host, "nothing there")
        await pilot.press("j", "enter")
        await until(pilot, host, "Nothing to watch")
        assert not chosen


async def test_a_typed_url_that_cannot_be_used_is_answered_under_the_field() -> None:
    host, chosen = program(refusing)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"redis://:pw@h/0", "enter")
        await until(pilot, host, "✗ The broker refused the connection.")
        assert not chosen
        await pilot.press("backspace")
        assert "refused" not in shown(host)


async def test_letters_in_the_field_are_text() -> None:
    host, chosen = program()
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", "d", "q", "p")
        assert host.screen.query_one(Input).value == "dqp"
        assert not chosen


async def test_d_asks_for_the_demo() -> None:
    host, chosen = program()
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        assert await wait_for(pilot, chosen) == ("demo", "")


async def test_p_uses_the_app_in_this_folder(tmp_path: Path) -> None:
    (tmp_path / "proj").mkdir()
    (tmp_path / "proj" / "celery.py").write_text("app = Celery('x')\n", encoding="utf-8")
    host, chosen = program()
    async with host.run_test(size=(80, 24)) as pilot:
        await until(pilot, host, "./proj/celery.py")
        await pilot.press("p")
        assert await wait_for(pilot, chosen) == ("app", "proj")


async def test_a_redis_that_wants_a_password_brings_its_url_into_the_field(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start, "local_redis", lambda: [LOCKED])
    host, _ = program()
    async with host.run_test(size=(80, 24)) as pilot:
        await until(pilot, host, "wants a password")
        await pilot.press("enter", "x")
        assert host.screen.query_one(Input).value == "redis://:x@localhost:6379/0"


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (160, 48)])
async def test_it_survives_any_size(size: tuple[int, int]) -> None:
    host, _ = program(refusing)
    async with host.run_test(size=size) as pilot:
        await pilot.press("slash", *"redis://h/0", "enter")
        await pilot.pause(0.2)
        assert all(len(line) == size[0] for line in shown(host).splitlines())


def test_apps_are_found_at_the_usual_places(tmp_path: Path) -> None:
    for name in (
        "proj/celery.py",
        "src/shop/celery.py",
        "tasks.py",
        "other.py",
        "my-dir/celery.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "import celery\n" if name == "other.py" else "app = celery.Celery('x')\n"
        path.write_text(text, encoding="utf-8")
    assert projects(tmp_path) == [
        Project("./proj/celery.py", "proj"),
        Project("./tasks.py", "tasks"),
        Project("./src/shop/celery.py", "src.shop"),
    ]
