"""One customer's whole story, and why each message was or was not sent: what support people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from orchestrator.records.message import MessageKind, MessageStatus, PolicyMoment, VerdictKind

TimelineKind = Literal[
    "signal", "start", "refusal", "step", "message", "verdict", "receipt", "response", "consent", "cooldown", "hold",
    "conversion", "parked", "erasure",
]  # fmt: skip
"""What kind of thing happened."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyAnswer:
    """What the guardrails answered; equal answers in a row are one."""

    asked: PolicyMoment
    channel: str
    policy: str  # the guardrail that decided; all: every one allowed it
    verdict: VerdictKind
    why: str  # a sentence for people
    until: datetime | None  # when it is asked again
    first_at: datetime
    last_at: datetime
    count: int  # how often it was given in a row


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why one message was, or was not, sent."""

    message_id: str  # public: m_...
    enrollment_id: str  # public: e_...
    playbook: str
    step: str
    kind: MessageKind
    channel: str
    status: MessageStatus
    policy: str | None  # the guardrail that decided it, if one did
    why: str  # a whole sentence for people
    planned_at: datetime
    at: datetime  # since when this is so
    answers: tuple[PolicyAnswer, ...]  # every answer of the guardrails, oldest first

    def to_plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {name: _json(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineEntry:
    """One thing that happened."""

    at: datetime
    kind: TimelineKind
    words: str  # a sentence for people
    playbook: str | None = None
    step: str | None = None
    enrollment_id: str | None = None  # public: e_...
    message_id: str | None = None  # public: m_...
    data: Mapping[str, Any] = field(default_factory=dict)  # the facts behind it, as JSON values

    def to_plain(self) -> dict[str, Any]:
        plain = {
            "at": self.at.isoformat(),
            "kind": self.kind,
            "words": self.words,
            "playbook": self.playbook,
            "step": self.step,
            "enrollment_id": self.enrollment_id,
            "message_id": self.message_id,
            "data": dict(self.data),
        }
        return {name: value for name, value in plain.items() if value not in (None, {})}


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """Everything that happened to one customer, oldest first."""

    entries: tuple[TimelineEntry, ...]
    explanations: tuple[Explanation, ...]  # one a message
    older: int = 0  # how many entries were left out before the first

    def latest(self, most: int) -> Timeline:
        """The same without all but the latest so many entries and messages."""
        left_out = max(0, len(self.entries) - most)
        return replace(
            self,
            entries=self.entries[left_out:],
            explanations=self.explanations[-most:],
            older=self.older + left_out,
        )

    def of_playbook(self, playbook: str) -> Timeline:
        """What concerns one playbook."""
        return replace(
            self,
            entries=tuple(one for one in self.entries if one.playbook == playbook),
            explanations=tuple(one for one in self.explanations if one.playbook == playbook),
        )

    def without(self, kind: TimelineKind) -> Timeline:
        """The same without entries of this kind."""
        return replace(self, entries=tuple(one for one in self.entries if one.kind != kind))

    def to_plain(self) -> dict[str, Any]:
        return {
            "timeline": [entry.to_plain() for entry in self.entries],
            "explanations": [one.to_plain() for one in self.explanations],
        }


def _json(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case tuple():
            return [{name: _json(part) for name, part in one.items()} for one in value]
        case _:
            return value
