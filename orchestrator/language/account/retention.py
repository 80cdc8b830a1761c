"""How long each kind of history is kept, as policy.yaml says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from orchestrator.language.fields import Field, keys_of
from orchestrator.language.moments import Duration

KeptFor = Duration | Literal["forever"]
_A_DAY = Duration(count=24, unit="h")
_A_MONTH = Duration(count=30, unit="d")
_A_QUARTER = Duration(count=90, unit="d")
_A_YEAR = Duration(count=400, unit="d")
SHORTEST_SEEN = Duration(
    count=30, unit="d"
)  # products and providers repeat themselves for days, and replay weeks


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """The consent ledger is kept for good whatever this says."""

    enrollments: Annotated[
        KeptFor,
        Field(
            "kept",
            "enrollments that ended so long ago, with their messages, conversions and the rest; the newest of each"
            " playbook and customer stays; default `forever`",
        ),
    ] = "forever"
    signals: Annotated[
        KeptFor, Field("kept", "signals; the newest of each kind and customer stays; default `forever`")
    ] = "forever"
    journal: Annotated[
        KeptFor, Field("kept", "the steps of enrollments that ended so long ago; default `forever`")
    ] = "forever"
    verdicts: Annotated[
        KeptFor,
        Field("kept", "what policies said; the last verdict on each message stays; default `forever`"),
    ] = "forever"
    receipts: Annotated[KeptFor, Field("kept", "what providers reported; default `forever`")] = "forever"
    seen_sources: Annotated[
        KeptFor,
        Field(
            "kept",
            "ids by which outside facts count once: what repeats one later counts again; `30d` at least, default"
            " `90d`",
        ),
    ] = _A_QUARTER
    refusals: Annotated[
        KeptFor, Field("kept", "starts that were refused, by the last time; default `400d`")
    ] = _A_YEAR
    not_entered: Annotated[
        KeptFor,
        Field("kept", "signals that did not start a playbook, by the last time; default `400d`"),
    ] = _A_YEAR
    cooldowns: Annotated[KeptFor, Field("kept", "cooldowns that are over; default `400d`")] = _A_YEAR
    holds: Annotated[KeptFor, Field("kept", "holds that are closed; default `400d`")] = _A_YEAR
    sandbox: Annotated[KeptFor, Field("kept", "what sandbox channels were given; default `30d`")] = _A_MONTH
    api_requests: Annotated[KeptFor, Field("kept", "the idempotency keys of API requests; default `24h`")] = (
        _A_DAY
    )

    def spans(self) -> Mapping[str, timedelta]:
        """What is not kept for good, and how long it is."""
        found = {name: getattr(self, name) for name in keys_of(Retention)}
        return {name: kept.span for name, kept in found.items() if kept != "forever"}
