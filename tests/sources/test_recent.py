"""The search for recent results is spread over time, tells how far it is, and is made once."""

from typing import Any

import pytest

from celery_tui.links.redis_link import NotPermitted
from celery_tui.model.observations import Observation, ResultMeta, Results, ResultsLookedThrough
from celery_tui.sources import recent
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.recent import COMMANDS_A_SECOND, STEP_S, TOLD_AT_ONCE, Recent, by_date


class Walk:
    """Finds so many results in so many steps."""

    def __init__(self, steps: int, metas: int, commands: int = 1, refused: bool = False) -> None:
        self.looked_at, self.of, self.commands = 0, steps, commands
        self.unread: dict[str, int] = {"pickle": 2}
        self.refused = refused
        self._rest = [ResultMeta(f"t{n}", "SUCCESS", date_done=float(n)) for n in range(metas)]

    def look(self) -> bool:
        if self.refused:
            raise NotPermitted("this user may not SCAN", "ask for it")
        self.looked_at += 1
        return self.looked_at < self.of

    def read(self) -> tuple[ResultMeta, ...] | None:
        some, self._rest = tuple(self._rest[:30]), self._rest[30:]
        return some or None


class Backend:
    """Counts the searches that were begun."""

    def __init__(self, **walk: Any) -> None:
        self.begun, self._walk = 0, walk

    def recent(self, most: int) -> Walk:
        self.begun += 1
        return Walk(**self._walk)


def made(one: Recent, backend: Backend) -> tuple[list[float], list[Observation]]:
    """The pauses it takes, and what it tells."""
    pauses: list[float] = []
    while (pause := one.step(backend)) is not None:  # type: ignore[arg-type]
        pauses.append(pause)
    told: list[Observation] = []
    while (observation := one.inbox.take()) is not None:
        told.append(observation)
    return pauses, told


def test_results_come_newest_first_and_a_few_at_a_time() -> None:
    pauses, told = made(Recent(Inbox()), Backend(steps=5, metas=250))
    results = [each for each in told if isinstance(each, Results)]
    assert all(len(each.metas) <= TOLD_AT_ONCE for each in results)
    ids = [meta.id for each in results for meta in each.metas]
    assert ids == [f"t{n}" for n in range(249, -1, -1)]
    last = told[-1]
    assert isinstance(last, ResultsLookedThrough)
    assert (last.keys, last.of, last.told, last.done) == (5, 5, 250, True)
    assert last.unread == {"pickle": 2}
    assert min(pauses) >= STEP_S


def test_steps_of_many_commands_are_paid_for_with_time() -> None:
    pauses, _ = made(Recent(Inbox()), Backend(steps=3, metas=0, commands=COMMANDS_A_SECOND))
    assert min(pauses) >= 1.0


def test_a_lost_connection_begins_it_anew_and_a_finished_one_is_not_repeated() -> None:
    one, backend = Recent(Inbox()), Backend(steps=5, metas=40)
    one.again()
    one.step(backend)  # type: ignore[arg-type]
    one.step(backend)  # type: ignore[arg-type]
    one.again()
    _, told = made(one, backend)
    assert backend.begun == 2
    assert sum(len(each.metas) for each in told if isinstance(each, Results)) == 40
    one.again()
    assert made(one, backend) == ([], [])


def test_a_user_who_may_not_look_is_told_so_and_all_else_goes_on() -> None:
    _, told = made(Recent(Inbox()), Backend(steps=5, metas=5, refused=True))
    (last,) = told[-1:]
    assert isinstance(last, ResultsLookedThrough)
    assert (last.done, last.note) == (True, "this user may not SCAN")


def test_progress_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "TELL_EVERY_S", 0.0)
    _, told = made(Recent(Inbox()), Backend(steps=9, metas=0))
    keys = [each.keys for each in told if isinstance(each, ResultsLookedThrough)]
    assert keys == sorted(keys)
    assert len(set(keys)) >= 9


def test_what_has_no_date_stays_beside_its_neighbour() -> None:
    metas = [
        ResultMeta("a", "SUCCESS", date_done=9.0),
        ResultMeta("b", "RETRY"),
        ResultMeta("c", "SUCCESS", date_done=5.0),
        ResultMeta("d", "SUCCESS", date_done=7.0),
    ]
    assert [meta.id for meta in by_date(metas)] == ["a", "b", "d", "c"]
