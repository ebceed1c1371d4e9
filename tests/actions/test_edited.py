"""Arguments that people edited for a retry: what the dialog had hidden."""

from typing import Any

import pytest

from celery_tui.actions.edited import unhidden
from celery_tui.errors import ActionError
from celery_tui.model.redact import HIDDEN


def test_hidden_values_come_back_where_they_were() -> None:
    original: Any = ([1, {"password": "hunter2"}], {"token": "t", "to": "ann"})
    edited: Any = ([1, {"password": HIDDEN}], {"token": HIDDEN, "to": "bob"})
    assert unhidden(edited, original) == ([1, {"password": "hunter2"}], {"token": "t", "to": "bob"})


def test_a_hidden_value_without_an_original_is_refused() -> None:
    with pytest.raises(ActionError, match="stands for a secret"):
        unhidden(([HIDDEN], {}), ([], {}))


def test_an_edit_from_one_to_true_is_an_edit() -> None:
    assert unhidden(([True, 1.0], {}), ([1, 1], {})) == ([True, 1.0], {})
    assert repr(unhidden(([[True]], {}), ([[1]], {}))) == "([[True]], {})"
