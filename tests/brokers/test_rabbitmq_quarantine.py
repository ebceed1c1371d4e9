"""A purge on RabbitMQ goes into a file and comes back: nothing lost, nothing doubled or changed."""

import contextlib
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import tracemalloc
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from amqp.basic_message import Message
from amqp.exceptions import NotFound
from kombu.connection import Connection

from celery_tui.brokers import rabbitmq_batches, rabbitmq_receipts, rabbitmq_shelf
from celery_tui.brokers.base import Forecast, Quarantined
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.rabbitmq_confirms import Confirms
from celery_tui.brokers.rabbitmq_file import Journal
from celery_tui.brokers.redis_keys import RECEIPTS
from celery_tui.errors import BrokerError
from celery_tui.links.amqp_link import AmqpLink
from celery_tui.links.site import Site
from tests.brokers import rabbit_mover
from tests.rabbit import VirtualHost
from tests.rabbit_queues import bodies, put, ready
from tests.servers import wait_for

HEADERS = {
    "id": "a",
    "task": "proj.work",
    "eta": None,
    "group": None,
    "nested": {"none": None, "list": [None, 1, -5_000_000_000, True, 2.5, "ü\x00"], "$": "own"},
    "decimal": Decimal("1.25"),
    "time": datetime(2026, 11, 20, 12, 10, tzinfo=UTC).replace(tzinfo=None),
    "undefined": "undefined",
}
PROPERTIES = {
    "content_type": "application/x-python-serialize",
    "content_encoding": "binary",
    "delivery_mode": 2,
    "priority": 3,
    "correlation_id": "a",
    "reply_to": "b",
    "expiration": "86400000",
    "message_id": "m",
    "timestamp": 1_790_000_000,
    "type": "t",
    "app_id": "x",
}


NEW_IN_HEAD = ("cluster", "vhost")


@pytest.fixture(params=["classic", "quorum", "priorities"])
def queue(channel: Any, request: pytest.FixtureRequest) -> str:
    """A durable queue that nobody else uses."""
    name = f"q-{uuid.uuid4()}"
    arguments: dict[str, dict[str, Any]] = {
        "classic": {"x-queue-type": "classic"},
        "quorum": {"x-queue-type": "quorum"},
        "priorities": {"x-max-priority": 10},
    }
    chosen = arguments[request.param]
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=chosen)
    return name


@pytest.fixture(params=["classic", "quorum"])
def bare(channel: Any, request: pytest.FixtureRequest) -> str:
    """One of the kinds in which order is that of sending."""
    name = f"q-{uuid.uuid4()}"
    chosen = {"x-queue-type": request.param}
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=chosen)
    return name


@pytest.fixture
def plain(channel: Any) -> str:
    """A classic queue."""
    name = f"q-{uuid.uuid4()}"
    channel.queue_declare(name, durable=True, auto_delete=False)
    return name


@pytest.fixture
def broker(rabbit: VirtualHost) -> Iterator[RabbitBroker]:
    one = RabbitBroker(Site(rabbit.url()))
    yield one
    one.close()


def files() -> list[Path]:
    return sorted(rabbitmq_shelf.folder().glob("*"))


@pytest.mark.fact("purge with undo", "RabbitMQ", "RabbitMQ + management")
def test_purge_and_undo_keep_every_message_and_their_order(
    broker: RabbitBroker, channel: Any, queue: str
) -> None:
    put(channel, queue, 450)
    aside = broker.quarantine(queue)
    assert aside.moved == 450
    assert ready(channel, queue) == 0
    assert [(one.name, one.moved, one.queue) for one in broker.quarantines()] == [
        (aside.name, 450, queue)
    ]
    assert broker.depths()[aside.name].quarantine
    told: list[int] = []
    assert broker.restore(aside.name, told.append) == 450
    assert told == [200, 400, 450]
    assert bodies(channel, queue) == list(range(450))
    assert broker.quarantines() == []
    assert files() == []
    assert broker.restore(aside.name) == 0


def test_headers_properties_and_bodies_come_back_as_they_were(
    broker: RabbitBroker, channel: Any, queue: str
) -> None:
    body = bytes(range(256))
    channel.basic_publish(
        Message(body, application_headers=HEADERS, **PROPERTIES), routing_key=queue
    )
    wait_for(lambda: ready(channel, queue) == 1, "the message is there")
    broker.restore(broker.quarantine(queue).name)
    message = channel.basic_get(queue, no_ack=True)
    message.properties["application_headers"].pop("x-delivery-count", None)  # of quorum queues
    assert message.properties == {**PROPERTIES, "application_headers": HEADERS}
    raw = message.body.encode() if isinstance(message.body, str) else message.body
    assert raw == body


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("latin-1", b"\xe9\xff"),
        ("utf-16", b"\xff\xfea\x00"),
        ("utf-8-sig", b"\xef\xbb\xbfa"),
        ("unicode_escape", b"\\x41"),
    ],
)
def test_a_body_in_any_encoding_comes_back_byte_by_byte(
    broker: RabbitBroker, channel: Any, bare: str, encoding: str, body: bytes
) -> None:
    channel.basic_publish(Message(body, content_encoding=encoding), routing_key=bare)
    wait_for(lambda: ready(channel, bare) == 1, "the message is there")
    broker.restore(broker.quarantine(bare).name)
    channel.auto_decode = False
    message = channel.basic_get(bare, no_ack=True)
    assert bytes(message.body) == body
    assert message.properties["content_encoding"] == encoding


def test_a_time_that_python_does_not_know_is_one_sentence_and_loses_nothing(
    broker: RabbitBroker, channel: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a sender that writes milliseconds where seconds belong."""
    with monkeypatch.context() as patch:
        patch.setattr("calendar.timegm", lambda told: 1_790_000_000_000)
        headers = {"sent": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)}
        put(channel, plain, 1, application_headers=headers)
    with pytest.raises(BrokerError, match="cannot be read by Celery's own driver: year") as told:
        broker.quarantine(plain)
    assert "beyond the year 9999" in told.value.hint
    assert broker.quarantines() == []
    wait_for(lambda: ready(channel, plain) == 1, "it is back in its queue")


def test_a_purge_whose_file_is_deleted_meanwhile_leaves_the_rest_in_the_queue(
    broker: RabbitBroker, channel: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq_batches, "BATCH_MESSAGES", 50)
    put(channel, plain, 120)
    told = broker.quarantine(plain, lambda moved: files()[0].unlink())
    assert (told.moved, told.doubtful) == (50, 0)
    assert "it was deleted meanwhile" in told.trouble
    wait_for(lambda: ready(channel, plain) == 70, "the rest is back")


def test_a_queue_whose_messages_go_to_another_consumer_is_not_called_empty(
    broker: RabbitBroker, channel: Any
) -> None:
    name = f"q-{uuid.uuid4()}"
    arguments = {"x-single-active-consumer": True}
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
    put(channel, name, 3)
    channel.basic_qos(0, 1, False)
    channel.basic_consume(name, callback=lambda message: None)
    wait_for(lambda: ready(channel, name) == 2, "it has the first one")
    told = broker.quarantine(name)
    assert told.moved == 0
    assert told.trouble == "2 wait there and none came to us, as where a single consumer is active"
    assert files() == []


def test_only_its_owner_may_read_the_file(broker: RabbitBroker, channel: Any, plain: str) -> None:
    before = os.umask(0)
    try:
        put(channel, plain, 1)
        broker.quarantine(plain)
    finally:
        os.umask(before)
    (path,) = files()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "guest:" not in path.read_text()


def test_an_empty_queue_leaves_no_file_and_a_missing_one_is_named(
    broker: RabbitBroker, plain: str
) -> None:
    assert broker.quarantine(plain).moved == 0
    with pytest.raises(BrokerError, match="there is no such queue"):
        broker.quarantine("nowhere")
    assert files() == []


def test_what_comes_after_the_purge_began_stays(
    broker: RabbitBroker, channel: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(channel, plain, 3)
    write = Journal.write

    def late(journal: Journal, record: dict[str, Any]) -> None:
        write(journal, record)
        put(channel, plain, 1)

    monkeypatch.setattr(Journal, "write", late)
    assert broker.quarantine(plain).moved == 3
    assert ready(channel, plain) >= 1


def test_the_same_broker_is_known_by_its_own_name_at_another_address(
    broker: RabbitBroker, channel: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(channel, plain, 1)
    name, place = broker.quarantine(plain).name, broker._link.place
    assert [one.elsewhere for one in broker.quarantines()] == [""]
    with monkeypatch.context() as patch:
        patch.setattr(AmqpLink, "place", "elsewhere:5672//")  # this broker, otherwise called
        (held,) = broker.quarantines()
        assert place in held.elsewhere
        patch.setattr(AmqpLink, "cluster", "rabbit@other")
        assert broker.quarantines() == []
        assert broker.restore(name) == 0
    with monkeypatch.context() as patch:
        patch.setattr(AmqpLink, "cluster", "rabbit@other")  # this address leads to another one
        assert place in broker.quarantines()[0].elsewhere
    with monkeypatch.context() as patch:
        patch.setattr(AmqpLink, "place", "elsewhere:5672/other")
        patch.setattr(AmqpLink, "vhost", "other")
        assert broker.quarantines() == []
    assert broker.restore(name) == 1


def test_files_that_tell_no_name_of_their_broker_are_found_by_its_address(
    broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 1)
    name = broker.quarantine(plain).name
    (path,) = files()
    head, *rest = path.read_text().splitlines()
    told = {key: value for key, value in json.loads(head).items() if key not in NEW_IN_HEAD}
    path.write_text("\n".join([json.dumps(told), *rest, ""]))
    assert [one.elsewhere for one in broker.quarantines()] == [""]
    assert broker.restore(name) == 1


def test_messages_that_the_queue_refuses_stay_in_quarantine(
    broker: RabbitBroker, channel: Any
) -> None:
    name = f"q-{uuid.uuid4()}"
    arguments = {"x-max-length": 30, "x-overflow": "reject-publish"}
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
    put(channel, name, 30)
    aside = broker.quarantine(name)
    put(channel, name, 10)
    with pytest.raises(BrokerError, match="10 of them are still in quarantine"):
        broker.restore(aside.name)
    assert [one.moved for one in broker.quarantines()] == [10]
    taken = bodies(channel, name)[10:]
    assert broker.restore(aside.name) == 10
    assert sorted(taken + bodies(channel, name)) == list(range(30))
    assert files() == []


@pytest.mark.parametrize("kind", ["classic", "quorum", "a policy"])
def test_an_undo_pushes_nothing_out_of_a_queue_that_drops_its_oldest(
    rabbit: VirtualHost, channel: Any, kind: str
) -> None:
    name = f"q-{uuid.uuid4()}"
    arguments: dict[str, Any] = {"x-max-length": 30, "x-queue-type": kind}
    if kind == "classic":
        arguments["x-single-active-consumer"] = True
    if kind == "a policy":
        arguments = {}
        rabbit.rule(name, {"pattern": f"^{name}$", "definition": {"max-length": 30}})
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
    put(channel, name, 30)
    api = rabbit.management_url if kind == "a policy" else ""
    broker = RabbitBroker(Site(rabbit.url()), management_url=api)
    aside = broker.quarantine(name)
    for number in range(100, 110):
        channel.basic_publish(Message(str(number), delivery_mode=2), routing_key=name)
    wait_for(lambda: ready(channel, name) == 10, "newer ones came")
    (warning,) = wait_for(lambda: broker.before_undo(aside.name).warnings, "the bound is known")
    assert "holds 30 messages at most" in warning
    assert "10 of these stay in quarantine" in warning
    told: list[int] = []
    with pytest.raises(BrokerError, match="10 messages stay in quarantine"):
        broker.restore(aside.name, told.append)
    assert told == [20]
    assert bodies(channel, name) == [*range(100, 110), *range(20)]
    assert broker.restore(aside.name) == 10
    assert bodies(channel, name) == list(range(20, 30))
    assert files() == []
    broker.close()


def test_where_bytes_are_bounded_an_undo_that_may_drop_others_is_asked_for(
    broker: RabbitBroker, channel: Any
) -> None:
    name = f"q-{uuid.uuid4()}"
    arguments = {"x-max-length-bytes": 1_000}
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
    put(channel, name, 30)
    aside = broker.quarantine(name)
    assert broker.before_undo(aside.name) == Forecast()
    put(channel, name, 1)
    ahead = broker.before_undo(aside.name)
    assert ahead.sure
    assert "holds 1,000 bytes at most" in ahead.warnings[0]
    with pytest.raises(BrokerError, match="nothing was sent"):
        broker.restore(aside.name)
    assert ready(channel, name) == 1
    assert broker.restore(aside.name, elsewhere=True) == 30
    aside = broker.quarantine(name)
    assert broker.restore(aside.name) == 31


def test_messages_of_a_deleted_queue_wait_until_it_is_there_again(
    broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 2)
    aside = broker.quarantine(plain)
    channel.queue_delete(plain)
    with pytest.raises(BrokerError, match="no such queue"):
        broker.restore(aside.name)
    channel.queue_declare(plain, durable=True, auto_delete=False)
    assert broker.restore(aside.name) == 2


def kill_at(
    rabbit: VirtualHost, queue: str, name: str, point: str, times: int, batch: int = 50
) -> None:
    """Another process quarantines or restores, and is killed when a point is reached so often."""
    words = (rabbit.url(), queue, name, point, str(times), str(batch))
    done = subprocess.run([sys.executable, "-m", rabbit_mover.__name__, *words], check=False)
    assert done.returncode == -signal.SIGKILL


def nothing_is_left(channel: Any, digests: list[str]) -> bool:
    """Neither files nor queues of receipts."""
    for digest in digests:
        try:
            channel.connection.channel().queue_declare(f"{RECEIPTS}{digest}", passive=True)
        except NotFound:
            continue
        return False
    return files() == []


@pytest.mark.parametrize("point", rabbit_mover.OF_A_PURGE)
@pytest.mark.parametrize("batches", [1, 2])
def test_a_purge_killed_anywhere_loses_and_doubles_nothing(
    rabbit: VirtualHost,
    broker: RabbitBroker,
    channel: Any,
    bare: str,
    point: str,
    batches: int,
) -> None:
    put(channel, bare, 120)
    times = batches if point != "got" else 50 * (batches - 1) + 20
    kill_at(rabbit, bare, "", point, times)
    taken = 50 * (batches - (point not in ("committing", "committed", "acked")))
    digests = [path.stem for path in files()]
    (held,) = wait_for(lambda: quarantines_of(broker, bare, resolved=True), "all is resolved")
    assert (held.moved, held.doubtful) == (taken, 0)
    wait_for(lambda: ready(channel, bare) == 120 - taken, "the rest is back in the queue")
    assert broker.restore(held.name) == taken
    assert sorted(bodies(channel, bare)) == list(range(120))
    assert nothing_is_left(channel, digests)


@pytest.mark.parametrize("point", rabbit_mover.OF_AN_UNDO)
@pytest.mark.parametrize("batches", [1, 2])
def test_an_undo_killed_anywhere_goes_on_where_it_stopped(
    rabbit: VirtualHost,
    broker: RabbitBroker,
    channel: Any,
    bare: str,
    point: str,
    batches: int,
) -> None:
    put(channel, bare, 120)
    aside = broker.quarantine(bare)
    digests = [path.stem for path in files()]
    times = batches if point != "publishing" else 50 * (batches - 1) + 20
    kill_at(rabbit, bare, aside.name, point, times)
    (held,) = wait_for(lambda: quarantines_of(broker, bare, resolved=True), "all is resolved")
    sent = {"sending": 50 * batches - 50, "publishing": times}.get(point, 50 * batches)
    assert (held.moved, held.doubtful) == (120 - sent, 0)
    assert broker.restore(aside.name) == 120 - sent
    assert bodies(channel, bare) == list(range(120))
    assert nothing_is_left(channel, digests)


def quarantines_of(broker: RabbitBroker, queue: str, resolved: bool = False) -> list[Quarantined]:
    return [
        one for one in broker.quarantines() if one.queue == queue and not resolved * one.doubtful
    ]


def test_where_the_receipts_are_lost_too_messages_are_doubtful_and_sent_when_told_so(
    rabbit: VirtualHost, broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 120)
    kill_at(rabbit, plain, "", "acking", 2)
    wait_for(lambda: ready(channel, plain) == 70, "what was not acknowledged is back")
    channel.queue_delete(f"{RECEIPTS}{files()[0].stem}")
    (held,) = broker.quarantines()
    assert (held.moved, held.doubtful) == (50, 50)
    assert broker.restore(held.name) == 50
    assert sorted(bodies(channel, plain)) == list(range(120))
    reading = broker.depths()[held.name]
    assert (reading.depth, reading.doubtful, reading.quarantine) == (0, 50, True)
    assert broker.restore(held.name) == 0
    assert broker.restore(held.name, doubtful=True) == 50
    assert sorted(bodies(channel, plain)) == list(range(50, 100))
    assert files() == []


def test_doubtful_messages_are_thrown_away_when_told_so_but_never_sure_ones(
    rabbit: VirtualHost, broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 120)
    kill_at(rabbit, plain, "", "acking", 2)
    wait_for(lambda: ready(channel, plain) == 70, "what was not acknowledged is back")
    channel.queue_delete(f"{RECEIPTS}{files()[0].stem}")
    (held,) = broker.quarantines()
    with pytest.raises(BrokerError, match="50 messages of it are nowhere else"):
        broker.discard(held.name)
    broker.restore(held.name)
    assert broker.discard(held.name) == 50
    assert files() == []


def test_what_somebody_works_on_now_is_not_doubtful(
    broker: RabbitBroker, channel: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(channel, plain, 3)
    write, seen = Journal.write, []

    def writing(journal: Journal, record: dict[str, Any]) -> None:
        write(journal, record)
        if "acking" in record:
            seen.extend(broker._quarantine.listed())

    monkeypatch.setattr(Journal, "write", writing)
    broker.quarantine(plain)
    assert [(one.moved, one.doubtful) for one in seen] == [(0, 0)]


@contextlib.contextmanager
def disk_is_full(path: Path) -> Iterator[None]:
    """As far as one more file may not grow: the kernel's own limit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_ends_a_purge_in_one_sentence_and_loses_nothing(
    broker: RabbitBroker, channel: Any, bare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq_batches, "BATCH_MESSAGES", 50)
    put(channel, bare, 120)
    with contextlib.ExitStack() as stack:

        def full(moved: int) -> None:
            stack.enter_context(disk_is_full(files()[0]))

        told = broker.quarantine(bare, full)
    assert told.moved == 50
    assert "cannot be written or read: File too large" in told.trouble
    wait_for(lambda: ready(channel, bare) == 70, "what was not safe is back in the queue")
    assert [(one.moved, one.doubtful) for one in broker.quarantines()] == [(50, 0)]
    assert broker.restore(told.name) == 50
    assert sorted(bodies(channel, bare)) == list(range(120))


def test_a_disk_that_is_full_at_once_leaves_the_queue_as_it_was(
    broker: RabbitBroker, channel: Any, bare: str, tmp_path: Path
) -> None:
    put(channel, bare, 20)
    (tmp_path / "empty").touch()
    with disk_is_full(tmp_path / "empty"), pytest.raises(BrokerError, match="File too large"):
        broker.quarantine(bare)
    assert files() == []
    wait_for(lambda: ready(channel, bare) == 20, "all are in the queue")


def test_a_folder_that_cannot_be_made_is_one_sentence(
    broker: RabbitBroker, channel: Any, plain: str, state_home: Path
) -> None:
    put(channel, plain, 2)
    state_home.write_text("a file where a folder should be")
    with pytest.raises(BrokerError, match=r"The quarantine in .* cannot be written or read: Not a"):
        broker.quarantine(plain)
    assert ready(channel, plain) == 2
    assert broker.quarantines() == []


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"5\n", b"\xff\n{}\n", b'{"acked": "x"}\n'])
def test_files_that_are_none_of_ours_are_left_alone(
    broker: RabbitBroker, channel: Any, plain: str, content: bytes
) -> None:
    put(channel, plain, 2)
    folder = rabbitmq_shelf.folder()
    folder.mkdir(parents=True)
    (folder / "0.jsonl").write_bytes(content)
    aside = broker.quarantine(plain)
    assert [one.name for one in broker.quarantines()] == [aside.name]
    assert broker.restore(aside.name) == 2
    assert (folder / "0.jsonl").read_bytes() == content


def test_a_damaged_file_is_told_and_stays_as_it_is(
    broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 3)
    aside = broker.quarantine(plain)
    (path,) = files()
    lines = path.read_bytes().splitlines(keepends=True)
    for place, words in ((2, "is damaged"), (len(lines) - 1, "is damaged")):
        broken = b"".join([*lines[:place], b'{"bo\x00\n', *lines[place + 1 :]])
        path.write_bytes(broken)
        with pytest.raises(BrokerError, match=words):
            broker.restore(aside.name)
        assert path.read_bytes() == broken
    assert ready(channel, plain) == 0
    path.write_bytes(b"".join(lines))
    assert broker.restore(aside.name) == 3


def test_a_copy_that_went_elsewhere_is_not_sent_there_again(
    broker: RabbitBroker, channel: Any, plain: str
) -> None:
    other = f"q-{uuid.uuid4()}"
    channel.queue_declare(other, durable=True, auto_delete=False)
    headers = {"CC": [other], "id": "a", "eta": None}
    channel.basic_publish(Message("1", application_headers=headers), routing_key=plain)
    wait_for(lambda: ready(channel, plain) == ready(channel, other) == 1, "both have it")
    assert broker.restore(broker.quarantine(plain).name) == 1
    wait_for(lambda: ready(channel, plain) == 1, "it is back")
    assert ready(channel, other) == 1
    got = channel.basic_get(plain, no_ack=True)
    assert got.properties["application_headers"] == {"id": "a", "eta": None}
    assert (got.delivery_info["exchange"], got.delivery_info["routing_key"]) == ("", plain)


def test_messages_of_another_user_stay_and_all_others_come_back(
    broker: RabbitBroker, channel: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(channel, plain, 2)
    channel.basic_publish(Message("2", user_id="guest"), routing_key=plain)
    put(channel, plain, 3)
    aside = broker.quarantine(plain)
    (path,) = files()
    path.write_bytes(path.read_bytes().replace(b'"guest"', b'"alice"'))
    with pytest.raises(BrokerError, match=r"1 message can be sent .* only \(alice\)"):
        broker.restore(aside.name)
    assert bodies(channel, plain) == [0, 1, 0, 1, 2]
    assert [one.moved for one in broker.quarantines()] == [1]
    path.write_bytes(path.read_bytes().replace(b'"alice"', b'"guest"'))
    assert broker.restore(aside.name) == 1
    assert files() == []


def test_a_purge_and_an_undo_stop_when_told_to_and_go_on_later(
    broker: RabbitBroker, channel: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq_batches, "BATCH_MESSAGES", 50)
    put(channel, plain, 120)
    aside = broker.quarantine(plain, lambda moved: moved < 100)
    assert (aside.moved, aside.trouble) == (100, "")
    wait_for(lambda: ready(channel, plain) == 20, "the rest stays in the queue")
    assert broker.restore(aside.name, lambda moved: False) == 50
    assert [one.moved for one in broker.quarantines()] == [50]
    assert broker.restore(aside.name) == 50
    assert sorted(bodies(channel, plain)) == list(range(120))


def test_large_messages_are_never_all_in_memory(
    broker: RabbitBroker, channel: Any, plain: str
) -> None:
    size, count = 500_000, 60
    for number in range(count):
        channel.basic_publish(Message(str(number) * size, delivery_mode=2), routing_key=plain)
    wait_for(lambda: ready(channel, plain) == count, "the messages are there")
    tracemalloc.start()
    try:
        aside = broker.quarantine(plain)
        purge = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        broker.restore(aside.name)
        undo = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    print(f"{2 * size * count:,} bytes: purge held {purge:,}, undo {undo:,}")
    assert ready(channel, plain) == count
    assert max(purge, undo) < size * count


def test_a_queue_deleted_while_its_messages_are_sent_leaves_them_doubtful(
    broker: RabbitBroker, channel: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(channel, plain, 3)
    aside = broker.quarantine(plain)
    publish = Confirms.publish

    def deleted(self: Confirms, queue: str, batch: Any) -> None:
        if queue == plain:  # not the try of the receipts
            channel.queue_delete(plain)
        publish(self, queue, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Confirms, "publish", deleted)
        with pytest.raises(BrokerError, match="was deleted meanwhile: of 3 messages nobody"):
            broker.restore(aside.name)
    assert [(one.moved, one.doubtful) for one in broker.quarantines()] == [(0, 3)]
    channel.queue_declare(plain, durable=True, auto_delete=False)
    assert broker.restore(aside.name, doubtful=True) == 3
    assert bodies(channel, plain) == [0, 1, 2]


def test_a_user_who_may_have_no_queue_of_receipts_can_purge_and_undo(
    broker: RabbitBroker, channel: Any, bare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq_receipts, "_made", lambda *names: False)
    put(channel, bare, 450)
    aside = broker.quarantine(bare)
    assert broker.restore(aside.name) == aside.moved == 450
    assert bodies(channel, bare) == list(range(450))
    assert files() == []


def test_two_at_once_do_not_send_one_message_twice(
    rabbit: VirtualHost, broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 10)
    aside = broker.quarantine(plain)
    (path,) = files()
    journal = Journal.opened(path)
    with pytest.raises(BrokerError, match="Somebody works on the quarantine"):
        broker.restore(aside.name)
    journal.close()
    assert broker.restore(aside.name) == 10


def test_purges_and_undos_beside_consumers_lose_and_double_nothing(
    rabbit: VirtualHost, broker: RabbitBroker, channel: Any, plain: str
) -> None:
    count, seen, stop = 4_000, Counter[int](), threading.Event()

    def consume() -> None:
        with Connection(rabbit.url()) as connection:
            own = connection.channel()
            while not stop.is_set():
                message = own.basic_get(plain)
                if message is not None:
                    seen[int(message.body)] += 1
                    own.basic_ack(message.delivery_tag)

    consumer = threading.Thread(target=consume)
    consumer.start()
    moved = 0
    try:
        for number in range(count):
            channel.basic_publish(Message(str(number), delivery_mode=2), routing_key=plain)
            if number % 1_000 == 999:
                aside = broker.quarantine(plain)
                moved += aside.moved
                assert broker.restore(aside.name) == aside.moved
        wait_for(lambda: sum(seen.values()) >= count, "all are consumed")
    finally:
        stop.set()
        consumer.join()
    print(f"moved {moved}")
    assert seen == dict.fromkeys(range(count), 1)


def test_a_torn_last_line_does_not_count(broker: RabbitBroker, channel: Any, plain: str) -> None:
    put(channel, plain, 3)
    aside = broker.quarantine(plain)
    (path,) = files()
    with path.open("ab") as file:
        file.write(b'{"sending": 3')
    assert broker.restore(aside.name) == 3
