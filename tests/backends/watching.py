"""A source of results that runs, and what it tells."""

from collections.abc import Callable
from typing import Any

from celery_tui.model.observations import Observation, Results
from celery_tui.model.seam import Health, Link
from celery_tui.settings import Settings
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.results import ResultSource
from tests.servers import wait_for


class Watched:
    """A running source, and all that it has told."""

    def __init__(self, url: str, app: Any = None) -> None:
        self.source = ResultSource(Inbox(), Settings(result_backend=url, celery_app=app))
        self.told: list[Observation] = []
        self.source.want(("a", "b"))
        self.source.start()

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self.source.stop()
        self.source.join(20)

    def heard(self) -> list[Observation]:
        """Everything so far."""
        while (one := self.source.inbox.take()) is not None:
            self.told.append(one)
        return self.told

    def since(self, event: Callable[[], object], state: Link, what: str) -> Health:
        """The first health of that state after something happened."""
        before = len(self.heard())
        event()

        def found() -> list[Health]:
            news = self.heard()[before:]
            return [one for one in news if isinstance(one, Health) and one.state == state]

        return wait_for(found, what)[0]

    def until_live(self) -> None:
        """The link stands and a result was told."""
        wait_for(lambda: any(isinstance(one, Results) for one in self.heard()), "a result")
