"""Who is of whose family: an index of parents, groups and plans, kept as news comes. Pure.

Parents are told by events, messages and stored results; children by stored results; what is still
to be sent by the message of the task that will send it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from itertools import islice

from .plans import LONGEST_ID, Planned
from .task import Task

MOST_CHILDREN = 1_000
"""Of those that one stored result names."""
AWAITED_KEPT = 20_000
PLANS_KEPT = 5_000
"""Tasks of which it is known what they will send; each may send many."""


class Families:
    """Children by parent, members by group, plans by who will send them; bounded by the tasks."""

    def __init__(self) -> None:
        self._children: dict[str, str | dict[str, None]] = {}
        self._groups: dict[str, str | dict[str, None]] = {}
        self._plans: OrderedDict[str, tuple[Planned, ...]] = OrderedDict()
        self._awaited: OrderedDict[str, str] = OrderedDict()
        """Child that nobody has seen yet -> who sent it."""

    def note(self, task: Task) -> None:
        """Its parent or its group has become known."""
        if task.parent_id is not None and task.parent_id != task.id:
            _put(self._children, task.parent_id, task.id)
        if task.group_id is not None:
            _put(self._groups, task.group_id, task.id)

    def sent(self, parent_id: str, children: Iterable[str]) -> None:
        """A stored result names the tasks that were sent by its own."""
        for child in islice(children, MOST_CHILDREN):
            if child != parent_id and len(child) <= LONGEST_ID:
                _put(self._children, parent_id, child)

    def adopt(self, task: Task, children: Iterable[str], tasks: Mapping[str, Task]) -> None:
        """Where results are rows of a table only their sender tells whose children tasks are."""
        task.parent_id = task.parent_id or self._awaited.pop(task.id, None)
        for child in islice(children, MOST_CHILDREN):
            known = tasks.get(child)
            if known is not None and child != task.id:
                known.parent_id = known.parent_id or task.id
            elif known is None and len(child) <= LONGEST_ID:
                self._awaited[child] = task.id
        while len(self._awaited) > AWAITED_KEPT:
            self._awaited.popitem(last=False)

    def plan(self, plans: Mapping[str, tuple[Planned, ...]]) -> None:
        """What tasks will send when they have ended, as ``plans.planned`` reads it in a message."""
        for task_id, followers in plans.items():
            self._plans[task_id] = followers
            self._plans.move_to_end(task_id)
        while len(self._plans) > PLANS_KEPT:
            self._plans.popitem(last=False)

    def forget(self, task: Task, tasks: Mapping[str, Task]) -> None:
        """It was evicted; children of it that nobody saw go with it."""
        if task.parent_id is not None:
            _take(self._children, task.parent_id, task.id)
        if task.group_id is not None:
            _take(self._groups, task.group_id, task.id)
        for child in list(self.children(task.id)):
            if child not in tasks:
                _take(self._children, task.id, child)
        self._plans.pop(task.id, None)

    def children(self, task_id: str) -> Mapping[str, None]:
        """Ids in the order in which they became known; not a copy, it may be long."""
        return _ids(self._children, task_id)

    def members(self, group_id: str) -> Mapping[str, None]:
        """Ids of a group's tasks."""
        return _ids(self._groups, group_id)

    def plans(self, task_id: str) -> tuple[Planned, ...]:
        """What it will send, or would have sent."""
        return self._plans.get(task_id, ())

    def knows(self, task: Task) -> bool:
        """Whether it has a family at all."""
        own = task.parent_id or (task.root_id and task.root_id != task.id)
        return bool(own or task.id in self._children or task.id in self._plans) or bool(
            task.group_id and len(self.members(task.group_id)) > 1
        )


def _put(index: dict[str, str | dict[str, None]], key: str, value: str) -> None:
    """Most parents have one child: a dict each would be most of the memory."""
    before = index.get(key)
    if before is None:
        index[key] = value
    elif isinstance(before, dict):
        before[value] = None
    elif before != value:
        index[key] = {before: None, value: None}


def _take(index: dict[str, str | dict[str, None]], key: str, value: str) -> None:
    before = index.get(key)
    if isinstance(before, dict):
        before.pop(value, None)
        if not before:
            del index[key]
    elif before == value:
        del index[key]


def _ids(index: dict[str, str | dict[str, None]], key: str) -> Mapping[str, None]:
    found = index.get(key)
    if found is None:
        return {}
    return found if isinstance(found, dict) else {found: None}
