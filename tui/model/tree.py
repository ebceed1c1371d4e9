"""A workflow as rows of a tree, from its root down, with what never ran and why. Pure.

It is followed along the index of families: nothing here grows with the number of all tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import msgspec

from .family import Families
from .plans import CHORD, ERRBACK, Planned
from .task import FAILURE, FINAL, SUCCESS, Task

MOST_ROWS = 500
DEEPEST = 100
GROUP = "group:"
NEVER = "never sent"


class Kin(msgspec.Struct, frozen=True, gc=False):
    """One row of a tree, from the top."""

    id: str
    """Of a task; of a group that has no task above it ``group:<id>``; else made up."""
    name: str
    task: Task | None = None
    """None: never seen."""
    relation: str = ""
    """Of what is planned: why it will be sent."""
    note: str = ""
    depth: int = 0
    last: bool = True
    """No sibling comes after it."""
    open: tuple[bool, ...] = ()
    """For each of its ancestors but the topmost, whether siblings of that come below."""
    this: bool = False

    @property
    def planned(self) -> bool:
        """Not sent, as far as is known."""
        return self.task is None and bool(self.relation)

    @property
    def is_group(self) -> bool:
        """No task, but what holds some together."""
        return self.task is None and self.id.startswith(GROUP)


class Tree(msgspec.Struct, frozen=True, gc=False):
    """Rows in the order in which they are shown, and how many more there are at least."""

    rows: tuple[Kin, ...]
    more: int = 0


class _Node(msgspec.Struct):
    id: str
    planned: Planned | None = None
    note: str = ""


def tree(
    tasks: Mapping[str, Task], families: Families, task_id: str, most: int = MOST_ROWS
) -> Tree:
    """The workflow that a task is part of, from its root down; at most so many rows."""
    return _Grower(tasks, families, task_id, most).grown()


class _Grower:
    """Walks down from the root, depth first, each id once."""

    def __init__(
        self, tasks: Mapping[str, Task], families: Families, task_id: str, most: int
    ) -> None:
        self.tasks, self.families, self.task_id, self.most = tasks, families, task_id, most
        self.path = self._path()
        self.seen: set[str] = set()
        self.rows: list[Kin] = []
        self.more = 0

    def _path(self) -> list[str]:
        """From the task up, each id once: on a retry a task is its own parent."""
        path = [self.task_id]
        while len(path) < DEEPEST:
            task = self.tasks.get(path[-1])
            parent = task.parent_id if task is not None else None
            if parent is None or parent in path:
                break
            path.append(parent)
        own = self.tasks.get(self.task_id)
        if own is not None and own.root_id is not None and own.root_id not in path:
            path.append(own.root_id)
        return path

    def grown(self) -> Tree:
        """All rows."""
        top = self.tasks.get(self.path[-1])
        group = top.group_id if top is not None else None
        if group is not None and len(self.families.members(group)) > 1:
            self.path.append(f"{GROUP}{group}")
        self._grow(_Node(self.path[-1]))
        return Tree(tuple(self.rows), self.more)

    def _grow(self, top: _Node) -> None:
        stack: list[tuple[_Node, int, bool, tuple[bool, ...]]] = [(top, 0, True, ())]
        while stack:
            node, depth, last, opens = stack.pop()
            if node.id in self.seen:
                continue
            if len(self.rows) >= self.most:
                self.more += 1
                continue
            self.seen.add(node.id)
            self.rows.append(self._row(node, depth, last, opens))
            below = self._below(node) if depth < DEEPEST else []
            deeper = (*opens, not last) if depth else ()
            for index in range(len(below) - 1, -1, -1):
                stack.append((below[index], depth + 1, index == len(below) - 1, deeper))

    def _below(self, node: _Node) -> list[_Node]:
        children = self._sent_by(node.id)
        known: set[str] = set()
        below = [_Node(i) for i in self._shown(node.id, children) if i not in self.seen]
        if not node.id.startswith(GROUP):
            below += self._to_be_sent(node.id, children, known, chord=False)
        for child in list(below):  # the body of a chord stands behind its header
            below += self._to_be_sent(child.id, children, known, chord=True)
        if node.id == self.path[-1]:
            below += self._to_be_sent(node.id, children, known, chord=True)
        return below

    def _shown(self, node_id: str, children: Mapping[str, None]) -> list[str]:
        """As many as there is room for, and the one that leads to the task asked for.

        That one may be of a later generation: those between it and a root may be unknown.
        """
        room = self.most - len(self.rows)
        shown = list(islice(children, room))
        lead = self.path[self.path.index(node_id) - 1] if node_id in self.path[1:] else None
        if lead is not None and lead not in shown:
            shown = [*shown[: room - 1], lead]
        self.more += len(children) - sum(1 for child in shown if child in children)
        return shown

    def _sent_by(self, node_id: str) -> Mapping[str, None]:
        if node_id.startswith(GROUP):
            return self.families.members(node_id.removeprefix(GROUP))
        return self.families.children(node_id)

    def _to_be_sent(
        self, sender: str, children: Mapping[str, None], known: set[str], chord: bool
    ) -> list[_Node]:
        nodes: list[_Node] = []
        for number, follower in enumerate(self.families.plans(sender)):
            if (follower.relation == CHORD) != chord:
                continue
            made_up = f"{sender}/{follower.relation}/{number}"
            node_id = follower.id or made_up
            task = self.tasks.get(node_id)
            elsewhere = task is not None and task.parent_id not in (None, sender)
            known_already = node_id in children or node_id in self.seen or node_id in known
            if not (elsewhere or known_already):
                known.add(node_id)
                note = self._why_not(sender, follower)
                nodes.append(_Node(node_id, follower, note))
        return nodes

    def _why_not(self, sender: str, follower: Planned) -> str:
        """Why a planned task was not sent, in words."""
        task = self.tasks.get(sender)
        row = self._row_of(sender)
        name = (task.name if task is not None else "") or (row.name if row is not None else "?")
        failed = task is not None and task.state in FINAL and task.state != SUCCESS
        if follower.relation == ERRBACK:
            if task is not None and task.state == SUCCESS:
                return f"not needed: {name} succeeded"
            return f"if {name} fails"
        if follower.relation == CHORD:
            return f"{NEVER}: {name} {_ended(task)}" if failed else "waits for all of its chord"
        if failed:
            return f"{NEVER}: {name} {_ended(task)}"
        if task is not None and task.state == SUCCESS:
            return "not seen yet"
        if row is not None and row.note.startswith(NEVER):
            return row.note
        return f"waits for {name}"

    def _row_of(self, row_id: str) -> Kin | None:
        return next((row for row in reversed(self.rows) if row.id == row_id), None)

    def _row(self, node: _Node, depth: int, last: bool, opens: tuple[bool, ...]) -> Kin:
        task = self.tasks.get(node.id)
        name = task.name if task is not None else ""
        relation = note = ""
        if node.planned is not None and task is None:
            name, relation, note = node.planned.name, node.planned.relation, node.note
        elif node.planned is not None:
            name = name or node.planned.name
        return Kin(node.id, name, task, relation, note, depth, last, opens, node.id == self.task_id)


def _ended(task: Task | None) -> str:
    return (
        "failed"
        if task is not None and task.state == FAILURE
        else "was " + (task.state.lower() if task is not None else "?")
    )
