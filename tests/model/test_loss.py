"""What heartbeats prove to be lost, what they do not prove, and what broken links leave open."""

from __future__ import annotations

import random

import pytest

from celery_tui.model.cluster import Cluster
from celery_tui.model.history import STEP_S
from celery_tui.model.loss import coverage
from celery_tui.model.observations import EventBatch
from celery_tui.model.rates import PerSecond
from celery_tui.model.seam import Health, Link

from .recording import decoded, hear, new_cluster, replay


class Sender:
    """A worker that begins tasks and beats; some of its events do not arrive."""

    def __init__(self, cluster: Cluster, at: float = 0.0, pid: int = 100) -> None:
        self.cluster, self.at, self.pid, self.processed, self.serial = cluster, at, pid, 0, 0

    def beat(self, seconds: float = 2.0) -> None:
        """Time goes by, then a heartbeat."""
        self.at += seconds
        hear(self.cluster, "worker-heartbeat", self.at, pid=self.pid, processed=self.processed,
             freq=2.0, active=0)  # fmt: skip

    def run(self, heard: int, lost: int = 0, step_s: float = 0.001) -> None:
        """So many tasks begin, and so many of them unheard."""
        for number in range(heard + lost):
            self.processed += 1
            self.serial += 1
            self.at += step_s
            if number < heard:
                hear(self.cluster, "task-started", self.at, pid=self.pid, uuid=f"t{self.serial}")

    def deaf(self, count: int) -> None:
        """Tasks begin while its events are off."""
        self.run(0, count)

    @property
    def lost(self) -> int | None:
        """What the books say."""
        return self.cluster.workers["w1@a"].loss.lost


@pytest.fixture
def sender() -> Sender:
    one = Sender(new_cluster())
    one.beat()
    return one


def notes(cluster: Cluster) -> list[str]:
    return [line.text for line in cluster.log if line.kind == "events"]


def test_nothing_is_known_before_two_heartbeats_with_a_start_between(sender: Sender) -> None:
    assert sender.lost is None
    sender.beat()
    sender.beat()
    assert sender.lost is None
    sender.run(3)
    sender.beat()
    sender.beat()
    assert sender.lost == 0


def test_what_is_missing_is_told_to_the_task(sender: Sender) -> None:
    sender.run(10)
    sender.beat()
    sender.run(5, lost=1204)
    sender.beat()
    for _ in range(3):
        sender.run(7)
        sender.beat()
    assert sender.lost == 1204
    assert notes(sender.cluster) == ["lost the events of ~1,204 tasks of w1@a in 3 s"]
    books = [worker.loss for worker in sender.cluster.workers.values()]
    part = coverage(books)
    assert part is not None
    heard = 10 + 5 + 7 + 7
    assert part == pytest.approx(heard / (heard + 1204))


def test_events_that_wait_in_the_worker_while_it_beats_are_not_lost(sender: Sender) -> None:
    """The heartbeat overtakes them, and counts them already."""
    for _ in range(20):
        sender.run(3)
        stamped = sender.at
        sender.processed += 4
        late = [stamped + 0.001 * n for n in range(1, 5)]
        sender.at += 0.01
        sender.beat()
        for n, at in enumerate(late):
            sender.serial += 1
            uuid = f"l{sender.serial}-{n}"
            hear(sender.cluster, "task-started", at, sender.at + 0.05, pid=100, uuid=uuid)
    sender.beat()
    sender.beat()
    assert sender.lost == 0
    assert notes(sender.cluster) == []


def test_a_start_stamped_right_after_the_heartbeat_that_counts_it_is_not_lost(
    sender: Sender,
) -> None:
    """Pools of threads: counted, the heartbeat goes out, then the event is made."""
    sender.cluster.workers["w1@a"].pool = "threads"
    for _ in range(30):
        sender.run(3)
        sender.processed += 1
        sender.beat()
        sender.serial += 1
        hear(sender.cluster, "task-started", sender.at + 0.001, pid=100, uuid=f"x{sender.serial}")
    sender.beat()
    sender.beat()
    assert sender.lost == 0
    assert notes(sender.cluster) == []


def test_a_worker_whose_events_are_off_loses_nothing_that_could_be_known(sender: Sender) -> None:
    for _ in range(5):
        sender.deaf(50)
        sender.beat()
    assert sender.lost is None
    assert coverage([sender.cluster.workers["w1@a"].loss]) is None


def test_switching_events_on_and_off_is_no_loss(sender: Sender) -> None:
    sender.deaf(50)
    sender.beat()
    sender.deaf(20)
    sender.run(30)  # switched on in the midst
    sender.beat()
    for _ in range(3):
        sender.run(50)
        sender.beat()
    assert sender.lost == 0
    sender.run(20)
    sender.deaf(30)  # and off
    sender.beat()
    for _ in range(3):
        sender.deaf(50)
        sender.beat()
    assert sender.lost == 0
    assert notes(sender.cluster) == []


def test_a_restarted_worker_begins_new_books_and_keeps_the_sum(sender: Sender) -> None:
    sender.run(5, lost=9)
    for _ in range(4):
        sender.beat()
        sender.run(1)
    assert sender.lost == 9
    sender.pid, sender.processed = 200, 0
    sender.at += 10
    for _ in range(4):
        sender.run(5)
        sender.beat()
    assert sender.lost == 9
    sender.run(5, lost=2)
    for _ in range(4):
        sender.beat()
        sender.run(1)
    assert sender.lost == 11


def test_two_processes_under_one_name_are_never_judged() -> None:
    cluster = new_cluster()
    first, second = Sender(cluster), Sender(cluster, 0.5, pid=200)
    for _ in range(10):
        first.run(5)
        first.beat()
        second.run(5)
        second.beat()
    assert first.lost is None


def test_what_we_leave_out_ourselves_is_not_lost(sender: Sender) -> None:
    sender.run(5, lost=100)
    left_out = tuple(("w1@a", sender.at - 0.0005 * n) for n in range(100))
    sender.cluster.apply(EventBatch(sender.at, (), {}, left_out))
    for _ in range(4):
        sender.beat()
        sender.run(1)
    assert sender.lost == 0


def test_random_traffic_is_booked_to_the_task() -> None:
    chance = random.Random(7)
    for _ in range(30):
        sender = Sender(new_cluster())
        sender.beat()
        expected = 0
        for _ in range(40):
            lost = chance.choice((0, 0, 0, chance.randrange(1, 300)))
            sender.run(chance.randrange(1, 40), lost)
            expected += lost
            sender.beat()
        for _ in range(3):
            sender.run(1)
            sender.beat()
        assert sender.lost == expected


def test_the_recorded_cluster_lost_nothing() -> None:
    """Kills, a restart and a broker outage, and every start was heard."""
    cluster = replay(decoded())
    assert {worker.loss.lost or 0 for worker in cluster.workers.values()} == {0}
    assert any(worker.loss.lost == 0 for worker in cluster.workers.values())
    assert notes(cluster) == []


# -- gaps --------------------------------------------------------------------------------------


def broken(cluster: Cluster, proven: float, lost: float, back: float | None) -> None:
    """The events link: proven last, lost, and live again."""
    cluster.apply(Health("events", Link.LIVE, 0.0, at=proven))
    for tries in (1, 2):
        cluster.apply(Health("events", Link.LOST, lost, "hung up", tries=tries, at=lost))
    if back is not None:
        cluster.apply(Health("events", Link.LIVE, back, at=back))


def test_a_link_that_breaks_leaves_a_gap_from_its_last_proof_to_its_return() -> None:
    cluster = new_cluster()
    broken(cluster, 10.0, 10.8, None)
    (gap,) = cluster.links.gaps["events"]
    assert (gap.since, gap.until, gap.reason) == (10.0, None, "hung up")
    cluster.apply(Health("events", Link.LIVE, 13.0, at=13.0))
    assert gap.until == 13.0
    assert [line.text for line in cluster.log] == [
        "events link lost: hung up",
        "events link live",
    ]


def test_the_end_of_a_refusal_is_noted_at_its_own_time_and_not_at_that_of_the_connection() -> None:
    cluster = new_cluster()
    cluster.apply(Health("queues", Link.LIVE, 2.0, at=5.0))
    cluster.apply(Health("queues", Link.LIVE, 2.0, "full", at=8.0, refusal="memory"))
    cluster.apply(Health("queues", Link.LIVE, 2.0, at=30.0))
    assert [(line.at, line.text) for line in cluster.log] == [
        (8.0, "queues link live: Redis is full: it takes no messages"),
        (30.0, "queues link live"),
    ]


def test_a_link_that_never_stood_has_no_gap() -> None:
    cluster = Cluster(0.0)
    cluster.apply(Health("events", Link.CONNECTING, 0.0))
    cluster.apply(Health("events", Link.LOST, 1.0, "refused", at=1.0))
    cluster.apply(Health("events", Link.LIVE, 3.0, at=3.0))
    assert not cluster.links.gaps["events"]


def test_a_gap_between_two_seconds_is_a_gap_in_the_charts_and_one_only() -> None:
    cluster = new_cluster()
    sender = Sender(cluster)
    for second in range(1, 61):
        sender.at = float(second)
        sender.run(1)
        if second == 31:
            broken(cluster, 30.9, 31.2, 31.4)
        cluster.remember(float(second))
    drawn = cluster.past.ends.last(12)
    step = int(31 // STEP_S)
    missing = [cluster.past.ends.step - 11 + at for at, one in enumerate(drawn) if one is None]
    assert step + 1 in missing
    assert len([one for one in missing if one > 1]) == 1


def test_a_rate_is_that_of_the_seconds_that_are_known() -> None:
    cluster = new_cluster()
    for tenth in range(600):
        at = tenth / 10
        if not 50.0 <= at <= 54.0:
            hear(cluster, "task-received", at, uuid=f"u{tenth}")
    cluster.remember(60.0)
    diluted = cluster.rates.received.per_second(60.0)
    broken(cluster, 50.0, 50.5, 54.0)
    cluster.remember(60.0)
    assert diluted is not None
    assert diluted < 7
    assert cluster.rates.received.per_second(60.0) == 10.0


def test_while_the_link_is_lost_no_rate_is_known() -> None:
    rate = PerSecond(0.0)
    for second in range(20):
        rate.add(float(second))
    assert rate.per_second(20.0) == 1.0
    rate.unknown(5.0, 20.0)
    assert rate.per_second(20.0) is None
    for second in range(21, 40):
        rate.add(float(second))
    assert rate.per_second(40.0) == 1.0
    assert rate.total == 39
