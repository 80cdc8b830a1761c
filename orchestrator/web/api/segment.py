"""The public Segment tracking shapes, read strictly where it matters and turned into our values.

``identify`` and ``track`` are about ``userId``; ``group`` is about an account and puts its caller into it. Fields we
do not use are let through, because SDKs send many. ``page``, ``screen`` and ``alias`` carry nothing a playbook can
hear and are refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from orchestrator.engine import Engine
from orchestrator.records.intake import Identify, IngestReport, Refused, Track
from orchestrator.web.problems import in_words, json_path

_LONGEST_KEY = 255


def _readable(value: object) -> object:
    """Keys may come as numbers; a zero character is no text for any database."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and "\x00" in value:
        msg = "text with a zero character cannot be stored"
        raise ValueError(msg)
    return value


def _storable(value: object) -> object:
    """JSON as PostgreSQL takes it: no zero characters, no infinities, not nested beyond reason."""
    _check_json(value, depth=0)
    return value


def _check_json(value: object, depth: int) -> None:
    if depth > 20:
        msg = "nested more than 20 deep"
        raise ValueError(msg)
    match value:
        case str() if "\x00" in value:
            msg = "text with a zero character cannot be stored"
            raise ValueError(msg)
        case float() if not math.isfinite(value):
            msg = "numbers must be finite"
            raise ValueError(msg)
        case Mapping():
            for name, part in value.items():
                _check_json(name, depth)
                _check_json(part, depth + 1)
        case list():
            for part in value:
                _check_json(part, depth + 1)
        case _:
            pass


def _utc(value: object) -> object:
    """A time without a zone is taken as UTC, as Segment does."""
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            msg = "expected an instant such as 2026-03-02T09:30:00Z"
            raise ValueError(msg) from None
        return read if read.tzinfo else read.replace(tzinfo=UTC)
    return value


Key = Annotated[str, BeforeValidator(_readable), Field(min_length=1, max_length=_LONGEST_KEY)]
JsonFacts = Annotated[dict[str, Any], BeforeValidator(_storable)]
Instant = Annotated[AwareDatetime, BeforeValidator(_utc)]


class Context(BaseModel):
    """Of Segment's context, what we use: the device's zone and language, and the account."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    timezone: str | None = None
    locale: str | None = None
    group_id: Key | None = None


class _Call(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    user_id: Key
    message_id: Key | None = Field(default=None, description="The call counts once per messageId")
    timestamp: Instant | None = Field(default=None, description="When it happened; default: now")
    context: Context = Context()

    def values(self) -> tuple[Identify | Track, ...]:
        raise NotImplementedError

    def _known(self) -> dict[str, str]:
        found = {
            "timezone": self.context.timezone,
            "locale": self.context.locale,
            "account": self.context.group_id,
        }
        return {name: value for name, value in found.items() if value}


class IdentifyCall(_Call):
    """Profile facts of a customer."""

    type: Literal["identify"] = "identify"
    traits: JsonFacts = Field(default_factory=dict)

    def values(self) -> tuple[Identify | Track, ...]:
        account = {"account": self.context.group_id} if self.context.group_id else {}
        return (
            Identify(
                key=self.user_id,
                traits={**account, **self.traits},
                source_id=self.message_id,
                occurred_at=self.timestamp,
            ),
        )


class TrackCall(_Call):
    """One signal about a customer."""

    type: Literal["track"] = "track"
    event: Annotated[str, BeforeValidator(_readable), Field(min_length=1, max_length=_LONGEST_KEY)]
    properties: JsonFacts = Field(default_factory=dict)

    def values(self) -> tuple[Identify | Track, ...]:
        return (
            Track(
                key=self.user_id,
                event=self.event,
                properties=self.properties,
                source_id=self.message_id,
                occurred_at=self.timestamp,
                context=self._known(),
            ),
        )


class GroupCall(_Call):
    """Facts of an account; with ``userId``, that customer belongs to it from now on."""

    type: Literal["group"] = "group"
    user_id: Key | None = None  # type: ignore[assignment]
    group_id: Key
    traits: JsonFacts = Field(default_factory=dict)

    def values(self) -> tuple[Identify | Track, ...]:
        account = Identify(
            key=self.group_id,
            traits=self.traits,
            source_id=self.message_id,
            occurred_at=self.timestamp,
            account=True,
        )
        if self.user_id is None:
            return (account,)
        member = Identify(
            key=self.user_id,
            traits={"account": self.group_id},
            source_id=self.message_id,
            occurred_at=self.timestamp,
        )
        return account, member


class BatchCall(BaseModel):
    """Up to some hundred calls, each with its ``type``: identify, track or group."""

    model_config = ConfigDict(extra="ignore")

    batch: list[dict[str, Any]] = Field(
        max_length=5000,
        examples=[
            [
                {"type": "identify", "userId": "anna", "messageId": "m-1", "traits": {"plan": "team"}},
                {"type": "track", "userId": "anna", "messageId": "m-2", "event": "export_limit_reached"},
            ]
        ],
    )


CALLS: Mapping[str, type[IdentifyCall | TrackCall | GroupCall]] = {
    "identify": IdentifyCall,
    "track": TrackCall,
    "group": GroupCall,
}


def read_batch(
    items: Sequence[Mapping[str, Any]],
) -> tuple[list[tuple[int, Identify | Track]], list[Refused]]:
    """Each good item with its place in the batch, and every bad field of the others."""
    good: list[tuple[int, Identify | Track]] = []
    refused: list[Refused] = []
    for index, item in enumerate(items):
        root = f"$.batch[{index}]"
        shape = CALLS.get(str(item.get("type")))
        if shape is None:
            found = f"expected identify, track or group, got {str(item.get('type'))[:40]!r}"
            refused.append(Refused(index=index, path=f"{root}.type", problem=found))
            continue
        try:
            call = shape.model_validate(item)
        except ValidationError as error:
            refused += [
                Refused(index=index, path=json_path(part["loc"], root), problem=in_words(dict(part)))
                for part in error.errors()
            ]
            continue
        good += [(index, value) for value in call.values()]
    return good, refused


def ingest(engine: Engine, items: Sequence[tuple[int, Identify | Track]]) -> IngestReport:
    """Hand values to the engine in their order; refusals come back under their place in the batch."""
    taken = repeated = 0
    refused: list[Refused] = []
    for places, report in _in_runs(engine, items):
        taken += report.taken
        repeated += report.repeated
        refused += [
            Refused(
                index=places[found.index],
                path=f"$.batch[{places[found.index]}]{found.path.removeprefix('$')}",
                problem=found.problem,
            )
            for found in report.refused
        ]
    return IngestReport(taken=taken, repeated=repeated, refused=tuple(refused))


def _in_runs(
    engine: Engine, items: Sequence[tuple[int, Identify | Track]]
) -> Iterator[tuple[list[int], IngestReport]]:
    for kind, run in groupby(items, key=lambda pair: type(pair[1])):
        pairs = list(run)
        places = [index for index, _ in pairs]
        if kind is Identify:
            yield places, engine.identify([value for _, value in pairs if isinstance(value, Identify)])
        else:
            yield places, engine.track([value for _, value in pairs if isinstance(value, Track)])
