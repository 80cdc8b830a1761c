"""Deals with a database that was put back from a backup: nobody is written to twice, nobody who left is written to.

It can be repeated at any time and goes on where it was left. Its parts, in order: ids are moved past all that were
given; what may have gone out is taken for uncertain, now and ahead; withdrawals come back from the log and from the
providers; then the work goes on, and promotion too when nothing is missing or somebody accepted what is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from channels.base import ListsSuppressions
from orchestrator.errors import InputError
from orchestrator.records.restore import (
    LogContents,
    Progress,
    RestoreReport,
    RestoreState,
    SuppressionAnswer,
)
from orchestrator.service.context import ServiceContext
from orchestrator.service.operations.lost_sends import doubt_everybody
from orchestrator.service.operations.lost_withdrawals import (
    Erase,
    ask_providers,
    entries_since,
    read_log_back,
    what_is_missing,
)
from orchestrator.telemetry import emit


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreRequest:
    """What whoever restored the backup says."""

    since: datetime  # business time of the dump
    until: datetime | None = None  # when the last process of before stopped; None: now
    log: LogContents | None = None  # None: there is none
    accepted_by: str | None = None  # who accepts the loss of withdrawals, by name


@dataclass(frozen=True, kw_only=True, slots=True)
class _Withdrawals:
    """What came of reading withdrawals back."""

    missing: str | None
    entries: int
    known: int
    refused: int
    answers: Sequence[SuppressionAnswer]

    @property
    def problems(self) -> tuple[str, ...]:
        found = [self.missing] if self.missing else []
        found += [f"{one.provider} could not be asked: {one.detail}" for one in self.answers if not one.done]
        if self.refused:
            found.append(
                f"{self.refused} withdrawals could not be stored; they are in the log of this process"
            )
        return tuple(found)


def restored(
    services: ServiceContext,
    request: RestoreRequest,
    channels: Sequence[ListsSuppressions],
    erase: Erase,
    progress: Progress,
) -> RestoreReport:
    """Do all of it. ``channels`` are those of providers that tell who said no; ``erase`` forgets a customer by key.

    Raises InputError for an instant in the future, and whatever the store raises: then repeat it.
    """
    restore = _begin(services, request)
    if not restore.enrollments_done:
        doubt_everybody(services, restore, progress)
    entries = entries_since(request.log, restore)
    known, refused = read_log_back(services, restore, entries, erase, progress)
    answers, more_refused = ask_providers(services, restore, channels)
    withdrawals = _Withdrawals(
        missing=what_is_missing(request.log, restore),
        entries=len(entries),
        known=known,
        refused=len(refused) + len(more_refused),
        answers=answers,
    )
    accepted = request.accepted_by or restore.accepted_by
    with services.store.begin() as transaction:
        now = transaction.instants().business
        held = bool(withdrawals.problems) and accepted is None
        transaction.restores.finish(restore.id, now, held=held, accepted_by=request.accepted_by)
        transaction.catalogue(at_once=True)
        state = transaction.restores.latest() or restore
    report = _report(state, request, withdrawals)
    emit(
        "restore.done",
        uncertain=report.uncertain,
        withdrawn=report.withdrawn,
        erased=report.erased,
        promotion_held=report.promotion_held,
    )
    return report


def _begin(services: ServiceContext, request: RestoreRequest) -> RestoreState:
    with services.store.begin() as transaction:
        now = transaction.instants().business
        if request.since > now:
            raise InputError("$.since", "expected an instant that is over, got one in the future")
        until = min(max(request.until or now, request.since), now)
        restore = transaction.restores.begin(since=request.since, until=until)
        if not restore.sequences_moved:
            transaction.restores.move_sequences(restore, now)
        numbers = [mark.number for mark in request.log.marks] if request.log is not None else []
        transaction.restores.count_at_least(max([*numbers, services.store.newest_mark()]))
        transaction.catalogue(at_once=True)
    return restore


def _report(state: RestoreState, request: RestoreRequest, withdrawals: _Withdrawals) -> RestoreReport:
    log: Literal["read", "missing", "incomplete"] = "read"
    if withdrawals.missing is not None:
        log = "missing" if request.log is None or not request.log.files else "incomplete"
    numbers = state.report
    return RestoreReport(
        since=state.since or state.until,
        until=state.until,
        sequences=numbers.get("sequences", 0),
        enrollments=numbers.get("enrollments", 0),
        uncertain=numbers.get("uncertain", 0),
        doubtful_steps=numbers.get("doubtful_steps", 0),
        log=log,
        entries=withdrawals.entries,
        withdrawn=numbers.get("withdrawn", 0),
        erased=numbers.get("erased", 0),
        known=withdrawals.known,
        awaiting=numbers.get("awaiting", 0),
        refused=withdrawals.refused,
        suppressions=tuple(withdrawals.answers),
        promotion_held=state.promotion_held,
        accepted_by=state.accepted_by,
        problems=withdrawals.problems,
    )
