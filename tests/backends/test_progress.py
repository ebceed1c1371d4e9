"""What a running task tells of itself is shown while it runs, from a real worker."""

from pathlib import Path

import pytest

from celery_tui.columns.tasks import progress_cells
from celery_tui.model.cluster import Cluster
from celery_tui.settings import Settings
from tests.owner import Owner, is_live
from tests.servers import RedisServer, Worker, client


@pytest.mark.parametrize("kind", ["redis", "sqlite", "file"])
def test_progress_is_shown_and_gone_at_the_end(
    server: RedisServer, tmp_path: Path, kind: str
) -> None:
    backend = {
        "redis": server.url(1),
        "sqlite": f"db+sqlite:///{tmp_path / 'results.sqlite'}",
        "file": f"file://{tmp_path}",
    }[kind]
    goes_on, stays = tmp_path / "stays", tmp_path / "stays-too"
    goes_on.touch()
    stays.touch()

    def told(cluster: Cluster, task_id: str) -> str:
        task = cluster.tasks.get(task_id)
        return "".join(text for text, _ in progress_cells(task, 8)) if task is not None else ""

    with (
        Worker(server.url(), backend) as worker,
        Owner(Settings(broker=server.url(), result_backend=backend)) as owner,
    ):
        app = client(server.url())
        ids = [
            app.send_task("sample.stepping", (current, 4, str(path))).id
            for current, path in ((1, goes_on), (3, stays))
        ]
        app.close()
        owner.monitor.watch(ids)
        words = "PROGRESS  ━━──────  1 of 4  25%"
        owner.until(lambda cluster: told(cluster, ids[0]) == words, "its progress is shown")
        owner.until(is_live, "every source is live")
        goes_on.unlink()
        owner.until(
            lambda cluster: cluster.tasks[ids[0]].final and not told(cluster, ids[0]), "it ends"
        )
        owner.until(
            lambda cluster: told(cluster, ids[1]).endswith("3 of 4  75%"), "the other one goes on"
        )
        worker.kill()
