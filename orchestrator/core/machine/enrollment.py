"""One customer's enrollment as a value: what it is, and what of it moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from orchestrator.records.enrollment import Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class EnrollmentState:
    """Everything about an enrollment that changes. The journal's entries fold back to it.

    ``heard`` are the words received about the current message, each with its first instant. ``said`` are answers,
    variants, outcomes and channels of the steps already left, by step.
    """

    since: datetime | None = None  # the instant of the signal that began the enrollment; None: its entry
    step: str = ""
    visit: int = 0
    phase: Phase = Phase.WAITING
    step_entered_at: datetime | None = None
    due_at: datetime | None = None
    give_up_at: datetime | None = None
    frozen_until: datetime | None = None  # until then patience stands still
    timeout_at: datetime | None = None  # wait_until a condition: when to stop waiting
    handed_at: datetime | None = None
    channel: str | None = None
    tracked: bool = True
    heard: Mapping[str, str] = field(default_factory=dict)
    visits: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    offers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    saved: Mapping[str, Any] = field(default_factory=dict)
    any_sent: bool = False  # at least one message went out (or was held out): the enrollment uses up re-entry
    converted_at: datetime | None = None
    ended_at: datetime | None = None
    end_status: str | None = None
    unknown: Mapping[str, Any] = field(
        default_factory=dict
    )  # what a newer release keeps, written back as it is

    @property
    def live(self) -> bool:
        return self.phase is not Phase.ENDED


@dataclass(frozen=True, kw_only=True, slots=True)
class EnrollmentSnapshot:
    """One enrollment. Identity and entry facts never change; ``state`` does.

    ``subject`` is what holdout and variants hash: the customer's key, or the account's for ``one_per: account``.
    """

    customer_id: int
    enrollment_id: int
    playbook_id: int
    playbook: str
    subject: str
    entered_at: datetime
    held_out: bool
    reentry_key: str = ""
    trigger: str = "product"
    because: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    state: EnrollmentState = EnrollmentState()


_INSTANTS = frozenset(
    {
        "since",
        "step_entered_at",
        "due_at",
        "give_up_at",
        "frozen_until",
        "timeout_at",
        "handed_at",
        "converted_at",
        "ended_at",
    }
)
_NAMES = tuple(item.name for item in fields(EnrollmentState) if item.name != "unknown")
_values = attrgetter(*_NAMES)


def ended_state(outcome: str, at: datetime) -> dict[str, Any]:
    """What changes of a state when the enrollment ends."""
    return {
        "phase": Phase.ENDED,
        "due_at": None,
        "give_up_at": None,
        "timeout_at": None,
        "ended_at": at,
        "end_status": outcome,
    }


def ended_state_json(outcome: str, at: datetime) -> dict[str, Any]:
    """:func:`ended_state` as JSON values."""
    return ended_state(outcome, at) | {"phase": Phase.ENDED.value, "ended_at": at.isoformat()}


def state_to_json(state: EnrollmentState) -> dict[str, Any]:
    """``state`` as JSON values; instants as ISO 8601 text."""
    plain: dict[str, Any] = dict(state.unknown)
    plain.update((name, _as_json(name, value)) for name, value in zip(_NAMES, _values(state), strict=True))
    return plain


def state_changes(before: EnrollmentState, after: EnrollmentState) -> dict[str, Any]:
    """The fields in which ``after`` differs, as JSON values."""
    if before is after:
        return {}
    changes: dict[str, Any] = {}
    for name, old, new in zip(_NAMES, _values(before), _values(after), strict=True):
        if new is old:
            continue
        plain = _as_json(name, new)
        if plain != _as_json(name, old):
            changes[name] = plain
    return changes


def changed_state(state: EnrollmentState, values: Mapping[str, Any]) -> EnrollmentState:
    """``state`` with other ``values``: :func:`dataclasses.replace`, at a third of its price."""
    return EnrollmentState(
        **{**dict(zip(_NAMES, _values(state), strict=True)), "unknown": state.unknown, **values}
    )


def _as_json(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _INSTANTS:
        return value.isoformat()
    return value.value if name == "phase" else value


def state_from_json(plain: Mapping[str, Any]) -> EnrollmentState:
    """The state that :func:`state_to_json` wrote, here or in a newer release.

    Raises KeyError, TypeError or ValueError for anything else.
    """
    values = {name: plain[name] for name in _NAMES if name in plain}
    values["unknown"] = {name: value for name, value in plain.items() if name not in values}
    for name in _INSTANTS:
        if values.get(name) is not None:
            values[name] = datetime.fromisoformat(values[name])
    values["phase"] = Phase(values["phase"])
    return EnrollmentState(**values)
