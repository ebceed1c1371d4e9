"""The README's tables of what can be known, and which tests show each cell of them.

A test says what it shows: ``@pytest.mark.fact("depth", "Redis", "RabbitMQ")`` names a row
and its columns. `python -m tests.known` prints every cell with its tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
CHAPTERS = ("By broker", "By result backend")
NOTHING_OF_ITS_OWN = ("cannot be known", "not listed", "as without it")
"""How a cell begins that needs no test; what any other says is shown by one."""

Cell = tuple[str, str]
"""A fact, and where."""


def cells() -> dict[Cell, str]:
    """What the README says of each fact in each place."""
    text = README.read_text(encoding="utf-8")
    found: dict[Cell, str] = {}
    for chapter in CHAPTERS:
        part = text.split(f"### {chapter}\n", 1)[1]
        lines = [line for line in part.split("\n#", 1)[0].splitlines() if line.startswith("|")]
        head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
        for row in rows:
            found.update({(row[0], where): told for where, told in zip(head, row, strict=True)})
            del found[row[0], head[0]]
    return found


def is_shown(told: str) -> bool:
    """Whether a cell says something that a test must show."""
    return not told.startswith(NOTHING_OF_ITS_OWN)


def shown() -> dict[Cell, list[str]]:
    """Each cell that a test names, and these tests."""
    found: dict[Cell, list[str]] = {}
    for path in sorted(HERE.rglob("test_*.py")):
        for test, fact, places in _marks(path):
            for where in places:
                name = f"{path.relative_to(HERE.parent)}::{test}"
                found.setdefault((fact, where), []).append(name)
    return found


def _marks(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fact":
                    fact, *places = (ast.literal_eval(word) for word in mark.args)
                    yield node.name, fact, places


if __name__ == "__main__":
    tests = shown()
    for (fact, where), told in cells().items():
        print(f"{fact} | {where} | {told}")
        for test in tests.get((fact, where), []):
            print(f"    {test}")
