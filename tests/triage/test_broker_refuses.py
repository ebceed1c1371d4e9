"""RabbitMQ's alarms: it stands and takes no messages, so that nobody who would say so is heard."""

from celery_tui.columns.base import View
from celery_tui.columns.status import figures, link
from celery_tui.columns.workers import HOME, WorkerRows
from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import RoundEnded
from celery_tui.model.seam import Health, Link
from celery_tui.model.worker import LOST
from celery_tui.triage import evaluate
from tests.screens.sample import NOW, busy_cluster, live

LATER = NOW + 60
SAID = "The broker amqp://h takes no messages now: it is low on memory or disk"


def silent_cluster() -> Cluster:
    """Workers that were heard, and neither beat nor answer any more."""
    cluster = busy_cluster()
    live(cluster)
    cluster.apply(RoundEnded("ping", NOW + 40, NOW + 42, frozenset()))
    return cluster


def blocked() -> Cluster:
    cluster = silent_cluster()
    cluster.apply(
        Health("inspect", Link.REFUSING, NOW + 30, SAID, "See it.", at=NOW, refusal="alarm")
    )
    return cluster


def test_silence_alone_is_loss() -> None:
    assert "worker-lost" in {one.rule for one in evaluate(silent_cluster(), LATER)}


def test_an_alarm_is_the_one_finding_about_the_broker_and_nobody_is_called_lost() -> None:
    cluster = blocked()
    found = evaluate(cluster, LATER)
    assert found[0].rule == "broker-blocked"
    assert found[0].text.startswith(f"{SAID}, for 30 s")
    assert {"worker-lost", "worker-blocked", "broker-lost"}.isdisjoint(one.rule for one in found)
    states = {cluster.state_of(worker, LATER) for worker in cluster.workers.values()}
    assert LOST not in states
    assert "unknown" in states


def test_the_header_says_so_and_tells_no_rates() -> None:
    view = View(LATER, blocked())
    assert link(view).cells[0] == (" ✗ BLOCKED 30s ", "filled crit")
    told = {fact.cells[0][0].strip(): fact.cells[1][0] for fact in figures(view, 200)}
    assert (told["in"], told["out"]) == ("?", "?")
    assert WorkerRows(HOME, True).head(view).note != "all heard"


def test_it_is_over_when_the_link_is_live() -> None:
    cluster = blocked()
    live(cluster)
    assert "broker-blocked" not in {one.rule for one in evaluate(cluster, LATER)}
