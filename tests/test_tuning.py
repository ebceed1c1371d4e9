"""The garbage collector leaves alone what was loaded, each time it has grown by half."""

from __future__ import annotations

import gc

import pytest

from celery_tui.app import LOADED, leave_alone


@pytest.mark.parametrize("tuned", [True, False])
def test_what_was_loaded_is_left_alone_as_it_grows(
    tuned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen_at: list[int] = []
    kept = 0
    monkeypatch.setattr(gc, "get_freeze_count", lambda: int(tuned))
    monkeypatch.setattr(gc, "freeze", lambda: frozen_at.append(kept))
    left_alone = 0
    for kept in range(0, 10 * LOADED, LOADED // 10):
        left_alone = leave_alone(kept, left_alone)
    growth = [LOADED, 1.5 * LOADED, 2.3 * LOADED, 3.5 * LOADED, 5.3 * LOADED, 8 * LOADED]
    assert frozen_at == (growth if tuned else [])
