"""How long each kind of history is kept, as policy.yaml says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta

from orchestrator.language.moments import Duration
from orchestrator.language.problems import Problems
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.tree import Node

RETENTION = ("signals", "journal", "verdicts", "receipts", "seen_sources", "sandbox", "api_requests")
_A_DAY = Duration(count=24, unit="h")
_A_MONTH = Duration(count=30, unit="d")
_A_QUARTER = Duration(count=90, unit="d")


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """None: for good. Consent ledgers, walks, messages and conversions are kept for good whatever this says.

    ``seen_sources`` are the ids by which outside facts count once: a webhook repeated later than that counts again.
    """

    signals: Duration | None = None  # the newest of each kind and customer stays
    journal: Duration | None = None  # of walks that ended before
    verdicts: Duration | None = None  # the last one of each message stays
    receipts: Duration | None = None
    seen_sources: Duration | None = _A_QUARTER
    sandbox: Duration | None = _A_MONTH
    api_requests: Duration | None = _A_DAY

    def spans(self) -> Mapping[str, timedelta]:
        """What is not kept for good, and how long it is."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: kept.span for name, kept in found.items() if kept is not None}


def retention(node: Node, what: str, problems: Problems) -> Retention | None:
    """``{signals: 800d, journal: 400d, ...}``; ``forever`` keeps what has a limit by default."""
    found = read.fields(node, what, RETENTION, problems)
    if found is None:
        return None
    default = Retention()
    kept = {name: found.read_or(name, _span, (getattr(default, name),))[0] for name in RETENTION}
    return Retention(**kept)


def _span(node: Node, what: str, problems: Problems) -> tuple[Duration | None] | None:
    if getattr(node, "text", None) == "forever":
        return (None,)
    span = read.duration(node, what, problems)
    return None if span is None else (span,)
