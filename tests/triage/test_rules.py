"""Each rule names its fault, and raises nothing on a healthy cluster."""

import unicodedata

import pytest

from celery_tui.model.observations import QueueDepth, QueueDepths, Reply
from celery_tui.model.seam import Finding, Health, Level, Link
from celery_tui.triage import Memory, evaluate
from celery_tui.triage.words import SHORT_CELLS, fitted
from tests.triage.clusters import (
    ATTACHED,
    depths,
    fleet,
    heartbeat,
    listens,
    live_cluster,
    offline,
    round_ended,
    task_event,
)

NOW = ATTACHED + 60


def rules(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.rule for finding in findings]


def test_a_healthy_cluster_raises_nothing() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW - 1, w1="celery", w2="pay")
    depths(cluster, NOW - 1, celery=500, pay=0)
    task_event(cluster, "task-started", "t1", "w1@a", NOW - 1)
    assert evaluate(cluster, NOW) == ()


def test_an_empty_cluster_raises_nothing() -> None:
    assert evaluate(live_cluster(), NOW) == ()


# -- no-consumer ---------------------------------------------------------------------------------


def test_messages_that_nobody_takes_are_named() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW - 1, w1="celery", w2="celery")
    depths(cluster, NOW - 1, emails=88_110, celery=3)
    (found,) = evaluate(cluster, NOW)
    assert (found.rule, found.severity, found.subject) == ("no-consumer", Level.CRIT, "emails")
    assert found.text == "nobody consumes it: 88,110 messages, 0 of 2 workers listen"
    assert found.short == "nobody consumes it: 88,110 msgs, 0 of 2"
    assert (found.evidence, found.next) == ("queue:emails", "start a worker with -Q emails")
    assert found.since == NOW - 1


def test_an_empty_queue_that_nobody_takes_from_is_no_finding() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW - 1, w1="celery")
    depths(cluster, NOW - 1, emails=0)
    assert evaluate(cluster, NOW) == ()


def test_nobody_is_accused_before_all_workers_have_told_what_they_listen_to() -> None:
    cluster = live_cluster()
    depths(cluster, NOW, emails=5)
    assert evaluate(cluster, NOW) == ()
    heartbeat(cluster, "w1@a", NOW)
    listens(cluster, "w1@a", NOW, "celery")
    assert evaluate(cluster, NOW) == ()  # the round is not over: w2 may listen
    round_ended(cluster, "active_queues", NOW, "w1@a")
    heartbeat(cluster, "w2@a", NOW)
    assert evaluate(cluster, NOW + 1) == ()  # w2 is new
    listens(cluster, "w2@a", NOW + 1, "emails")
    assert evaluate(cluster, NOW + 2) == ()
    listens(cluster, "w2@a", NOW + 2, "celery")
    assert rules(evaluate(cluster, NOW + 3)) == ["no-consumer"]


def test_a_worker_that_never_tells_is_counted() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery")
    heartbeat(cluster, "busy@a", NOW)
    heartbeat(cluster, "busy@a", NOW + 11)
    heartbeat(cluster, "w1@a", NOW + 11)
    depths(cluster, NOW + 11, emails=1)
    (found,) = evaluate(cluster, NOW + 12)
    assert found.text == "nobody consumes it: 1 message, 0 of 2 workers listen, 1 did not say"


def test_without_any_worker_nobody_consumes() -> None:
    cluster = live_cluster()
    round_ended(cluster, "active_queues", NOW)
    depths(cluster, NOW, emails=1)
    (found,) = evaluate(cluster, NOW)
    assert found.text == "nobody consumes it: 1 message, no worker is online"


def test_a_quarantine_is_never_unconsumed() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery")
    read = {"celery-tui:quarantine:q:x": QueueDepth(9, {"0": 9}, quarantine=True)}
    cluster.apply(QueueDepths(NOW, read))
    assert evaluate(cluster, NOW) == ()


def test_a_consumer_that_was_cancelled_is_named_at_once() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="emails")
    depths(cluster, NOW, emails=7)
    listens(cluster, "w1@a", NOW + 1, "celery")
    (found,) = evaluate(cluster, NOW + 1)
    assert found.detail == "w1@a listened last and stopped"
    assert found.since == NOW + 1


def test_a_warm_restart_of_the_only_consumer_raises_nothing() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="emails")
    depths(cluster, NOW, emails=7)
    offline(cluster, "w1@a", NOW + 1)
    depths(cluster, NOW + 2, emails=9)
    assert evaluate(cluster, NOW + 4) == ()
    heartbeat(cluster, "w1@a", NOW + 5, pid=5500)
    depths(cluster, NOW + 5, emails=9)
    assert evaluate(cluster, NOW + 6) == ()


def test_the_only_consumer_that_stays_away_is_named() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="emails")
    offline(cluster, "w1@a", NOW + 1)
    depths(cluster, NOW + 2, emails=9)
    assert evaluate(cluster, NOW + 4) == ()
    (found,) = evaluate(cluster, NOW + 30)
    assert found.text == "nobody consumes it: 9 messages, no worker is online"
    assert found.detail == "w1@a listened last and went offline"


def test_what_was_so_when_we_attached_says_so() -> None:
    cluster = live_cluster()
    fleet(cluster, ATTACHED + 1, w1="celery")
    depths(cluster, ATTACHED + 1, emails=9)
    (found,) = evaluate(cluster, ATTACHED + 2)
    assert found.detail == "it was so when we attached"


# -- broker-lost ---------------------------------------------------------------------------------


def test_a_lost_broker_says_since_when_and_when_it_is_tried_again() -> None:
    cluster = live_cluster()
    lost = Health("events", Link.LOST, NOW - 31, "The broker redis://h refused the connection",
                  "Check host and port", retry_at=NOW + 4, tries=3)  # fmt: skip
    cluster.apply(lost)
    (found,) = evaluate(cluster, NOW)
    assert (found.rule, found.severity, found.since) == ("broker-lost", Level.CRIT, NOW - 31)
    assert found.text == (
        "The broker redis://h refused the connection; lost for 31 s, tries again in 4 s; "
        "values are the last ones known"
    )
    assert found.short == "lost 31 s, tries again in 4 s"
    assert found.next == "Check host and port"


def test_a_lost_broker_hides_what_follows_from_it() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery", w2="celery")
    task_event(cluster, "task-started", "t1", "w1@a", NOW)
    cluster.workers["w1@a"].ping_missed_at = NOW + 20
    cluster.workers["w2@a"].events_enabled = False
    assert rules(evaluate(cluster, NOW + 30)) == ["worker-lost", "events-off"]
    cluster.apply(Health("queues", Link.LOST, NOW + 30, "gone"))
    assert rules(evaluate(cluster, NOW + 31)) == ["broker-lost"]


def test_a_lost_result_backend_is_no_lost_broker() -> None:
    cluster = live_cluster()
    cluster.apply(Health("results", Link.LOST, NOW, "gone"))
    assert evaluate(cluster, NOW) == ()


def test_queues_that_may_not_be_read_are_no_lost_broker() -> None:
    cluster = live_cluster()
    cluster.apply(Health("queues", Link.OFF, NOW, "no permission"))
    assert evaluate(cluster, NOW) == ()


# -- worker-lost ---------------------------------------------------------------------------------


def test_a_lost_worker_is_named_with_what_ran_on_it() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery", w2="celery")
    for task_id in ("aaaaaaaaaa", "bbbbbbbbbb"):
        task_event(cluster, "task-started", task_id, "w1@a", NOW)
    heartbeat(cluster, "w2@a", NOW + 20)
    round_ended(cluster, "ping", NOW + 10, "w2@a")
    (found,) = evaluate(cluster, NOW + 20)
    assert (found.rule, found.severity, found.subject) == ("worker-lost", Level.CRIT, "w1@a")
    assert found.text == (
        "silent for 20 s and no answer to a ping, pid 4410; "
        "2 tasks ran on it: pay.charge aaaaaaaa, pay.charge bbbbbbbb"
    )
    assert found.short == "lost 20 s, pid 4410, 2 tasks ran"
    assert found.evidence == "worker:w1@a"
    assert found.since == NOW
    assert "acks_late" in found.detail


def test_a_task_that_had_left_a_worker_before_it_was_lost_did_not_run_on_it() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW - 50, w1="celery")
    entry = {"id": "u1", "name": "pay.charge", "time_start": NOW - 49}
    for at, listed in ((NOW - 40, [entry]), (NOW - 30, []), (NOW - 20, [])):
        cluster.apply(Reply("active", "w1@a", listed, at, at))
    heartbeat(cluster, "w1@a", NOW)
    round_ended(cluster, "ping", NOW + 10)
    (found,) = evaluate(cluster, NOW + 20)
    assert cluster.tasks["u1"].state == "UNKNOWN"
    assert (found.rule, found.short) == ("worker-lost", "lost 20 s, pid 4410, 0 tasks ran")


def test_a_lost_worker_that_did_nothing_is_only_a_warning() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery")
    round_ended(cluster, "ping", NOW + 10)
    (found,) = evaluate(cluster, NOW + 20)
    assert (found.rule, found.severity) == ("worker-lost", Level.WARN)


def test_a_silent_worker_that_was_not_asked_yet_is_not_lost() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery")
    assert evaluate(cluster, NOW + 20) == ()


def test_a_worker_that_said_goodbye_is_not_lost() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery")
    offline(cluster, "w1@a", NOW + 1)
    round_ended(cluster, "ping", NOW + 10)
    assert evaluate(cluster, NOW + 20) == ()


def test_one_missed_answer_of_a_worker_without_heartbeat_proves_nothing() -> None:
    cluster = live_cluster()
    listens(cluster, "solo@a", NOW, "celery")
    worker = cluster.workers["solo@a"]
    worker.heartbeat = False
    round_ended(cluster, "ping", NOW + 5)
    assert evaluate(cluster, NOW + 6) == ()
    assert rules(evaluate(cluster, NOW + 30)) == ["worker-lost"]


# -- events-off ----------------------------------------------------------------------------------


def test_workers_without_events_are_one_finding() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery", w2="celery", w3="celery")
    for hostname in ("w1@a", "w3@a"):
        cluster.workers[hostname].events_enabled = False
    (found,) = evaluate(cluster, NOW)
    assert (found.rule, found.severity) == ("events-off", Level.WARN)
    assert found.text.startswith("off on 2 of 3 workers: their failures")
    assert found.detail.endswith("w1@a, w3@a")
    assert found.next.startswith("E switches them on")


def test_idle_workers_whose_events_are_unknown_are_no_finding() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery")
    assert cluster.workers["w1@a"].events_enabled is None
    assert evaluate(cluster, NOW) == ()


def test_a_stopped_worker_without_events_is_no_finding() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery")
    cluster.workers["w1@a"].events_enabled = False
    offline(cluster, "w1@a", NOW + 1)
    assert evaluate(cluster, NOW + 1) == ()


# -- all together --------------------------------------------------------------------------------


def test_the_critical_come_first_then_the_oldest() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery")
    cluster.workers["w1@a"].events_enabled = False
    depths(cluster, NOW, young=1, old=1)
    cluster.queues["old"].unconsumed_since = NOW - 50
    found = evaluate(cluster, NOW)
    assert [one.subject for one in found] == ["old", "young", "task events"]


def test_since_stays_while_a_finding_stands_or_flickers() -> None:
    cluster, memory = live_cluster(), Memory()
    fleet(cluster, NOW, w1="celery")
    worker = cluster.workers["w1@a"]
    worker.events_enabled = False
    assert evaluate(cluster, NOW, memory)[0].since == NOW
    heartbeat(cluster, "w1@a", NOW + 4)
    worker.events_enabled = True
    assert evaluate(cluster, NOW + 4, memory) == ()
    worker.events_enabled = False
    assert evaluate(cluster, NOW + 5, memory)[0].since == NOW
    worker.events_enabled = True
    heartbeat(cluster, "w1@a", NOW + 30)
    assert evaluate(cluster, NOW + 30, memory) == ()
    worker.events_enabled = False
    assert evaluate(cluster, NOW + 31, memory)[0].since == NOW + 31


HOSTILE = ["[/oops]", "\x1b[2J", "nul\x00", "\u202eltr", "漢字" * 60, "x" * 100_000, "", "\ud800"]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_never_crash_a_rule(name: str) -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, **{name: "celery", "w2": "celery"})
    depths(cluster, NOW, **{name: 5})
    task_event(cluster, "task-started", f"{name}!", f"{name}@a", NOW)
    cluster.workers["w2@a"].events_enabled = False
    cluster.workers[f"{name}@a"].ping_missed_at = NOW + 10
    heartbeat(cluster, "w2@a", NOW + 20)
    found = evaluate(cluster, NOW + 20)
    assert sorted(rules(found)) == ["events-off", "no-consumer", "worker-lost"]
    for one in found:
        assert _cells(one.short) <= SHORT_CELLS
        assert one.text


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def test_a_short_text_never_exceeds_its_cells() -> None:
    assert fitted("漢" * 22) == "漢" * 22
    assert fitted("漢" * 23) == "漢" * 21 + "…"
    assert fitted("a" * 45) == "a" * 43 + "…"
