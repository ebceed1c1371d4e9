"""What a broker says of a purge or an undo beforehand, in its dialog."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..brokers.base import Forecast
from ..model.seam import Preview


def foretold(preview: Preview, found: Sequence[tuple[str, Forecast]]) -> Preview:
    """The preview with it; ``found``: by queue. The name of the first that asks for it is typed."""
    told = [one for _, one in found]
    return msgspec.structs.replace(
        preview,
        irreversible=preview.irreversible or any(one.final for one in told),
        facts=_once(preview.facts, *(one.facts for one in told)),
        warnings=_once(*(one.warnings for one in told), preview.warnings),
        blocked=preview.blocked or next((one.blocked for one in told if one.blocked), ""),
        to_type=next((queue for queue, one in found if one.sure), ""),
    )


def _once(*said: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for some in said for sentence in some))
