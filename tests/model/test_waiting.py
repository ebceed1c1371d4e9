"""The age of the oldest message is told from depths and arrivals, and never told too exactly."""

import random
from collections import deque

import pytest

from celery_tui.model.waiting import MOST_POINTS, Curve, Flow, together

T = 1_000.0


class Ledger:
    """A list whose messages are known to have come at a time, polled as a broker is."""

    def __init__(self, waiting: int = 0, at: float = T) -> None:
        self.waiting: deque[float] = deque([at] * waiting)
        self._newest: float | None = None
        self._fresh = 0
        self._anchored = False

    def come(self, at: float) -> None:
        self.waiting.append(at)
        self._fresh += 1

    def go(self) -> None:
        if self.waiting:
            self.waiting.popleft()

    def poll(self, curve: Curve, at: float) -> None:
        depth, fresh = len(self.waiting), self._fresh
        if self._anchored and fresh >= depth:
            curve.turned_over(at, depth) if depth else curve.fold(at, 0, fresh)
        else:
            curve.fold(at, depth, fresh)
        self._fresh, self._anchored = 0, bool(depth)


def within(curve: Curve, ledger: Ledger, now: float) -> tuple[float, float]:
    """(error, width) of the bracket; the true age must lie inside."""
    low, high = curve.oldest_s(now)
    true = now - ledger.waiting[0]
    assert low is not None
    assert low <= true
    if high is None:
        return 0.0, 0.0
    assert true <= high
    return abs((low + high) / 2 - true), high - low


@pytest.mark.parametrize("seed", range(20))
def test_the_true_age_lies_in_the_bracket_whatever_comes_and_goes(seed: int) -> None:
    chance = random.Random(seed)
    ledger, curve = Ledger(chance.randrange(0, 50)), Curve()
    now = T
    errors: list[float] = []
    for _ in range(600):
        if chance.random() < 0.02:
            come, go = chance.uniform(0, 30), chance.uniform(0, 30)
        elif not errors:
            come = go = 10.0
        for _ in range(int(chance.uniform(0, come))):
            ledger.come(now + chance.random())
        for _ in range(int(chance.uniform(0, go))):
            ledger.go()
        now += 1.0
        ledger.waiting = deque(sorted(ledger.waiting))
        if chance.random() < 0.1:
            continue  # a poll that was missed
        ledger.poll(curve, now)
        assert curve.depth == len(ledger.waiting)
        if ledger.waiting:
            errors.append(within(curve, ledger, now)[0])
    print(f"mean error {sum(errors) / len(errors):.2f} s, largest {max(errors):.2f} s")


def test_until_all_that_waited_at_first_is_gone_only_a_least_is_told() -> None:
    curve = Curve()
    curve.fold(T, 100, None)
    assert curve.oldest_s(T) == (0.0, None)
    curve.fold(T + 5, 60, 10)
    assert curve.oldest_s(T + 5) == (5.0, None)
    curve.fold(T + 6, 8, 0)  # 102 have gone: the oldest is one of the ten
    assert curve.oldest_s(T + 6) == (1.0, 6.0)


def test_a_list_seen_empty_before_has_a_whole_bracket_at_once() -> None:
    curve = Curve(empty_at=T - 1)
    curve.fold(T, 3, 3)
    assert curve.oldest_s(T) == (0.0, 1.0)
    assert curve.oldest_s(T + 7) == (7.0, 8.0)


def test_an_empty_list_has_no_oldest_and_the_next_message_is_bracketed() -> None:
    curve = Curve()
    curve.fold(T, 3, None)
    curve.fold(T + 1, 0, 0)
    assert curve.oldest_s(T + 1) == (None, None)
    curve.fold(T + 9, 0, 0)
    curve.fold(T + 10, 1, 1)
    assert curve.oldest_s(T + 10) == (0.0, 1.0)


def test_quiet_polls_narrow_the_bracket_of_the_next_arrival() -> None:
    curve = Curve(empty_at=T)
    curve.fold(T + 1, 1, 1)
    for second in range(2, 30):
        curve.fold(T + second, 1, 0)
    curve.fold(T + 30, 2, 1)
    curve.fold(T + 31, 1, 0)
    assert curve.oldest_s(T + 31) == (1.0, 2.0)


def test_when_all_has_turned_over_it_came_after_the_poll_before() -> None:
    curve = Curve()
    curve.fold(T, 500, None)
    curve.turned_over(T + 1, 300)
    assert curve.oldest_s(T + 1) == (0.0, 1.0)
    assert curve.flow() == Flow(300.0, 500.0, sure=False)


def test_messages_put_back_are_older_by_nobody_knows_how_much() -> None:
    curve = Curve(empty_at=T)
    curve.fold(T + 1, 10, 10)
    curve.fold(T + 2, 16, 10)  # four have gone
    curve.fold(T + 3, 19, 0)  # three came back
    assert curve.oldest_s(T + 3) == (2.0, None)
    curve.fold(T + 4, 15, 0)  # those are gone again, and one of the first ten
    assert curve.oldest_s(T + 4) == (3.0, None)
    curve.fold(T + 5, 8, 0)
    assert curve.oldest_s(T + 5) == (3.0, 4.0)


def test_a_gap_begins_anew() -> None:
    curve = Curve(empty_at=T)
    curve.fold(T + 1, 5, 5)
    curve.fold(T + 60, 90, None)
    assert curve.oldest_s(T + 61) == (1.0, None)
    assert curve.flow() is None


def test_a_clock_set_back_begins_anew() -> None:
    curve = Curve(empty_at=T)
    curve.fold(T + 1, 5, 5)
    curve.fold(T - 50, 5, 0)
    assert curve.oldest_s(T - 50) == (0.0, None)


def test_memory_is_bounded_and_what_is_thinned_stays_true() -> None:
    curve, ledger, widths = Curve(empty_at=T), Ledger(), []
    for second in range(1, 20_000):
        ledger.come(T + second - 0.5)
        ledger.poll(curve, T + second)
        if second > 5_000 and second % 3 == 0:
            ledger.go()
        if second % 500 == 0:
            ledger.poll(curve, T + second)
            _, width = within(curve, ledger, T + second)
            widths.append(width / (T + second - ledger.waiting[0]))
    assert len(curve._arrived) <= MOST_POINTS
    print(f"bracket at most {max(widths):.1%} of the age")


def test_rates_are_means_of_about_ten_seconds() -> None:
    curve = Curve()
    curve.fold(T, 1_000, None)
    assert curve.flow() is None
    curve.fold(T + 1, 1_030, 50)
    assert curve.flow() == Flow(50.0, 20.0, sure=True)
    for second in range(2, 30):
        curve.fold(T + second, 1_030, 10)
    assert curve.flow() == Flow(10.0, 10.0, sure=True)


def test_rates_of_what_was_empty_in_between_are_not_sure() -> None:
    curve = Curve(empty_at=T)
    curve.fold(T + 1, 4, 4)
    flow = curve.flow()
    assert flow is not None
    assert not flow.sure


def test_lists_of_one_queue_tell_the_oldest_of_them_and_the_sum_of_their_rates() -> None:
    old, young, idle = Curve(empty_at=T), Curve(empty_at=T), Curve(empty_at=T)
    for second in range(1, 10):
        old.fold(T + second, 5, 5 if second == 1 else 0)
        young.fold(T + second, 3, 3)
        idle.fold(T + second, 0, 0)
    told = together([old, young, idle], T + 9, 77.0)
    assert told.at == 77.0
    assert told.oldest_s == (8.0, 9.0)
    assert told.flow is not None
    assert told.flow.in_per_s == pytest.approx(32 / 9)
    assert together([old, None], T + 9, 77.0).oldest_s == (8.0, None)
    assert together([old, None], T + 9, 77.0).flow is None
    assert together([idle], T + 9, 77.0).oldest_s == (None, None)
    assert together([], T + 9, 77.0).flow is None
