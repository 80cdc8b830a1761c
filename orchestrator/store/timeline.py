"""One customer's whole story in order, and the complete export of everything stored about a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, Table, select

from orchestrator.errors import NotFound
from orchestrator.ids import ENROLLMENT, MESSAGE, public_id
from orchestrator.store import tables as t
from orchestrator.store import timeline_words as words

Kind = Literal[
    "signal", "start", "refusal", "step", "message", "verdict", "receipt", "response", "consent", "cooldown", "hold",
    "conversion", "parked", "erasure",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One thing that happened. ``words`` is a sentence for people; ``data`` the facts behind it, as JSON values."""

    at: datetime
    kind: Kind
    words: str
    playbook: str | None = None
    step: str | None = None
    enrollment_id: str | None = None
    message_id: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

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


def timeline(connection: Connection, customer_id: int, *, most: int | None = None) -> list[Entry]:
    """Everything in order of time, oldest first; the latest ``most`` of it. A fixed number of statements.

    What happened at one instant stands in the order of cause: a signal before the start it triggered, a click before
    the step it led out of, a verdict before its hand-over.
    """
    story = _Story(connection, customer_id)
    entries = [*story.person(), *story.responses(), *story.walks(), *story.messages(), *story.outcome()]
    entries.sort(key=lambda entry: entry.at)  # stable: the order above is the order of cause
    return entries if most is None else entries[-most:]


class _Story:
    """The rows of one customer, turned to entries part by part."""

    def __init__(self, connection: Connection, customer_id: int) -> None:
        self._connection = connection
        self._customer_id = customer_id
        self._walks = {row.id: row for row in self._rows(t.enrollments)}
        self._messages = {row.id: row for row in self._rows(t.messages)}

    def _rows(self, table: Table) -> list[Row[Any]]:
        return rows_of(self._connection, table, self._customer_id)

    def person(self) -> Iterator[Entry]:
        """What the customer did and what stands in the way."""
        for row in self._rows(t.signals):
            data = {"name": row.name, **row.properties}
            yield Entry(at=row.occurred_at, kind="signal", words=words.signal(row), data=data)
        for row in self._rows(t.consent_ledger):
            data = _facts(row, "action channel topic method source")
            yield Entry(at=row.occurred_at, kind="consent", words=words.consent(row), data=data)
        for row in self._rows(t.holds):
            for at, verb in ((row.opened_at, "opened"), (row.closed_at, "closed")):
                if at is not None:
                    yield Entry(
                        at=at, kind="hold", words=f"hold '{row.name}' {verb}", data={"name": row.name}
                    )
        for row in self._rows(t.refusals):
            data = {"reason": row.reason, **row.detail}
            yield Entry(at=row.at, kind="refusal", words=words.refusal(row), playbook=row.playbook, data=data)

    def walks(self) -> Iterator[Entry]:
        for row in self._walks.values():
            yield _of_walk(row, row.entered_at, "start", words.start(row), data={"trigger": row.trigger})
        for row in self._rows(t.journal):
            walk, said = self._walks.get(row.enrollment_id), words.journal(row)
            if walk is not None and said is not None:
                data = _facts(row, "event word to_step visit")
                yield _of_walk(walk, row.at, "step", said, step=row.step or None, data=data)

    def responses(self) -> Iterator[Entry]:
        """What people did with a message."""
        for row in self._messages.values():
            for word, instant in row.responses.items():
                at = datetime.fromisoformat(instant)
                yield _of_message(row, at, "response", words.response(row, word), data={"word": word})

    def messages(self) -> Iterator[Entry]:
        for row in self._messages.values():
            yield _of_message(row, row.planned_at, "message", words.planned(row), data={"status": "planned"})
        for row in self._rows(t.verdicts):
            if message := self._messages.get(row.message_id):
                data = _facts(row, "asked policy verdict until count inputs")
                yield _of_message(message, row.first_at, "verdict", words.verdict(row), data=data)
        for row in self._messages.values():
            for at, said in words.message(row):
                yield _of_message(row, at, "message", said, data={"status": row.status})
        for row in self._rows(t.receipts):
            if message := self._messages.get(row.message_id):
                data = {"word": row.word, **row.data}
                yield _of_message(message, row.occurred_at, "receipt", words.receipt(row), data=data)

    def outcome(self) -> Iterator[Entry]:
        """What came of it: rests, goals, and the end of all of it."""
        for row in self._rows(t.cooldowns):
            for at, said in words.cooldown(row):
                data = _facts(row, "scope scope_value reason shadow ends_at")
                yield Entry(at=at, kind="cooldown", words=said, data=data)
        for row in self._rows(t.conversions):
            if walk := self._walks.get(row.enrollment_id):
                data = _facts(row, "event value held_out")
                yield _of_walk(walk, row.at, "conversion", words.conversion(row), data=data)
        for row in self._rows(t.parked):
            data = {"reason": row.reason}
            yield Entry(at=row.at, kind="parked", words=f"set aside: {row.reason}", data=data)
        erased = select(t.customers.c.erased_at).where(t.customers.c.id == self._customer_id)
        erased_at = self._connection.scalar(erased)
        if erased_at is not None:
            yield Entry(at=erased_at, kind="erasure", words="everything personal was erased")


EXPORTED: tuple[Table, ...] = (
    t.contact_points, t.signals, t.inbox, t.enrollments, t.timers, t.journal, t.refusals, t.messages, t.dispatch,
    t.verdicts, t.receipts, t.provider_ids, t.places, t.feed_items, t.sandbox_inbox, t.consent_ledger, t.consents,
    t.cooldowns, t.holds, t.conversions, t.parked, t.seen_sources,
)  # fmt: skip


def export(connection: Connection, customer_id: int) -> dict[str, Any]:
    """Everything stored about one person, table by table, as JSON values. Raises NotFound."""
    person = connection.execute(select(t.customers).where(t.customers.c.id == customer_id)).first()
    if person is None:
        raise NotFound("customer", str(customer_id))
    account = connection.execute(select(t.accounts).where(t.accounts.c.id == person.account_id)).first()
    return {
        "format": "orchestrator.customer.1",
        "customer": _plain(person),
        "account": None if account is None else {"key": account.key},
        **{
            table.name: [_plain(row) for row in rows_of(connection, table, customer_id)] for table in EXPORTED
        },
        "timeline": [entry.to_plain() for entry in timeline(connection, customer_id)],
    }


def rows_of(connection: Connection, table: Table, customer_id: int) -> list[Row[Any]]:
    statement = select(table).where(table.c.customer_id == customer_id).order_by(*table.primary_key.columns)
    return list(connection.execute(statement))


def _of_walk(
    walk: Row[Any], at: datetime, kind: Kind, said: str, *, step: str | None = None, data: Mapping[str, Any]
) -> Entry:
    return Entry(
        at=at,
        kind=kind,
        words=said,
        playbook=walk.playbook,
        step=step,
        enrollment_id=public_id(ENROLLMENT, walk.customer_id, walk.id),
        data=data,
    )


def _of_message(message: Row[Any], at: datetime, kind: Kind, said: str, *, data: Mapping[str, Any]) -> Entry:
    return Entry(
        at=at,
        kind=kind,
        words=said,
        playbook=message.playbook,
        step=message.step,
        enrollment_id=public_id(ENROLLMENT, message.customer_id, message.enrollment_id),
        message_id=public_id(MESSAGE, message.customer_id, message.id),
        data=data,
    )


def _facts(row: Row[Any], names: str) -> dict[str, Any]:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return {name: _json(values[name]) for name in names.split() if values[name] not in (None, {})}


def _plain(row: Row[Any]) -> dict[str, Any]:
    return {name: _json(value) for name, value in row._mapping.items()}  # noqa: SLF001


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
