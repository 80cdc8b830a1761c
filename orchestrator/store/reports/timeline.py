"""One customer's whole story: everything that happened, in order, and why each message was or was not sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from orchestrator.ids import ENROLLMENT, MESSAGE, public_id
from orchestrator.records.timeline import Timeline, TimelineEntry, TimelineKind
from orchestrator.store.reports import timeline_sentences
from orchestrator.store.reports.explanations import explain, taken_away_at
from orchestrator.store.sql import tables as t


def customer_timeline(connection: Connection, customer_id: int) -> Timeline:
    """Everything known, in a fixed number of statements.

    What happened at one instant stands in the order of cause: a signal before the start it triggered, a click before
    the step it led out of, a verdict before its hand-over.
    """
    told = _Rows(connection, customer_id)
    parts = (
        told.person(),
        told.responses(),
        told.enrollments(),
        told.refusals(),
        told.messages(),
        told.outcome(),
    )
    entries = [entry for part in parts for entry in part]
    entries.sort(key=lambda entry: entry.at)  # stable: the order above is the order of cause
    explanations = sorted(told.explanations.values(), key=lambda one: one.planned_at)
    return Timeline(entries=tuple(entries), explanations=tuple(explanations))


class _Rows:
    """The rows of one customer, turned to entries part by part."""

    def __init__(self, connection: Connection, customer_id: int) -> None:
        self._connection = connection
        self._customer_id = customer_id
        self._enrollments = {row.id: row for row in self._rows(t.enrollments)}
        self._messages = {row.id: row for row in self._rows(t.messages)}
        self._feed = {row.message_id: row for row in self._rows(t.feed_items)}
        self._verdicts: dict[int, list[Row[Any]]] = defaultdict(list)
        for row in self._rows(t.verdicts):
            self._verdicts[row.message_id].append(row)
        self.explanations = {
            row.id: explain(row, self._verdicts[row.id], self._feed.get(row.id))
            for row in self._messages.values()
        }

    def _rows(self, table: Table) -> list[Row[Any]]:
        return rows_of(self._connection, table, self._customer_id)

    def person(self) -> Iterator[TimelineEntry]:
        """What the customer did and what stands in the way."""
        for row in self._rows(t.signals):
            data = {"name": row.name, **row.properties}
            yield TimelineEntry(
                at=row.occurred_at, kind="signal", words=timeline_sentences.signal(row), data=data
            )
        for row in self._rows(t.consent_ledger):
            data = _facts(row, "action channel topic method source")
            yield TimelineEntry(
                at=row.occurred_at, kind="consent", words=timeline_sentences.consent(row), data=data
            )
        for row in self._rows(t.holds):
            for at, verb in ((row.opened_at, "opened"), (row.closed_at, "closed")):
                if at is not None:
                    yield TimelineEntry(
                        at=at, kind="hold", words=f"hold '{row.name}' {verb}", data={"name": row.name}
                    )

    def refusals(self) -> Iterator[TimelineEntry]:
        """Whatever was not begun: equal refusals in a row are one, as equal verdicts are."""
        for rows in _in_a_row(self._rows(t.refusals)):
            first, last = rows[0], rows[-1]
            data = {
                "reason": first.reason,
                "trigger": first.trigger,
                **first.detail,
                **_span(first.at, last.last_at or last.at),
            }
            yield TimelineEntry(
                at=first.at,
                kind="refusal",
                words=timeline_sentences.refusal(rows),
                playbook=first.playbook,
                data={**data, "count": sum(row._mapping["count"] for row in rows)},  # noqa: SLF001 - `count` is what every tuple has
            )
        for row in self._rows(t.not_entered):
            data = {**_facts(row, "reason trigger count"), **_span(row.first_at, row.last_at)}
            said = timeline_sentences.not_entered(row)
            yield TimelineEntry(at=row.first_at, kind="refusal", words=said, playbook=row.playbook, data=data)

    def enrollments(self) -> Iterator[TimelineEntry]:
        for row in self._enrollments.values():
            yield _of_enrollment(
                row, row.entered_at, "start", timeline_sentences.start(row), data={"trigger": row.trigger}
            )
        for row in self._rows(t.journal):
            enrollment, said = self._enrollments.get(row.enrollment_id), timeline_sentences.journal(row)
            if enrollment is not None and said is not None:
                data = _facts(row, "event outcome to_step visit")
                yield _of_enrollment(enrollment, row.at, "step", said, step=row.step or None, data=data)

    def responses(self) -> Iterator[TimelineEntry]:
        """What people did with a message."""
        for row in self._messages.values():
            for outcome, instant in row.responses.items():
                at = datetime.fromisoformat(instant)
                data = {"outcome": outcome}
                if outcome == "answered" and (answer := self._answer(row)) is not None:
                    data["answer"] = answer
                said = timeline_sentences.response(row, outcome, data.get("answer"))
                yield _of_message(row, at, "response", said, data=data)

    def _answer(self, message: Row[Any]) -> str | None:
        """What was answered to a question, as its enrollment has kept it."""
        enrollment = self._enrollments.get(message.enrollment_id)
        answer: str | None = (
            None if enrollment is None else enrollment.state.get("answers", {}).get(message.step)
        )
        return answer

    def messages(self) -> Iterator[TimelineEntry]:
        for row in self._messages.values():
            yield _of_message(
                row, row.planned_at, "message", timeline_sentences.planned(row), data={"status": "planned"}
            )
        for row in self._messages.values():
            for verdict in self._verdicts[row.id]:
                data = _facts(verdict, "asked channel policy verdict why until count first_at last_at inputs")
                yield _of_message(
                    row, verdict.first_at, "verdict", timeline_sentences.verdict(verdict, row), data=data
                )
        for row in self._messages.values():
            for at, said in timeline_sentences.message(row):
                yield _of_message(row, at, "message", said, data={"status": row.status})
        for row in self._rows(t.receipts):
            if message := self._messages.get(row.message_id):
                data = {"kind": row.kind, **row.data}
                yield _of_message(
                    message, row.occurred_at, "receipt", timeline_sentences.receipt(row), data=data
                )
        for row in self._messages.values():
            yield from self._fate(row)

    def _fate(self, row: Row[Any]) -> Iterator[TimelineEntry]:
        """What became of a message that did not simply go out, in the words of its explanation."""
        told = self.explanations[row.id]
        taken_away = row.status == "sent" and taken_away_at(self._feed.get(row.id)) is not None
        if taken_away or row.status not in ("planned", "handing_over", "sent"):
            data = {"status": row.status, **({"policy": told.policy} if told.policy else {})}
            yield _of_message(
                row, told.at, "message", f"{timeline_sentences.what(row)}: {told.why}", data=data
            )

    def outcome(self) -> Iterator[TimelineEntry]:
        """What came of it: rests, goals, and the end of all of it."""
        for row in self._rows(t.cooldowns):
            for at, said in timeline_sentences.cooldown(row):
                data = _facts(row, "scope scope_value reason shadow ends_at")
                yield TimelineEntry(at=at, kind="cooldown", words=said, data=data)
        for row in self._rows(t.conversions):
            if enrollment := self._enrollments.get(row.enrollment_id):
                data = _facts(row, "event value held_out")
                yield _of_enrollment(
                    enrollment, row.at, "conversion", timeline_sentences.conversion(row), data=data
                )
        for row in self._rows(t.parked):
            data = {"reason": row.reason}
            yield TimelineEntry(at=row.at, kind="parked", words=f"set aside: {row.reason}", data=data)
        erased = select(t.customers.c.erased_at).where(t.customers.c.id == self._customer_id)
        erased_at = self._connection.scalar(erased)
        if erased_at is not None:
            yield TimelineEntry(at=erased_at, kind="erasure", words="everything personal was erased")


def rows_of(connection: Connection, table: Table, customer_id: int) -> list[Row[Any]]:
    statement = select(table).where(table.c.customer_id == customer_id).order_by(*table.primary_key.columns)
    return list(connection.execute(statement))


def _in_a_row(refusals: Sequence[Row[Any]]) -> Iterator[list[Row[Any]]]:
    """Refusals of one playbook that follow each other and say the same."""
    unfinished: dict[str, list[Row[Any]]] = {}
    for row in refusals:
        rows = unfinished.get(row.playbook)
        if rows is not None and (rows[0].reason, rows[0].trigger, rows[0].detail) == (
            row.reason,
            row.trigger,
            row.detail,
        ):
            rows.append(row)
            continue
        if rows is not None:
            yield rows
        unfinished[row.playbook] = [row]
    yield from unfinished.values()


def _of_enrollment(
    enrollment: Row[Any],
    at: datetime,
    kind: TimelineKind,
    said: str,
    *,
    step: str | None = None,
    data: Mapping[str, Any],
) -> TimelineEntry:
    return TimelineEntry(
        at=at,
        kind=kind,
        words=said,
        playbook=enrollment.playbook,
        step=step,
        enrollment_id=public_id(ENROLLMENT, enrollment.customer_id, enrollment.id),
        data=data,
    )


def _of_message(
    message: Row[Any], at: datetime, kind: TimelineKind, said: str, *, data: Mapping[str, Any]
) -> TimelineEntry:
    return TimelineEntry(
        at=at,
        kind=kind,
        words=said,
        playbook=message.playbook,
        step=message.step,
        enrollment_id=public_id(ENROLLMENT, message.customer_id, message.enrollment_id),
        message_id=public_id(MESSAGE, message.customer_id, message.id),
        data=data,
    )


def _span(first: datetime, last: datetime) -> dict[str, Any]:
    return {"first_at": first.isoformat(), "last_at": last.isoformat()}


def _facts(row: Row[Any], names: str) -> dict[str, Any]:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return {name: json_value(values[name]) for name in names.split() if values[name] not in (None, {})}


def json_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
