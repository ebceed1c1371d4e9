"""What an import loads: proved in fresh interpreters, since this one has loaded everything."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TERMINAL = {"rich", "textual"}
BROKER = {"amqp", "billiard", "celery", "kombu", "redis"}

PROBE = """
import importlib, importlib.util, json, pkgutil, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    if importlib.util.find_spec(name) is None:
        continue
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(getattr(package, "__path__", []), name + "."):
        importlib.import_module(module.name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by(folder: Path, *names: str) -> set[str]:
    """All modules that importing these (and what lies in them) loads in a new interpreter.

    A module that is not there yet loads nothing.
    """
    # -I and an empty folder: neither the checkout nor the environment may help.
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, *names],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def third_party(modules: set[str]) -> set[str]:
    """The top-level names among them that are neither ours nor the standard library's."""
    tops = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)
    # msgspec loads typing_extensions where somebody has installed it.
    return tops - {"celery_tui", "__main__", "typing_extensions"}


def test_the_entry_point_loads_click_only(tmp_path: Path) -> None:
    """Celery imports it at every `celery …` command, `celery worker` included."""
    assert third_party(loaded_by(tmp_path, "celery_tui.cli")) == {"click"}


def test_the_entry_point_loads_no_subpackage_of_ours(tmp_path: Path) -> None:
    modules = loaded_by(tmp_path, "celery_tui.cli")
    ours = {name for name in modules if name.startswith("celery_tui")}
    allowed = {"cli", "errors", "settings", "urls", "url_spans", "spelling", "secret_names"}
    assert ours <= {"celery_tui", *(f"celery_tui.{name}" for name in allowed)}


def test_importing_the_package_loads_nothing_else(tmp_path: Path) -> None:
    """The probe imports what lies in a package too, hence the single module __init__."""
    code = "import celery_tui, sys; print(celery_tui.__version__, 'click' in sys.modules)"
    out = subprocess.check_output([sys.executable, "-I", "-c", code], cwd=tmp_path, text=True)
    assert out.split()[1] == "False"


@pytest.mark.parametrize("package", ["celery_tui.model", "celery_tui.triage"])
def test_a_pure_package_loads_msgspec_at_most(package: str, tmp_path: Path) -> None:
    assert third_party(loaded_by(tmp_path, package)) <= {"msgspec"}


def test_columns_load_humanize_at_most(tmp_path: Path) -> None:
    assert third_party(loaded_by(tmp_path, "celery_tui.columns")) <= {"humanize", "msgspec"}


@pytest.mark.parametrize(
    "name",
    [
        *("actions", "backends", "brokers", "links", "sources"),
        *("commands", "errors", "monitor", "report", "settings", "urls"),
    ],
)
def test_what_works_without_a_screen_loads_no_textual(name: str, tmp_path: Path) -> None:
    assert not third_party(loaded_by(tmp_path, f"celery_tui.{name}")) & {"textual"}


@pytest.mark.parametrize("name", ["links", "monitor", "preflight"])
def test_broker_libraries_are_loaded_when_something_connects(name: str, tmp_path: Path) -> None:
    """Not before the first frame, and never in the thread that draws it."""
    assert not third_party(loaded_by(tmp_path, f"celery_tui.{name}")) & BROKER


@pytest.mark.parametrize("name", ["columns", "commands"])
def test_declarations_load_neither_a_terminal_nor_a_broker_library(
    name: str, tmp_path: Path
) -> None:
    assert not third_party(loaded_by(tmp_path, f"celery_tui.{name}")) & (TERMINAL | BROKER)


@pytest.mark.parametrize("name", ["screens", "widgets"])
def test_what_a_person_sees_loads_no_broker_library(name: str, tmp_path: Path) -> None:
    assert not third_party(loaded_by(tmp_path, f"celery_tui.{name}")) & BROKER


def test_nobody_imports_the_folder_by_its_name(tmp_path: Path) -> None:
    names = ["actions", "backends", "brokers", "cli", "columns", "commands", "links", "model"]
    names += ["monitor", "report", "screens", "sources", "triage", "widgets"]
    modules = loaded_by(tmp_path, *(f"celery_tui.{name}" for name in names))
    assert "tui" not in modules
    assert "tui" not in sys.modules


def test_databases_are_imported_only_when_one_is_used(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, "celery_tui.backends", "celery_tui.sources")
    assert not loaded & {"sqlalchemy", "django", "pymongo", "psycopg", "sqlite3"}
