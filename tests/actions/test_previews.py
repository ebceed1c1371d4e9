"""Previews: what a confirm dialog says before anything is asked of the cluster."""

import subprocess
import sys
from typing import Any

import pytest

from celery_tui import actions
from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import EventBatch, QueueDepth, QueueDepths, Reply
from celery_tui.model.seam import Act, ActionRequest, Health, Link, Outcome, Preview, Stage, Target

NOW = 1_000.0
W1, W2 = "w1@host", "w2@host"


def press(act: Act, *targets: Target, **more: Any) -> ActionRequest:
    return ActionRequest("r1", act, targets, NOW, **more)


def event(kind: str, uuid: str | None = None, at: float = 990.0, **more: Any) -> Event:
    return Event(f"{kind}", at, hostname=more.pop("hostname", W1), uuid=uuid, pid=100, **more)


def cluster(*events: Event, pools: dict[str, str] | None = None) -> Cluster:
    """Two live workers and whatever these events tell."""
    cluster = Cluster(900.0)
    cluster.apply(Health("events", Link.LIVE, 900.0))
    beats = tuple(event("worker-heartbeat", at=999.0, hostname=w, freq=2.0) for w in (W1, W2))
    cluster.apply(EventBatch(999.0, (*beats, *events), {}))
    for worker, pool in (pools or {W1: "prefork", W2: "prefork"}).items():
        stats = {"pool": {"implementation": f"celery.concurrency.{pool}:TaskPool"}}
        cluster.apply(Reply("stats", worker, stats, 999.0, 999.0))
    return cluster


def running(uuid: str, worker: str = W1) -> tuple[Event, ...]:
    return (
        event("task-received", uuid, 980.0, hostname=worker, name="crm.sync", args="(42,)"),
        event("task-started", uuid, 981.0, hostname=worker),
    )


def ended(uuid: str) -> tuple[Event, ...]:
    return (*running(uuid), event("task-succeeded", uuid, 985.0, result="1", runtime=4.0))


def row(cluster: Cluster, uuid: str) -> Target:
    task = cluster.tasks[uuid]
    return Target("task", uuid, task.name, task.worker, task.pid, task.state)


def every_word(preview: Preview) -> str:
    return "\n".join((*preview.facts, *preview.warnings))


def test_importing_the_actions_loads_no_celery_and_no_driver() -> None:
    code = (
        "import sys, celery_tui.actions;"
        "print(sorted({'celery', 'kombu', 'redis', 'amqp', 'textual'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_every_act_has_an_action() -> None:
    assert set(actions.ACTIONS) == set(Act)


@pytest.mark.parametrize("act", [act for act in Act if act != Act.UNDO])
def test_nothing_selected_is_blocked(act: Act) -> None:
    assert "is selected" in actions.preview(press(act), cluster()).blocked


@pytest.mark.parametrize("act", list(Act))
def test_a_lost_broker_blocks_every_act(act: Act) -> None:
    known = cluster(*running("a"))
    known.apply(Health("events", Link.LOST, 999.5, error="gone"))
    preview = actions.preview(press(act, row(known, "a")), known)
    assert preview.blocked == "The broker is lost: acts are off until it is back."


def test_more_targets_than_a_worker_remembers_are_refused() -> None:
    targets = tuple(Target("task", str(number)) for number in range(50_001))
    assert "More than 50,000" in actions.preview(press(Act.REVOKE, *targets), cluster()).blocked


@pytest.mark.parametrize(("amqp", "end"), [(False, "old end"), (True, "new end")])
def test_an_undo_says_where_messages_go_before_the_broker_was_asked(amqp: bool, end: str) -> None:
    known = cluster()
    known.is_amqp = amqp
    assert end in " ".join(actions.preview(press(Act.UNDO), known).facts)


# -- revoke ----------------------------------------------------------------------------------


def test_revoke_says_that_a_running_task_goes_on() -> None:
    known = cluster(*running("a"))
    preview = actions.preview(press(Act.REVOKE, row(known, "a")), known)
    assert preview.title == "REVOKE  1 task"
    assert preview.blocked == ""
    assert "revoke lets that go on to its end, terminate (T) stops it" in every_word(preview)
    assert preview.command == 'celery -b "$CELERY_BROKER_URL" control revoke a'


def test_revoke_warns_that_threads_and_gevent_run_what_they_hold() -> None:
    for pool in ("thread", "gevent"):
        known = cluster(event("task-received", "a", name="n"), pools={W1: pool, W2: "prefork"})
        preview = actions.preview(press(Act.REVOKE, row(known, "a")), known)
        assert f"1 task on {W1} may run anyway" in every_word(preview)


def test_revoke_of_what_ended_is_blocked_and_of_a_mixture_is_not() -> None:
    known = cluster(*ended("a"), *running("b"))
    one = actions.preview(press(Act.REVOKE, row(known, "a")), known)
    assert one.blocked == "It has ended already: SUCCESS."
    both = actions.preview(press(Act.REVOKE, row(known, "a"), row(known, "b")), known)
    assert both.blocked == ""
    assert "1 task ended already and will be left out." in both.facts


def test_a_hostile_task_id_stays_one_word_of_the_command() -> None:
    evil = Target("task", "x'; rm -rf /; '")
    command = actions.preview(press(Act.REVOKE, evil), cluster()).command
    assert command.endswith("""'x'"'"'; rm -rf /; '"'"''""")


# -- terminate -------------------------------------------------------------------------------


def test_terminate_names_worker_signal_and_how_long_it_runs() -> None:
    known = cluster(*running("a"))
    preview = actions.preview(press(Act.TERMINATE, row(known, "a"), signal="KILL"), known)
    assert preview.title == "TERMINATE  1 running task"
    assert preview.irreversible
    assert preview.facts[0] == (
        f"SIGKILL goes to the pool process on {W1}, which has run it for 18s."
    )
    assert preview.signals == ("TERM", "KILL", "QUIT", "USR1")
    assert "another task dies" in every_word(preview)
    assert preview.command.endswith(f"control terminate KILL a -d {W1}")


def test_terminate_shows_the_process_that_inspect_told() -> None:
    known = cluster(*running("a"))
    told = [{"id": "a", "name": "crm.sync", "worker_pid": 4411, "time_start": 981.0}]
    known.apply(Reply("active", W1, told, 999.0, 999.5))
    target = Target("task", "a", "crm.sync", W1, 4411, "STARTED")
    preview = actions.preview(press(Act.TERMINATE, target), known)
    assert "pool process 4411" in preview.facts[0]


@pytest.mark.parametrize("pool", ["thread", "solo"])
def test_terminate_is_blocked_where_the_pool_cannot(pool: str) -> None:
    known = cluster(*running("a"), pools={W1: pool, W2: "prefork"})
    blocked = actions.preview(press(Act.TERMINATE, row(known, "a")), known).blocked
    assert blocked.startswith(f"{W1} has a {pool.replace('thread', 'threads')} pool:")


def test_terminate_offers_no_signal_on_gevent() -> None:
    known = cluster(*running("a"), pools={W1: "gevent", W2: "prefork"})
    preview = actions.preview(press(Act.TERMINATE, row(known, "a")), known)
    assert preview.signals == ()
    assert "that report is wrong" in every_word(preview)


def test_terminate_of_what_ended_is_blocked() -> None:
    known = cluster(*ended("a"))
    preview = actions.preview(press(Act.TERMINATE, row(known, "a")), known)
    assert preview.blocked == "It has ended already: SUCCESS."


# -- retry -----------------------------------------------------------------------------------


def test_retry_of_a_repr_asks_for_an_edit() -> None:
    known = cluster(*ended("a"))
    preview = actions.preview(press(Act.RETRY, row(known, "a")), known)
    assert preview.button == "Edit and send"
    assert (preview.args[0].exact, preview.args[0].args) == (False, "(42,)")
    edited = press(Act.RETRY, row(known, "a"), edited={"a": ([42], {})})
    assert actions.preview(edited, known).button == "Retry"


def test_retry_of_exact_arguments_hides_secrets_and_does_not_ask() -> None:
    known = cluster(*running("a"))
    told = [{"id": "a", "name": "n", "args": [1], "kwargs": {"token": "s3cret", "to": "ann"}}]
    known.apply(Reply("active", W1, told, 999.0, 999.5))
    preview = actions.preview(press(Act.RETRY, row(known, "a")), known)
    assert preview.button == "Retry"
    assert preview.args[0].args == "[1]"
    assert "s3cret" not in repr(preview.args)
    assert "1 task still running: the copy runs beside it." in preview.warnings


# -- purge and undo --------------------------------------------------------------------------


def test_purge_tells_depth_consumers_and_what_survives() -> None:
    known = cluster()
    depths = {"emails": QueueDepth(1204, {"0": 1204})}
    known.apply(QueueDepths(999.0, depths, unacked_by_queue={"emails": 3}))
    known.apply(Reply("active_queues", W1, [{"name": "emails"}], 999.0, 999.0))
    preview = actions.preview(press(Act.PURGE, Target("queue", "emails")), known)
    assert preview.title == "PURGE  emails"
    assert not preview.irreversible
    assert preview.facts[0].startswith("1,204 waiting messages move into quarantine")
    assert "At least 3 messages of it are held." in preview.warnings
    assert f"{W1} consume it: fewer may be left by then." in preview.warnings


def test_a_quarantine_cannot_be_purged() -> None:
    known = cluster()
    known.apply(QueueDepths(999.0, {"q": QueueDepth(3, {}, quarantine=True)}))
    preview = actions.preview(press(Act.PURGE, Target("queue", "q")), known)
    assert "is a quarantine" in preview.blocked


def test_undo_names_the_newest_purge_that_is_not_undone() -> None:
    known = cluster()
    for name in ("first", "second"):
        purge = press(Act.PURGE, Target("queue", "emails"))
        known.apply(Outcome(purge, purge.targets[0], Stage.SEEN, "moved", NOW, undo=name))
    assert actions.preview(press(Act.UNDO), known).title == "UNDO PURGE  second"
    undo = press(Act.UNDO)
    known.apply(Outcome(undo, Target("queue", "second"), Stage.SEEN, "back", NOW, undo="second"))
    assert actions.preview(press(Act.UNDO), known).title == "UNDO PURGE  first"


# -- events on -------------------------------------------------------------------------------


def test_events_on_says_how_long_it_lasts() -> None:
    preview = actions.preview(press(Act.EVENTS_ON, Target("worker", W1)), cluster())
    assert "lasts until that worker restarts" in every_word(preview)
    assert preview.command.endswith(f"control enable_events -d {W1}")
