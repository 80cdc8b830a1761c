"""What the policies said about a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.records.message import PolicyMoment, VerdictKind


@dataclass(frozen=True, kw_only=True, slots=True)
class LastVerdict:
    """The latest verdict on a message: one that says the same again is counted and not kept anew."""

    asked: PolicyMoment
    channel: str
    policy: str  # the one that decided; all: every one allows it
    verdict: VerdictKind
    until: datetime | None  # when it is asked again
    why: str
