"""What the sample shop does: checkout, stock, payment, mail, invoices, customers, reports."""

import random
import time
from collections.abc import Callable
from typing import Any

from .app import app

chance = random.Random()


class DeclinedError(Exception):
    """The bank said no."""


class GatewayBusyError(Exception):
    """The payment gateway asks to come back later."""


class CrmTimeoutError(TimeoutError):
    """The customer database did not answer in time."""


def task(name: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`app.task` with a type."""
    decorator: Callable[[Callable[..., Any]], Any] = app.task(name=name, **options)
    return decorator


def work(low_s: float, high_s: float) -> None:
    """Take some time."""
    time.sleep(chance.uniform(low_s, high_s))


@task("shop.checkout.start")
def start_checkout(order: dict[str, Any]) -> dict[str, Any]:
    """Open an order."""
    work(0.01, 0.06)
    return {**order, "state": "open"}


@task("stock.reserve")
def reserve(order: dict[str, Any]) -> dict[str, Any]:
    """Put the goods of an order aside."""
    work(0.02, 0.1)
    return {**order, "state": "reserved"}


@task("stock.recount")
def recount(warehouse: str, duration_s: float) -> str:
    """Count a whole warehouse, which takes long."""
    time.sleep(duration_s)
    return f"{warehouse} counted"


@task("pay.charge")
def charge(order: dict[str, Any], *, card_token: str) -> dict[str, Any]:
    """Charge a card; about one in eight is declined."""
    work(0.05, 0.4)
    if chance.random() < 0.12:
        reason = chance.choice(["insufficient funds", "card expired", "do not honour [05]"])
        raise DeclinedError(f"order {order['id']}: {reason}")
    return {**order, "state": "paid", "card": card_token[-4:]}


@task("pay.capture", bind=True, max_retries=5)
def capture(self: Any, order_id: int, amount: float) -> str:
    """Move the money; a busy gateway is tried again and gives in by the third attempt."""
    work(0.03, 0.2)
    if self.request.retries < 2 and chance.random() < 0.25:
        busy = GatewayBusyError(f"gateway busy, order {order_id}")
        raise self.retry(exc=busy, countdown=chance.uniform(1.0, 4.0))
    return f"captured {amount:.2f} for order {order_id}"


@task("mail.receipt")
def receipt(order: dict[str, Any]) -> str:
    """Send the receipt of an order."""
    work(0.02, 0.15)
    return f"receipt for order {order['id']} sent"


@task("mail.reminder")
def remind(customer: str, subject: str) -> str:
    """Remind a customer of a full cart."""
    work(0.02, 0.1)
    return f"reminded {customer}: {subject}"


@task("mail.digest")
def digest(customer: str) -> str:
    """Send the weekly digest."""
    return f"digest for {customer} sent"


@task("pdf.render_invoice")
def render_invoice(order_id: int, page: int) -> dict[str, int]:
    """Render one page of an invoice."""
    work(0.1, 0.6)
    return {"order_id": order_id, "page": page}


@task("pdf.bind_invoice")
def bind_invoice(pages: list[dict[str, int]]) -> str:
    """Bind the rendered pages; runs when the last one is there."""
    work(0.05, 0.2)
    return f"{len(pages)} pages bound"


@task("reports.build")
def build_report(name: str, duration_s: float) -> str:
    """Build a report, which takes long."""
    time.sleep(duration_s)
    return f"{name} built"


@task("crm.sync_account")
def sync_account(customer: str, note: str, *, password: str) -> str:
    """Bring a customer record up to date; the other side sometimes does not answer."""
    work(0.05, 0.3)
    return _push_record({"customer": customer, "note": note}, len(password))


def _push_record(record: dict[str, str], login_length: int) -> str:
    return f"{_request('PUT', '/accounts', record)} ({login_length})"


def _request(method: str, path: str, body: dict[str, str]) -> str:
    try:
        return _read_reply(method, path, body)
    except TimeoutError as error:
        raise CrmTimeoutError(f"{method} {path}: no answer from crm.internal:8443") from error


def _read_reply(method: str, path: str, body: dict[str, str]) -> str:
    if chance.random() < 0.08:
        work(0.5, 1.5)
        raise TimeoutError("timed out")
    return f"{method} {path} 200, {len(body)} fields"
