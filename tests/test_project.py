"""The project's own files agree with each other."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import celery_tui

ROOT = Path(__file__).parent.parent
NOT_OURS = {"build", "dist", "node_modules"}
"""Folders that tools make; so are those beginning with a dot, bar the few of our own."""
OUR_DOTS = {".ci", ".gitignore", ".typing"}

REGISTRY = re.compile(r"py(?:pi|thonhosted)\.(?:org|io|python)|pack(?:agist)\.org|npm(?:js)\.")
"""Host names of package registries, written so that this line holds none."""

PIN = re.compile(r"[a-z0-9][a-z0-9.-]*==[A-Za-z0-9.!+]+")


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    """The parsed pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def our_files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file that a commit could hold."""
    for path in sorted(folder.iterdir()):
        name = path.name
        if name in NOT_OURS or name.endswith(".egg-info") or name == "__pycache__":
            continue
        if path.is_symlink() or (name.startswith(".") and name not in OUR_DOTS):
            continue
        if path.is_dir():
            yield from our_files(path)
        else:
            yield path


def pins() -> dict[str, str]:
    """Project name -> version, from constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==", 1) for line in lines)


def wanted(pyproject: dict[str, Any]) -> set[str]:
    """Names of all distributions that pyproject asks for."""
    project = pyproject["project"]
    asked = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
        *(one for group in pyproject["dependency-groups"].values() for one in group),
    ]
    return {re.split(r"[\[<>=!~; ]", one, maxsplit=1)[0] for one in asked}


def test_packages_names_every_folder_of_the_package(pyproject: dict[str, Any]) -> None:
    tui = ROOT / "tui"
    folders = {path.parent.relative_to(tui) for path in tui.rglob("__init__.py")}
    expected = {".".join(("celery_tui", *folder.parts)) for folder in folders}
    assert set(pyproject["tool"]["setuptools"]["packages"]) == expected


def test_every_module_of_the_package_lies_in_a_named_package() -> None:
    """A folder without __init__.py would be missing from the wheel."""
    folders = {path.parent for path in (ROOT / "tui").rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_no_file_names_a_package_registry() -> None:
    texts = ((path, path.read_text(encoding="utf-8", errors="replace")) for path in our_files())
    assert not [str(path.relative_to(ROOT)) for path, text in texts if REGISTRY.search(text)]


def test_every_constraint_is_a_name_and_a_version() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if not PIN.fullmatch(line)]


def test_every_dependency_is_pinned(pyproject: dict[str, Any]) -> None:
    assert not wanted(pyproject) - set(pins())


def test_the_changelog_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(celery_tui.__version__)}\]", text, re.MULTILINE)


def test_no_module_imports_the_folder_by_its_name() -> None:
    """Inside the package ruff's ban cannot tell `import tui` from a relative import."""
    statement = re.compile(r"^\s*(?:import|from) tui\b", re.MULTILINE)
    sources = (ROOT / "tui").rglob("*.py")
    assert not [path for path in sources if statement.search(path.read_text(encoding="utf-8"))]


def test_every_module_opens_with_one_sentence_saying_its_duty() -> None:
    sources = [*(ROOT / "tui").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    opening = re.compile(r'(?:#!.*\n)?r?"""\S')
    assert not [path for path in sources if not opening.match(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").iterdir()), ids=lambda path: path.name)
def test_every_script_may_be_executed(path: Path) -> None:
    assert path.suffix or path.stat().st_mode & 0o100
