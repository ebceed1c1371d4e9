"""What is asked seldom, and of whom."""

from __future__ import annotations

from celery_tui.model.asking import CONF_A_TICK, REVOKED_MANY, Asking, few_scheduled
from celery_tui.model.worker import ONLINE, Worker


def due(
    asking: Asking, workers: dict[str, Worker], now: float, acted: float = 0.0
) -> dict[str, int]:
    states = dict.fromkeys(workers, ONLINE)
    return {q: len(names) for q, names in asking.due(workers, states, now, acted)}


def test_each_worker_is_asked_once_for_its_configuration_and_a_few_at_a_time() -> None:
    workers = {f"w{n}": Worker(f"w{n}") for n in range(CONF_A_TICK + 5)}
    asking = Asking()
    assert due(asking, workers, 100) == {"conf": CONF_A_TICK}
    assert due(asking, workers, 101) == {"conf": 5}
    assert due(asking, workers, 102) == {}
    for worker in workers.values():
        worker.conf_at = 103
    workers["w1"].online_at = 200  # restarted
    assert due(asking, workers, 201) == {"conf": 1}


def test_who_holds_tasks_for_later_is_asked_which_of_them_are_revoked() -> None:
    workers = {name: Worker(name, conf_at=1.0) for name in ("w1", "w2")}
    workers["w1"].scheduled = ("t1",)
    asking = Asking()
    assert due(asking, workers, 100) == {"revoked": 1}
    assert due(asking, workers, 130) == {}
    assert due(asking, workers, 131, acted=130) == {}
    assert due(asking, workers, 132, acted=130) == {"revoked": 1}
    assert due(asking, workers, 140, acted=130) == {}
    workers["w1"].revoked = REVOKED_MANY
    assert due(asking, workers, 300, acted=130) == {}


def test_scheduled_tasks_are_listed_often_while_they_are_few() -> None:
    assert few_scheduled({"w1": Worker("w1", scheduled=("t",) * 900)})
    assert not few_scheduled({n: Worker(n, scheduled=("t",) * 900) for n in "ab"})
