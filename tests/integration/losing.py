"""A dashboard that hears nothing for a while, on any broker, and what it says of that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from celery_tui.model.seam import Link
from celery_tui.report.document import document
from celery_tui.settings import Settings
from tests.owner import Owner
from tests.servers import wait_for
from tests.sources.fleet import Crew


def begun(crew: Crew) -> int:
    """How many tasks the worker's ledger says were begun."""
    return crew.worker.ledger.read_text().count("\n") if crew.worker.ledger.exists() else 0


def heartbeats(owner: Owner, crew: Crew, count: int) -> None:
    """Wait for so many more of them, while tasks go on."""
    for _ in range(count):
        heard = owner.monitor.cluster.workers[crew.worker.hostname].heard_at
        crew.send(1, task="sample.echo")
        owner.until(
            lambda c, heard=heard: c.workers[crew.worker.hostname].heard_at != heard,  # type: ignore[misc]
            "a heartbeat",
        )


def attached(owner: Owner, crew: Crew) -> None:
    """Wait until the worker's books are open and nothing is missing."""
    owner.until(lambda c: crew.worker.hostname in c.workers, "the worker")
    heartbeats(owner, crew, 3)
    owner.until(lambda c: c.workers[crew.worker.hostname].loss.lost == 0, "nothing is lost yet")


def lost(owner: Owner, crew: Crew) -> Any:
    """What is said of the worker."""
    return owner.monitor.cluster.workers[crew.worker.hostname].loss.lost


def settled(owner: Owner, crew: Crew) -> None:
    """Wait for the heartbeats that prove a loss."""
    heartbeats(owner, crew, 5)


def deaf_for_a_while(
    crew: Crew,
    started: set[str],
    listeners: Callable[[], set[str]],
    close: Callable[[str], object],
) -> None:
    """The broker closes our connections while 400 tasks run: what was missed is counted.

    ``listeners``: names of the connections that hear events; ``close``: ends one of them.
    """
    others = listeners()
    with Owner(Settings(broker=crew.worker.broker)) as owner:
        attached(owner, crew)
        before = begun(crew)
        victims = wait_for(lambda: listeners() - others, "the broker lists our connection")
        ids: list[str] = []
        sender = threading.Thread(target=lambda: ids.extend(crew.send(400, task="sample.echo")))
        sender.start()  # while it sends tasks begin: also in the moment in which nobody hears
        wait_for(lambda: begun(crew) > before + 50, "tasks run")
        for victim in victims:
            close(victim)
        sender.join()
        wait_for(lambda: begun(crew) >= before + 400, "400 tasks have run")
        owner.until(lambda c: c.health["events"].state == Link.LIVE, "we listen again")
        settled(owner, crew)
        owner.until(lambda _: lost(owner, crew) == len(set(ids) - started), "the loss is counted")
        missing = len(set(ids) - started)
        print(f"{missing} of 400 starts were not heard")
        assert missing > 0
        told = document(owner.monitor)
        (worker,) = told["workers"]
        assert worker["lost_events"] == told["events"]["lost"] == missing
        assert 0 < told["events"]["coverage"] < 1
        ((since, until, reason),) = told["events"]["gaps"]
        assert since < until
        assert "closed the connection" in reason
        texts = [line.text for line in owner.monitor.cluster.log]
        assert any(f"lost the events of ~{missing} tasks of w1@test" in one for one in texts)
