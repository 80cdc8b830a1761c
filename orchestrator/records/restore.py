"""A database put back from a backup: what it forgot, and the withdrawals that were written down outside of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

EVERY_STEP = "*"
"""Among doubtful steps: any of them may have spoken."""

WithdrawalKind = Literal["revoked", "erased"]


class Progress(Protocol):
    """Told how far a part of a restore is."""

    def __call__(self, part: str, done: int, total: int, /) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedWithdrawal:
    """One line of the withdrawal log: what was withdrawn, and by whom as keyed hashes alone."""

    kind: WithdrawalKind
    channel: str  # or *
    topic: str  # or *
    method: str
    occurred_at: datetime  # business time
    recorded_at: datetime
    customer: str  # keyed hash of the product's key
    addresses: tuple[tuple[str, str], ...] = ()  # channel and keyed hash of what reaches the person there


@dataclass(frozen=True, kw_only=True, slots=True)
class LogMark:
    """The count of the database at an instant, as it was written to the log after its commit."""

    number: int
    at: datetime  # business time
    unlogged: int = 0  # committed withdrawals that waited to be written then


@dataclass(frozen=True, kw_only=True, slots=True)
class LogContents:
    """What was read of a log, in the order of its files."""

    withdrawals: Sequence[LoggedWithdrawal] = ()
    marks: Sequence[LogMark] = ()
    unreadable: int = 0  # lines: torn by a crash or a full disk
    files: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class LostTime:
    """Between these two instants of business time the database does not know what happened."""

    since: datetime | None  # None: found, and nobody has said yet
    until: datetime
    pending: bool  # nothing moves until it is dealt with
    promotion_held: bool
    doubtful: bool = False  # there are enrollments whose steps may have spoken before
    awaiting: bool = False  # there are withdrawals of people who are not known


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreState:
    """A restore as it is kept, with how far it has come."""

    id: int
    since: datetime | None
    until: datetime
    sequences_moved: bool
    next_customer: int
    enrollments_done: bool
    finished_at: datetime | None
    promotion_held: bool
    accepted_by: str | None
    report: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class SuppressionAnswer:
    """What one provider said of its suppression list."""

    provider: str
    asked: bool  # False: it offers no list
    done: bool
    addresses: int = 0
    detail: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreReport:
    """What dealing with a restored database did; every number is of this restore, over all its runs."""

    since: datetime
    until: datetime
    sequences: int  # moved
    enrollments: int  # live ones looked at
    uncertain: int  # messages that may have gone out: not sent again
    doubtful_steps: int  # steps ahead whose message may have gone out
    log: Literal["read", "missing", "incomplete"]
    entries: int  # withdrawals in the log since then
    withdrawn: int  # new in the ledger
    erased: int  # people forgotten again
    known: int  # in the ledger before
    awaiting: int  # of people this database does not know: kept for when they come back
    refused: int  # could not be applied
    suppressions: tuple[SuppressionAnswer, ...] = ()
    promotion_held: bool = True
    accepted_by: str | None = None
    problems: tuple[str, ...] = ()  # why promotion is held, or would be
