"""Opens screens, pages and dialogs: screens ask the host, and need not know each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from .commands.base import Command
from .differ.app import SparingApp
from .model.cluster import Cluster
from .model.seam import ActionRequest, Preview
from .screens.home import HomeScreen
from .screens.log import LogScreen
from .screens.queues import QueuesScreen
from .screens.start import StartScreen
from .screens.tasks import TasksScreen
from .screens.workers import WorkersScreen


class Doors(SparingApp):
    """The part of the app that puts screens up. Pages and dialogs are imported when opened."""

    MODES: ClassVar[Any] = {
        "home": HomeScreen,
        "queues": QueuesScreen,
        "workers": WorkersScreen,
        "tasks": TasksScreen,
        "log": LogScreen,
        "start": StartScreen,
    }

    @property
    def cluster(self) -> Cluster:
        """The model."""
        raise NotImplementedError

    def preview(self, request: ActionRequest) -> Preview:
        """What an act would do, at once; the look-up in the cluster is started."""
        raise NotImplementedError

    def go(self, screen: str) -> None:
        """Show a root screen, its own top."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if self.current_mode != screen:
            self.switch_mode(screen)

    def open(self, kind: str, name: str) -> None:
        """The page of a task, queue or worker, the tree of a workflow, where facts come from."""
        if kind == "task":
            from .screens.task import TaskScreen

            self.push_screen(TaskScreen(name))
        elif kind == "family":
            from .screens.family import FamilyScreen

            self.push_screen(FamilyScreen(name))
        elif kind == "worker" and name in self.cluster.workers:
            from .screens.worker import WorkerScreen

            self.push_screen(WorkerScreen(name))
        elif kind == "queue" and name in self.cluster.queues:
            from .screens.queue import QueueScreen

            self.push_screen(QueueScreen(name))
        elif kind == "queue":
            self.go("queues")
        elif kind in ("workers", "tasks", "queues", "log"):
            self.go(kind)
        elif kind == "sources":
            from .screens.sources import SourcesScreen

            self.push_screen(SourcesScreen())
        elif kind.startswith("why-"):
            from .screens.why import WhyScreen

            self.push_screen(WhyScreen(kind.removeprefix("why-"), name))

    def ask(self, request: ActionRequest) -> None:
        """The confirm dialog of an act."""
        from .screens.confirm import ConfirmScreen

        self.push_screen(ConfirmScreen(self.preview(request)))

    def help(self, commands: Iterable[Command]) -> None:
        """Keys and what they do."""
        from .screens.help import HelpScreen

        self.push_screen(HelpScreen(tuple(commands)))

    def palette(self) -> None:
        """All commands of the screen by name."""
        from .screens.palette import Palette

        self.push_screen(Palette())
