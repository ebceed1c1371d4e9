"""The demo runs for real: workers answer, every kind of task is seen, and nothing stays."""

from celery_tui.demo.cluster import WORKERS
from celery_tui.demo.launcher import Demo

from ..servers import wait_for
from .conftest import processes_of
from .watch import Seen, answering, client_of, events_until

STARTED = {
    "crm.sync_account",
    "mail.receipt",
    "pay.capture",
    "pay.charge",
    "pdf.bind_invoice",
    "pdf.render_invoice",
    "reports.build",
    "shop.checkout.start",
    "stock.recount",
    "stock.reserve",
}
FAILED = {"crm.sync_account", "pay.charge"}
HOSTNAMES = {worker.hostname for worker in WORKERS}


def wait_for_broker(demo: Demo) -> None:
    wait_for(lambda: any("broker started" in line for line in demo.progress()), "broker started")


def gone(demo: Demo) -> bool:
    return not (processes_of(demo.directory) or processes_of(f":{demo.port}"))


def test_every_kind_of_task_runs_and_nothing_stays() -> None:
    def enough(seen: Seen) -> bool:
        return (
            seen["task-started"] >= STARTED
            and seen["task-failed"] >= FAILED
            and seen["task-sent"] >= {"mail.digest"}
            and seen["task-received"] >= {"mail.reminder"}
            and bool(seen["task-retried"])
        )

    with Demo(rate=15) as demo, client_of(demo) as client:
        wait_for_broker(demo)
        seen = events_until(client, enough, limit_s=180)
        assert seen["task-started"] >= STARTED
        assert seen["task-failed"] == FAILED
        assert seen["task-retried"] == {"pay.capture"}
        assert "mail.digest" in seen["task-sent"]
        assert "mail.digest" not in seen["task-received"]
        wait_for(lambda: answering(client) == HOSTNAMES, "both workers answer")
        assert demo.error is None
        assert any(line.endswith(" ready") for line in demo.progress())
    assert gone(demo)
    assert not demo.directory.parent.exists()


def test_a_plain_cluster_sends_no_task_events() -> None:
    with Demo(plain=True) as demo, client_of(demo) as client:
        wait_for_broker(demo)
        wait_for(lambda: answering(client) == HOSTNAMES, "both plain workers answer")

        def counted() -> bool:
            stats = client.control.inspect(timeout=1.0).stats() or {}
            totals = [sum(worker["total"].values()) for worker in stats.values()]
            return len(totals) == len(WORKERS) and min(totals) > 5

        wait_for(counted, "both plain workers executed tasks")
        seen = events_until(client, lambda _: False, limit_s=6)
        assert not [kind for kind in seen if kind.startswith("task-")]


def test_stop_is_harmless_before_the_start_and_when_repeated() -> None:
    demo = Demo()
    demo.stop()
    demo.start()
    demo.stop()
    demo.stop()
    assert gone(demo)
    assert not demo.directory.exists()
