"""The page of sources: opened and closed by one key, from wherever one stands."""

from __future__ import annotations

import pytest

from celery_tui.columns import sources as words
from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import ResultsLookedThrough
from celery_tui.model.seam import Health, Link
from celery_tui.screens.sources import SourcesScreen
from tests.screens.capture import text_lines
from tests.screens.sample import NOW, app_on, busy_cluster
from tests.screens.troubled import permitted_in_part, troubled


@pytest.mark.parametrize("root", ["home", "queues", "workers", "tasks", "log"])
async def test_i_opens_it_where_there_is_no_row_and_closes_it(root: str) -> None:
    app = app_on(Cluster(NOW))
    async with app.run_test(size=(100, 30)) as pilot:
        app.go(root)
        await pilot.pause()
        before = app.screen
        await pilot.press("i")
        assert isinstance(app.screen, SourcesScreen)
        await pilot.press("i")
        assert app.screen is before


async def test_it_names_all_four_sources_and_what_befell_them() -> None:
    app = app_on(troubled())
    async with app.run_test(size=(120, 40)) as pilot:
        app.open("sources", "")
        await pilot.pause()
        text = "\n".join(text_lines(app))
    for title, _ in words.TITLES.values():
        assert f"  {title}  " in text
    for said in ("2 gaps", "lost ~1,204 tasks", "LOST 31s", "retry 4 in", "unreadable: pickle"):
        assert said in text


async def test_the_headers_figures_stand_at_its_end_with_formula_and_age() -> None:
    app = app_on(busy_cluster())
    async with app.run_test(size=(120, 50)) as pilot:
        app.open("sources", "")
        await pilot.pause()
        lines = text_lines(app)
    begin = next(at for at, line in enumerate(lines) if line.startswith("  Figures"))
    first_words = [line.split()[0] for line in lines[begin:] if line[2:3].strip()]
    assert first_words[:8] == ["Figures", "in", "out", "err", "busy", "backlog", "held", "unacked"]
    backlog = next(line for line in lines if line.startswith("  backlog"))
    assert "0s  read from the broker: sum of what waits in 5 queues" in backlog


async def test_what_is_not_permitted_is_said_in_whole_sentences_in_a_narrow_terminal() -> None:
    app = app_on(permitted_in_part())
    async with app.run_test(size=(60, 30)) as pilot:
        app.open("sources", "")
        await pilot.pause()
        prose = " ".join(" ".join(text_lines(app)).split())
    assert "names from events only (this user has no permissions to run the 'multi' command)" in (
        prose
    )
    assert "5 keys may not be read" in prose


def test_the_broker_answers_as_long_as_any_link_to_it_does() -> None:
    cluster = Cluster(NOW)
    assert cluster.links.broker() is None
    cluster.apply(Health("events", Link.OFF, NOW, "no", refused=True))
    assert cluster.links.broker() is cluster.health["events"]
    cluster.apply(Health("queues", Link.LIVE, NOW))
    assert cluster.links.broker() is cluster.health["queues"]
    cluster.apply(Health("events", Link.LOST, NOW, "gone"))
    assert cluster.links.broker() is cluster.health["events"]


async def test_why_no_history_of_results_is_listed_is_said_at_any_width() -> None:
    cluster = Cluster(NOW)
    cluster.apply(Health("results", Link.LIVE, NOW))
    cluster.apply(ResultsLookedThrough(NOW, 0, 0, note="memcached cannot list", done=True))
    app = app_on(cluster)
    async with app.run_test(size=(60, 30)) as pilot:
        app.open("sources", "")
        await pilot.pause()
        assert "history memcached cannot list" in " ".join(" ".join(text_lines(app)).split())
