"""What ends the program or a thread unexpectedly, and the audit: no password is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from celery_tui.actions import audit
from celery_tui.model.seam import Act, Stage, Target
from tests.actions.acting import Operator, request
from tests.integration.test_odd_urls import PASSWORD, says_nothing
from tests.odd_urls import MARK
from tests.servers import RedisServer, free_port, wait_for
from tests.shell import OURS, Ended, in_terminal, run

PROJECT = """
import json
from urllib.parse import quote
import celery
URL, PASSWORD = {url!r}, {password!r}
app = celery.Celery("crashing", broker=URL, backend=URL.replace("/0", "/1"))
app.conf.broker_transport_options = {{"sentinel_kwargs": {{"password": "{mark} of 'sentinels'"}}}}

def boom(*_, **__):
    secret = app.conf.broker_transport_options["sentinel_kwargs"]["password"]
    spelled = [PASSWORD, quote(PASSWORD), secret, repr(secret), json.dumps(secret), secret.encode()]
    raise RuntimeError(f"boom {{URL}} {{spelled}}") from ValueError(repr(spelled))

{crash}
"""
IN_THE_APP = "from celery_tui.app import CeleryTui\nCeleryTui._tick = boom"
IN_A_TASK_OF_THE_LOOP = "from celery_tui.app import CeleryTui\nCeleryTui._drain_forever = boom"
IN_A_SOURCE = "from celery_tui.sources.queues import QueueSource\nQueueSource.session = boom"
IN_A_THREAD = "from celery_tui.sources.base import Source\nSource._run = boom"
WHEN_CLEANED_UP = "class Left:\n    __del__ = boom\nleft = Left()\ndel left"
AT_IMPORT = "boom()"
IN_STATUS = "from celery_tui.monitor import Monitor\nMonitor.tick = boom"


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """A Redis that lets in a user with an @ in its name."""
    with RedisServer() as server:
        with Redis(port=server.port) as client:
            rules = ("on", f">{PASSWORD}", "~*", "&*", "+@all")
            client.execute_command("ACL", "SETUSER", "ops@tenant", *rules)
        yield f"redis://ops@tenant:{PASSWORD}@127.0.0.1:{server.port}/0"


def command(folder: Path, url: str, crash: str) -> list[str]:
    """Ours with a project that brings it to fall."""
    text = PROJECT.format(url=url, password=PASSWORD, mark=MARK, crash=crash)
    (folder / "crashing.py").write_text(text, encoding="utf-8")
    return [*OURS, "-A", "crashing", "--log", str(folder / "log")]


def told(ended: Ended, folder: Path, state_home: Path, words: str) -> None:
    """It is told, in the log in full, and nowhere with a password."""
    says_nothing(ended, folder / "log", state_home)
    log = (folder / "log").read_text(encoding="utf-8")
    assert words in log, (ended, log)
    assert "Traceback" in log


@pytest.mark.parametrize("crash", [IN_THE_APP, IN_A_TASK_OF_THE_LOOP])
def test_the_dashboard_falls(crash: str, redis_url: str, tmp_path: Path, state_home: Path) -> None:
    ended = in_terminal(command(tmp_path, redis_url, crash), cwd=tmp_path)
    assert ended.code == 3
    assert "Something unexpected happened" in ended.said
    told(ended, tmp_path, state_home, "boom redis://ops@tenant:***@127.0.0.1")


def test_the_dashboard_falls_without_a_log(redis_url: str, tmp_path: Path) -> None:
    ended = in_terminal(command(tmp_path, redis_url, IN_THE_APP)[:-2], cwd=tmp_path)
    assert "Something unexpected happened" in ended.said
    assert MARK not in ended.said


def test_status_falls(redis_url: str, tmp_path: Path, state_home: Path) -> None:
    ended = run(*command(tmp_path, redis_url, IN_STATUS), "status", cwd=tmp_path)
    assert ended.code == 3
    assert "Something unexpected happened" in ended.err
    told(ended, tmp_path, state_home, "boom redis://ops@tenant:***@127.0.0.1")


@pytest.mark.parametrize("crash", [IN_A_SOURCE, IN_A_THREAD])
def test_a_thread_falls(crash: str, redis_url: str, tmp_path: Path, state_home: Path) -> None:
    for form in (["status"], ["status", "--json"]):
        ended = run(*command(tmp_path, redis_url, crash), *form, cwd=tmp_path)
        assert ended.code in (0, 1, 2)
        told(ended, tmp_path, state_home, "boom redis://ops@tenant:***@127.0.0.1")


@pytest.mark.parametrize("crash", [AT_IMPORT, WHEN_CLEANED_UP])
def test_the_project_falls(crash: str, redis_url: str, tmp_path: Path) -> None:
    """While the dashboard has the terminal, it says so in the Log."""
    words, log = command(tmp_path, redis_url, crash), tmp_path / "log"
    for ended in (in_terminal(words, cwd=tmp_path, keys=b"qq", until="Home"),
                  run(*words, "status", cwd=tmp_path)):  # fmt: skip
        said = ended.said + (log.read_text(encoding="utf-8") if log.exists() else "")
        assert "boom redis://ops@tenant:***@127.0.0.1" in said
        assert MARK not in said
        log.unlink(missing_ok=True)


def test_a_refused_act_is_written_down_without_the_password(state_home: Path) -> None:
    with RedisServer() as server:
        with Redis(port=server.port) as client:
            rules = ("on", f">{PASSWORD}", "~*", "&*", "+@all")
            client.execute_command("ACL", "SETUSER", "ops@tenant", *rules)
        url = f"redis://ops@tenant:{PASSWORD}@127.0.0.1:{server.port}/0"
        with Operator(f"{url};redis://v:{PASSWORD}@127.0.0.1:{free_port()}/0") as person:
            server.kill()
            revoke = request(Act.REVOKE, Target("task", "a-task"))
            person.monitor.perform(revoke)
            said = person.until(
                lambda: [o for _, o in person.cluster.outcomes if o.request is revoke],
                "the outcome",
            )
            wait_for(audit.path().exists, "the audit line")
            lines = [line.text for line in person.cluster.log]
    assert said[0].stage == Stage.FAILED
    written = audit.path().read_text(encoding="utf-8")
    line = json.loads(written)
    assert line["broker"].startswith("redis://ops@tenant:***@127.0.0.1")
    assert "refused" in line["outcome"]
    for text in (written, said[0].text, *lines):
        assert MARK not in text
