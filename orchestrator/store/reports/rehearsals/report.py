"""What a rehearsal showed, read from its database: the same rows give the same report, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from orchestrator.language.model import Cap
from orchestrator.store.reports.invariants import check_invariants
from orchestrator.store.reports.rehearsals import report_queries


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportArm:
    """Those who were contacted, or those deliberately not."""

    name: str
    entered: int
    converted: int
    value: float

    @property
    def rate(self) -> float:
        return round(self.converted / self.entered, 4) if self.entered else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class StepFigures:
    """One step: how often entered, what was sent there, and by which words it was left."""

    step: str
    entered: int
    sent: int
    held_out: int
    not_sent: int
    left_by: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaybookFigures:
    playbook: str
    entered: int
    live: int
    ended: tuple[tuple[str, int], ...]
    refused: tuple[tuple[str, int], ...]
    arms: tuple[ReportArm, ...]
    steps: tuple[StepFigures, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelFigures:
    channel: str
    planned: int
    sent: int
    held_out: int
    not_sent: int
    withdrawn: int
    waiting: int
    responses: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportHeldBack:
    """A policy that deferred or dropped messages: how many of them, and how often it was asked."""

    policy: str
    verdict: str
    messages: int
    times: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The end of a rehearsal.

    ``violations`` should be empty: each is an invariant of the store that is broken. So should ``parked``: customers
    set aside because of a defect, by its words; figures without them are not whole.
    """

    seed: int | None
    customers: int
    start: datetime
    end: datetime
    signals: int
    opt_outs: int
    playbooks: tuple[PlaybookFigures, ...]
    channels: tuple[ChannelFigures, ...]
    held_back: tuple[ReportHeldBack, ...]
    violations: tuple[str, ...]
    parked: tuple[tuple[str, int], ...] = ()

    @property
    def sound(self) -> bool:
        return not self.violations and not self.parked


def make_report(
    connection: Connection, *, seed: int | None, start: datetime, end: datetime, caps: Sequence[Cap] = ()
) -> Report:
    return Report(
        seed=seed,
        customers=report_queries.count(connection, report_queries.CUSTOMERS),
        start=start,
        end=end,
        signals=report_queries.count(connection, report_queries.SIGNALS),
        opt_outs=report_queries.count(connection, report_queries.OPT_OUTS),
        playbooks=_playbooks(connection),
        channels=_channels(connection),
        held_back=tuple(
            ReportHeldBack(**row) for row in report_queries.rows(connection, report_queries.HELD_BACK)
        ),
        parked=report_queries.words_by(connection, report_queries.PARKED).get("parked", ()),
        violations=tuple(str(one) for one in check_invariants(connection, caps=caps)),
    )


def _playbooks(connection: Connection) -> tuple[PlaybookFigures, ...]:
    ended = report_queries.words_by(connection, report_queries.ENDED)
    refused = report_queries.words_by(connection, report_queries.REFUSED)
    left = report_queries.words_by(connection, report_queries.LEFT_BY)
    messages = {row["key"]: row for row in report_queries.rows(connection, report_queries.STEP_MESSAGES)}
    arms: dict[str, list[ReportArm]] = {}
    for row in report_queries.rows(connection, report_queries.ARMS):
        arm = ReportArm(
            name="holdout" if row["held_out"] else "contacted",
            entered=row["entered"],
            converted=row["converted"],
            value=round(row["value"], 2),
        )
        arms.setdefault(row["playbook"], []).append(arm)
    steps: dict[str, list[StepFigures]] = {}
    for row in report_queries.rows(connection, report_queries.STEPS):
        key = f"{row['playbook']}/{row['step']}"
        sent = messages.get(key, {})
        figures = StepFigures(
            step=row["step"],
            entered=row["entered"],
            sent=sent.get("sent", 0),
            held_out=sent.get("held_out", 0),
            not_sent=sent.get("not_sent", 0),
            left_by=left.get(key, ()),
        )
        steps.setdefault(row["playbook"], []).append(figures)
    return tuple(
        PlaybookFigures(
            playbook=row["playbook"],
            entered=row["entered"],
            live=row["live"],
            ended=ended.get(row["playbook"], ()),
            refused=refused.get(row["playbook"], ()),
            arms=tuple(arms.get(row["playbook"], ())),
            steps=tuple(steps.get(row["playbook"], ())),
        )
        for row in report_queries.rows(connection, report_queries.PLAYBOOKS)
    )


def _channels(connection: Connection) -> tuple[ChannelFigures, ...]:
    responses = report_queries.words_by(connection, report_queries.RESPONSES)
    return tuple(
        ChannelFigures(**row, responses=responses.get(row["channel"], ()))
        for row in report_queries.rows(connection, report_queries.CHANNELS)
    )
