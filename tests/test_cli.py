"""The command line: help, options, and one clear sentence with exit code 3 for what goes wrong."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import click
import pytest
from click.testing import CliRunner

from celery_tui import __version__, cli, settings
from celery_tui.errors import SettingsError
from tests.conftest import missing
from tests.servers import RedisServer, ServerMissing, free_port
from tests.shell import OURS, Ended, in_terminal, run

PASSWORD = "hunter2-secret"
Asked = list[tuple[settings.Settings, tuple[object, ...]]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the command line asked for, instead of it being done."""
    heard: Asked = []

    def hear(settings: settings.Settings, *more: object) -> int:
        heard.append((settings, more))
        return 0

    for name in ("dashboard", "demonstration", "told_status"):
        monkeypatch.setattr(cli, name, hear)
    for name in [name for name in os.environ if name.startswith("CELERY_")]:
        monkeypatch.delenv(name)
    return heard


def invoke(*args: str, **env: str) -> tuple[int, str]:
    """Exit code and all output."""
    done = CliRunner(env=env).invoke(cli.main, args)
    return done.exit_code, done.output


# -- what is asked for -----------------------------------------------------------------------


def test_help_shows_examples_and_exit_codes() -> None:
    code, text = invoke("--help")
    assert code == 0
    for words in ("celery-tui demo", "celery -A proj tui", "--broker-file", "3 could not look"):
        assert words in text


@pytest.mark.parametrize("command", ["demo", "status"])
def test_each_command_has_help(command: str) -> None:
    assert invoke(command, "--help")[0] == 0


def test_version() -> None:
    assert invoke("--version") == (0, f"celery-tui, version {__version__}\n")


def test_without_a_command_the_dashboard_is_shown(asked: Asked) -> None:
    assert invoke("-b", "redis://a/0", "--read-only", "--ascii", "--no-diff")[0] == 0
    ((given, _),) = asked
    assert (given.broker, given.read_only, given.ascii) == ("redis://a/0", True, True)
    assert given.no_diff


def test_options_may_stand_before_or_after_a_command(asked: Asked) -> None:
    invoke("-b", "redis://a/0", "status", "--json")
    invoke("status", "-b", "redis://a/0", "--json")
    invoke("-b", "redis://b/0", "status", "-b", "redis://a/0", "--json", "--listen", "2s")
    assert [given.broker for given, _ in asked] == ["redis://a/0"] * 3
    assert [more for _, more in asked] == [(2.0, True)] * 3


@pytest.mark.parametrize(("text", "seconds"), [("2", 2), ("500ms", 0.5), ("1.5s", 1.5), ("1m", 60)])
def test_durations(text: str, seconds: float) -> None:
    assert cli.Seconds().convert(text, None, None) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "x", "0", "-1s", "2h", "nan", "1e9"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        cli.Seconds().convert(text, None, None)


def test_the_demo_can_be_a_default_cluster(asked: Asked) -> None:
    invoke("demo", "--plain-cluster", "--rate", "3", "--theme", "paper")
    ((given, more),) = asked
    assert (given.theme, more) == ("paper", (True, 3.0))


def test_a_broker_file_keeps_the_password_out_of_the_command(asked: Asked, tmp_path: Path) -> None:
    path = tmp_path / "broker"
    path.write_text("redis://:pw@a/0\n", encoding="utf-8")
    invoke("--broker-file", str(path))
    assert asked[0][0].broker == "redis://:pw@a/0"


def test_a_broker_and_a_broker_file_exclude_each_other(asked: Asked, tmp_path: Path) -> None:
    code, text = invoke("-b", "redis://a/0", "--broker-file", str(tmp_path / "x"))
    assert (code, text.count("\n")) == (3, 1)
    assert not asked


@pytest.mark.parametrize(
    "args", [["--nope"], ["nope"], ["--theme", "pink"], ["demo", "--rate", "x"]]
)
def test_a_wrong_option_is_one_line_and_exit_code_3(args: list[str]) -> None:
    code, text = invoke(*args)
    assert code == 3
    assert text.startswith("celery-tui: ")
    assert text.count("\n") == 1


def test_an_unexpected_error_is_one_line_and_tells_of_the_log() -> None:
    with patch.object(cli, "dashboard", side_effect=RuntimeError("redis://:pw@a/0\nbroke")):
        code, text = invoke("-b", "redis://a/0")
    assert code == 3
    assert text.count("\n") == 1
    assert "--log FILE" in text
    assert ":pw@" not in text


def test_the_log_holds_the_traceback_of_an_unexpected_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with patch.object(cli, "dashboard", side_effect=RuntimeError("redis://:pw@a/0 broke")):
        code, text = invoke("-b", "redis://a/0", "--log", str(log))
    assert code == 3
    assert str(log) in text
    told = log.read_text(encoding="utf-8")
    assert "Traceback" in told
    assert ":pw@" not in told
    assert log.stat().st_mode & 0o077 == 0


def test_an_expected_error_is_its_title_and_its_hint() -> None:
    error = SettingsError("It is wrong", "Make it right.")
    with patch.object(cli, "dashboard", side_effect=error):
        assert invoke() == (3, "celery-tui: It is wrong. Make it right.\n")


# -- as a person runs it ---------------------------------------------------------------------


def one_sentence(ended: Ended) -> str:
    """The sentence of a refusal; asserts that it is one, without traceback and password."""
    lines = [line for line in ended.said.splitlines() if line.strip()]
    assert ended.code == 3, ended
    assert len(lines) == 1, ended
    assert lines[0].startswith("celery-tui: ")
    assert "Traceback" not in ended.said
    assert PASSWORD not in ended.said
    return lines[0]


@pytest.fixture(scope="module")
def locked_redis() -> Iterator[RedisServer]:
    """A Redis that wants a password."""
    try:
        server = RedisServer(password=PASSWORD)
    except ServerMissing as error:
        missing(str(error))
    with server:
        yield server


def refused(url: str, *more: str) -> str:
    """The sentence with which the dashboard refuses a broker, and status too."""
    status = one_sentence(run(*OURS, "-b", url, *more, "status"))
    assert status
    return one_sentence(in_terminal([*OURS, "-b", url, *more]))


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("localhost:6379", "no broker URL"),
        ("", "no broker URL"),
        ("foo://host/0", "no broker called 'foo'"),
        (f"redis://:{PASSWORD}#x@localhost/0", "malformed"),
        (f"redis://localhost/0?password={PASSWORD}", "no password after the ?"),
        ("sqs://", "driver"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, word: str) -> None:
    assert word in refused(url)


def test_a_port_where_nothing_listens() -> None:
    assert "refused the connection" in refused(f"redis://:{PASSWORD}@127.0.0.1:{free_port()}/0")


def test_a_host_that_nobody_knows() -> None:
    assert "nobody knows" in refused(f"redis://:{PASSWORD}@nohost.invalid/0")


def test_a_missing_password(locked_redis: RedisServer) -> None:
    assert "wants a password" in refused(f"redis://127.0.0.1:{locked_redis.port}/0")


def test_a_wrong_password(locked_redis: RedisServer) -> None:
    wrong = refused(f"redis://:not-{PASSWORD}@127.0.0.1:{locked_redis.port}/0")
    assert "refused the password" in wrong


def test_an_app_that_fails_to_import(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    for args in (["-A", "broken"], ["-A", "missing"]):
        assert args[1] in one_sentence(in_terminal([*OURS, *args], cwd=tmp_path))
        assert args[1] in one_sentence(run(*OURS, *args, "status", cwd=tmp_path))


def test_without_a_terminal_it_is_refused() -> None:
    assert "stdin" in one_sentence(run(*OURS))


def test_with_stdin_closed_it_is_refused() -> None:
    script = "import os, sys; os.close(0); os.execv(sys.argv[1], sys.argv[1:])"
    assert "stdin" in one_sentence(run(sys.executable, "-c", script, *OURS))


def test_a_dumb_terminal_is_refused() -> None:
    assert "TERM=dumb" in one_sentence(in_terminal(OURS, env={"TERM": "dumb"}))


def test_the_start_screen_can_be_left_at_once(tmp_path: Path) -> None:
    ended = in_terminal(OURS, cwd=tmp_path, keys=b"q", until="Or type one")
    assert ended.code == 0
    assert "Traceback" not in ended.said


# -- the plugin ------------------------------------------------------------------------------

CELERY = (sys.executable, "-m", "celery")
PROJECT = """
from celery import Celery
app = Celery("proj", broker={broker!r})
"""


def project(folder: Path, broker: str) -> Path:
    """A project that knows nothing of us."""
    (folder / "proj").mkdir()
    (folder / "proj" / "__init__.py").touch()
    (folder / "proj" / "celery.py").write_text(PROJECT.format(broker=broker), encoding="utf-8")
    return folder


def test_celery_offers_our_command(tmp_path: Path) -> None:
    folder = project(tmp_path, "memory://")
    told = run(*CELERY, "-A", "proj", "tui", "--help", cwd=folder)
    assert told.code == 0
    assert "--read-only" in told.out
    assert "status" in told.out


def test_the_plugin_needs_a_terminal_too(tmp_path: Path) -> None:
    ended = run(*CELERY, "-A", "proj", "tui", cwd=project(tmp_path, "memory://"))
    assert "stdin" in one_sentence(ended)


def test_the_plugin_takes_the_broker_from_the_app(tmp_path: Path) -> None:
    url = f"redis://:{PASSWORD}@127.0.0.1:{free_port()}/7"
    folder = project(tmp_path, [url, url])  # type: ignore[arg-type]
    sentence = one_sentence(in_terminal([*CELERY, "-A", "proj", "tui"], cwd=folder))
    assert "/7" in sentence


def test_celerys_own_broker_option_wins_over_the_environment(tmp_path: Path) -> None:
    folder = project(tmp_path, "memory://")
    command = [*CELERY, "-b", f"redis://127.0.0.1:{free_port()}/5", "tui"]
    env = {"CELERY_TUI_BROKER": "redis://127.0.0.1:1/6"}
    assert "/5" in one_sentence(in_terminal(command, cwd=folder, env=env))


def test_status_through_the_plugin(tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{free_port()}/7"
    command = [*CELERY, "-A", "proj", "tui", "status", "--json"]
    assert "/7" in one_sentence(run(*command, cwd=project(tmp_path, url)))


def test_stdin_of_a_pipe_is_no_keyboard() -> None:
    assert one_sentence(run(*OURS, stdin=subprocess.PIPE))
