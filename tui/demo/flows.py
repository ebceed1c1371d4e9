"""What customers of the sample shop cause: one function a flow, which says how many tasks."""

import random
import secrets
from collections.abc import Callable

from celery import chain, chord

from . import tasks

chance = random.Random()

Flow = Callable[[], int]
"""Sends some tasks and returns how many."""

NAMES = ("Ada Lovelace", "Søren Kierkegaard", "王小明", "山田太郎", "Zoë [/oops] Quinn", "مريم")
NOTES = (
    "moved house",
    "prefers mail",
    "[/oops] [bold]VIP",
    "改姓了",
    "\x1b[31mred\x1b[0m",
    "a\tb\nc",
)


def order() -> int:
    """A customer buys: checkout, stock, payment and receipt, one after the other."""
    goods = {"id": chance.randrange(10_000, 99_999), "customer": chance.choice(NAMES)}
    charge = tasks.charge.s(card_token=f"tok_{secrets.token_hex(6)}").set(priority=3)
    steps = (tasks.start_checkout.s(goods), tasks.reserve.s(), charge, tasks.receipt.s())
    chain(*steps).apply_async()
    return len(steps)


def capture() -> int:
    """Money is moved at one of four priorities."""
    arguments = (chance.randrange(10_000, 99_999), round(chance.uniform(5, 900), 2))
    tasks.capture.apply_async(arguments, priority=chance.choice((0, 3, 6, 9)))
    return 1


def account() -> int:
    """A customer record changes."""
    text = (chance.choice(NAMES), chance.choice(NOTES))
    tasks.sync_account.apply_async(text, {"password": secrets.token_hex(8)})
    return 1


def invoice() -> int:
    """An invoice of several pages: a chord."""
    order_id = chance.randrange(10_000, 99_999)
    pages = [tasks.render_invoice.s(order_id, page) for page in range(1, chance.randint(4, 7))]
    chord(pages, tasks.bind_invoice.s()).apply_async()
    return len(pages) + 1


def reminder() -> int:
    """A reminder for later: a task with an ETA."""
    text = (chance.choice(NAMES), "your cart is waiting")
    tasks.remind.apply_async(text, countdown=chance.uniform(15, 90))
    return 1


def report() -> int:
    """A report that runs for 20 to 120 s."""
    name = chance.choice(("sales", "refunds", "stock value"))
    tasks.build_report.apply_async((name, round(chance.uniform(20, 120), 1)))
    return 1


def recount() -> int:
    """A recount of a warehouse that runs for 20 to 60 s."""
    where = chance.choice(("Lyon", "Osaka", "Quito"))
    tasks.recount.apply_async((where, round(chance.uniform(20, 60), 1)))
    return 1


def digest() -> int:
    """A digest for the queue that nobody consumes."""
    tasks.digest.apply_async((chance.choice(NAMES),))
    return 1


STEADY: dict[Flow, float] = {order: 3, capture: 4, account: 3, invoice: 0.4}
"""Flows that make up the rate, with their weights."""

TIMED: dict[Flow, float] = {reminder: 5.0, report: 40.0, recount: 55.0, digest: 4.0}
"""Flows that happen once in so many seconds, whatever the rate."""

QUEUES: dict[Flow, set[str]] = {
    order: {"default", "pay", "mail"},
    capture: {"pay"},
    account: {"crm"},
    invoice: {"pdf"},
    reminder: {"mail"},
    report: {"reports"},
    recount: {"default"},
    digest: {"emails"},
}
"""Queues that a flow fills: it is left out while one of them is full."""
