"""One queue's own facts, exchanges and bindings, asked of the management API for an act."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

from ..links.management import ERRORS, Api, in_words
from .rabbitmq_match import Binding
from .rabbitmq_routes import Exchange, Routes

log = logging.getLogger(__name__)
OF_A_QUEUE = "name,type,arguments,effective_policy_definition"
OF_EXCHANGES = "name,type,internal,arguments,policy"
OF_BINDINGS = "source,destination,destination_type,routing_key,arguments"


class Topology:
    """What one virtual host is built of; None is what could not be read."""

    def __init__(self, api: Api, vhost: str) -> None:
        self._api, self._vhost = api, vhost

    def queue(self, name: str) -> dict[str, Any] | None:
        """Its kind, arguments and policy of this moment."""
        found = self._get(f"queues/{self._path}/{quote(name, safe='')}?columns={OF_A_QUEUE}")
        return found if isinstance(found, dict) and found.get("name") == name else None

    def routes(self) -> Routes | None:
        """All exchanges and bindings of this moment."""
        exchanges = self._get(f"exchanges/{self._path}?columns={OF_EXCHANGES}")
        bindings = self._get(f"bindings/{self._path}?columns={OF_BINDINGS}")
        try:
            return Routes(
                {str(one["name"]): _exchange(one) for one in exchanges}, map(_binding, bindings)
            )
        except ERRORS:
            return None

    @property
    def _path(self) -> str:
        return quote(self._vhost, safe="")

    def _get(self, path: str) -> Any:
        try:
            return self._api.get(path)
        except ERRORS as error:
            log.warning("%s", in_words(error, self._api.base, self._vhost))
            return None


def _exchange(told: dict[str, Any]) -> Exchange:
    alternate = inside(told.get("arguments")).get("alternate-exchange")
    return Exchange(
        str(told["type"]),
        told.get("internal") is not False,
        str(alternate) if alternate is not None else None,
        bool(told.get("policy")),
    )


def _binding(told: dict[str, Any]) -> Binding:
    return Binding(
        str(told["source"]),
        str(told["destination"]),
        told["destination_type"] == "queue",
        str(told["routing_key"]),
        inside(told.get("arguments")),
    )


def inside(value: Any) -> dict[str, Any]:
    """A table of the API, which writes an empty one as a list at times."""
    return value if isinstance(value, dict) else {}
