"""Flags over environment over defaults, and one sentence for what cannot be used."""

from pathlib import Path

import pytest

from celery_tui.errors import SettingsError
from celery_tui.settings import Settings, load, read_broker_file

URL, OTHER = "redis://a/0", "redis://b/0"


def test_nothing_given_leaves_the_defaults() -> None:
    assert load({}, {}) == Settings()


def test_a_flag_wins_over_the_environment() -> None:
    assert load({"broker": URL}, {"CELERY_TUI_BROKER": OTHER}).broker == URL


def test_our_own_variable_wins_over_celerys() -> None:
    both = {"CELERY_TUI_BROKER": URL, "CELERY_BROKER_URL": OTHER}
    assert load({}, both).broker == URL
    assert load({}, {"CELERY_BROKER_URL": OTHER}).broker == OTHER


def test_the_module_that_configures_celery_is_taken_from_its_own_variable() -> None:
    assert load({}, {"CELERY_CONFIG_MODULE": "proj.config"}).config_module == "proj.config"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load({}, {"CELERY_BROKER_URL": ""}).broker is None


@pytest.mark.parametrize(("word", "meant"), [("1", True), ("yes", True), ("off", False)])
def test_a_switch_in_the_environment_is_yes_or_no(word: str, meant: bool) -> None:
    assert load({}, {"CELERY_TUI_READ_ONLY": word}).read_only is meant


def test_only_changed_cells_are_sent_unless_it_is_forbidden() -> None:
    assert not load({}, {}).no_diff
    assert load({}, {"CELERY_TUI_NO_DIFF": "1"}).no_diff


def test_a_switch_that_is_neither_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="CELERY_TUI_READ_ONLY"):
        load({}, {"CELERY_TUI_READ_ONLY": "perhaps"})


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(SettingsError, match="pink"):
        load({}, {"CELERY_TUI_THEME": "pink"})


def test_settings_show_no_password_when_printed() -> None:
    assert "hunter2" not in repr(load({"broker": "redis://:hunter2@h/0"}, {}))


def test_a_broker_file_holds_the_url_in_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "broker"
    path.write_text(f"{URL}\n", encoding="utf-8")
    assert read_broker_file(path) == URL


def test_a_broker_file_that_is_empty_or_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("empty", "missing"):
        with pytest.raises(SettingsError, match=name):
            read_broker_file(tmp_path / name)
