"""Tasks that ended before we attached: told by the backend, and no news."""

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.fifo import Fifo
from celery_tui.model.observations import EventBatch, ResultMeta, Results
from celery_tui.model.query import Query
from celery_tui.model.task import BACKEND, FAILURE, RETRY, REVOKED, STARTED, SUCCESS

NOW = 10_000.0


def event(kind: str, task_id: str, at: float) -> EventBatch:
    return EventBatch(at, (Event(kind, at, "w1", uuid=task_id, name="pay.charge"),), {})


def meta(number: int, state: str = SUCCESS, **fields: object) -> ResultMeta:
    """The larger the number, the older."""
    done = None if state == RETRY else NOW - 100 - number
    return ResultMeta(f"old{number}", state, date_done=done, **fields)  # type: ignore[arg-type]


def attached(**bounds: int) -> Cluster:
    cluster = Cluster(NOW - 1, **bounds)
    for number in range(3):
        cluster.apply(event("task-received", f"new{number}", NOW + number))
        cluster.apply(event("task-succeeded", f"new{number}", NOW + number))
    return cluster


def test_they_stand_below_what_was_seen_in_order_of_their_dates() -> None:
    cluster = attached()
    cluster.apply(Results(NOW + 5, (meta(1), meta(2, FAILURE, exception="E()"))))
    cluster.apply(Results(NOW + 5, (meta(3, RETRY), meta(4, REVOKED))))
    cluster.apply(event("task-received", "new3", NOW + 6))
    order = ["new3", "new2", "new1", "new0", "old1", "old2", "old3", "old4"]
    assert list(cluster.newest()) == order
    assert [cluster.tasks[i].state for i in order[4:]] == [SUCCESS, FAILURE, RETRY, REVOKED]
    old = cluster.tasks["old2"]
    assert (old.source, old.as_of, old.ended_at) == (BACKEND, NOW + 5, NOW - 102)
    assert old.name == ""
    assert old.verdict == "failed (result backend, no event)"


def test_they_count_for_no_rate_and_stand_in_no_live_list() -> None:
    cluster = attached()
    before = (
        cluster.rates.finished.total,
        cluster.rates.failed.total,
        len(cluster.transitions.kept),
    )
    cluster.apply(Results(NOW + 5, tuple(meta(n, FAILURE) for n in range(50))))
    assert before == (
        cluster.rates.finished.total,
        cluster.rates.failed.total,
        len(cluster.transitions.kept),
    )
    assert cluster.counts[FAILURE] == 50


def test_they_are_the_first_to_be_forgotten() -> None:
    cluster = attached(max_tasks=5, max_failures=4)
    cluster.apply(event("task-failed", "bad", NOW + 3))
    cluster.apply(Results(NOW + 5, tuple(meta(n) for n in range(10))))
    cluster.apply(Results(NOW + 5, tuple(meta(n + 20, FAILURE) for n in range(10))))
    kept = ["bad", "new2", "new1", "new0", "old0", "old1", "old20", "old21", "old22"]
    assert list(cluster.newest()) == kept
    for number in range(4, 6):
        cluster.apply(event("task-succeeded", f"new{number}", NOW + number))
    cluster.apply(event("task-received", "more", NOW + 9))
    assert [i for i in cluster.newest() if i in ("old0", "old1", "new0")] == ["new0"]


def test_states_that_are_no_end_and_unreadable_ones_are_left_out() -> None:
    cluster = attached()
    states = (STARTED, "PENDING", "UNKNOWN", "PROGRESS")
    cluster.apply(Results(NOW + 5, tuple(meta(n, s) for n, s in enumerate(states))))
    assert len(cluster.tasks) == 3


def test_one_that_moves_again_takes_its_place_among_the_living() -> None:
    cluster = attached()
    query = Query()
    query.text = "old"
    cluster.apply(Results(NOW + 5, (meta(1), meta(2, REVOKED), meta(3))))

    def filtered() -> list[str]:
        while query.step(cluster, lambda task: None, NOW):
            pass
        return list(query.ids(cluster))

    assert filtered() == ["old1", "old2", "old3"]
    cluster.apply(event("task-received", "old2", NOW + 6))
    cluster.apply(event("task-started", "old2", NOW + 7))
    assert cluster.newest()[0] == "old2"
    assert filtered() == ["old2", "old1", "old3"]
    assert cluster.tasks["old2"].state == STARTED
    assert list(cluster.running) == ["old2"]
    assert cluster.counts[REVOKED] == 0


def test_what_was_seen_alive_only_gets_its_blanks_filled() -> None:
    cluster = attached()
    cluster.apply(Results(NOW + 5, (ResultMeta("new1", SUCCESS, queue="pay", date_done=NOW + 1),)))
    assert cluster.tasks["new1"].queue == "pay"
    assert list(cluster.newest()) == ["new2", "new1", "new0"]


def test_the_first_of_a_queue_may_have_left_it_before() -> None:
    fifo = Fifo()
    for task_id in ("a", "b"):
        fifo.add(task_id)
    fifo.leave("b")
    fifo.add_first("b")
    fifo.add_first("c")
    assert [fifo.popleft() for _ in range(len(fifo))] == ["c", "a", "b"]
