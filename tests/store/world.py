"""Builders of stored rows, so that a test of a read tells only what matters to it. Everything is coherent by default:
a live walk has its timer, an unsettled message its dispatch row, a sent promotional one its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, Table, insert, text

from orchestrator.core.machine.enrollment import EnrollmentState, state_to_json
from orchestrator.records.enrollment import Phase
from orchestrator.store.sql import tables as t

UNSETTLED = ("planned", "handing_over", "uncertain")
SPOKEN = ("sent", "uncertain", "abandoned", "handing_over")


@dataclass(frozen=True, kw_only=True, slots=True)
class Walked:
    customer_id: int
    id: int
    playbook_id: int
    playbook: str


class World:
    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self._ids = count(1)
        self._states: dict[int, EnrollmentState] = {}
        self._seq: dict[int, int] = {}

    def row(self, table: Table, **values: Any) -> Any:
        return self.connection.execute(
            insert(table).values(**values).returning(*table.primary_key.columns)
        ).one()

    # --- people and definitions

    def account(self, key: str) -> int:
        return int(self.row(t.accounts, key=key, created_at=self.now).id)

    def customer(self, key: str, **more: Any) -> int:
        return int(
            self.row(t.customers, **{"key": key, "created_at": self.now, "updated_at": self.now} | more).id
        )

    def contact(self, customer_id: int, channel: str, address: str, **more: Any) -> None:
        self.row(
            t.contact_points, customer_id=customer_id, channel=channel, address=address, source="profile",
            created_at=self.now, **more,
        )  # fmt: skip

    def playbook(
        self, name: str, version: int = 1, steps: tuple[str, ...] = ("banner", "email", "watch", "rest")
    ) -> int:
        definition = {"steps": [[step, {}] for step in steps]}
        values = {
            "name": name,
            "version": version,
            "content_hash": f"{name}{version}",
            "definition": definition,
        }
        return int(self.row(t.playbooks, **values, templates={}, published_at=self.now).id)

    # --- walks

    def enroll(
        self, customer_id: int, playbook_id: int, *, step: str = "banner", held_out: bool = False, **more: Any
    ) -> Walked:
        number = next(self._ids)
        name = self.connection.scalar(text("SELECT name FROM playbooks WHERE id = :id"), {"id": playbook_id})
        values = {
            "customer_id": customer_id, "id": number, "playbook_id": playbook_id, "playbook": name,
            "entered_at": self.now, "held_out": held_out, "context": {}, "trigger": "product", "step": step,
            "visit": 1, "state": {}, "rev": 1, "step_entered_at": self.now,
        }  # fmt: skip
        self.row(t.enrollments, **values | more)
        walk = Walked(customer_id=customer_id, id=number, playbook_id=playbook_id, playbook=str(name))
        self._states[number] = EnrollmentState()
        self.journal(walk, "started", step="", visit=0)
        self.row(
            t.timers, customer_id=customer_id, enrollment_id=number, playbook=name,
            reentry_key=more.get("reentry_key", ""), visit=1, due_at=self.now + timedelta(days=1),
        )  # fmt: skip
        self.change(walk, "step_entered", step=step, visit=1, step_entered_at=self.now)
        return walk

    def journal(self, walk: Walked, event: str, *, at: datetime | None = None, **more: Any) -> None:
        state = self._states[walk.id]
        seq = self._seq[walk.id] = self._seq.get(walk.id, -1) + 1
        values = {"step": state.step, "visit": state.visit, "data": {}} | more
        self.row(
            t.journal, customer_id=walk.customer_id, enrollment_id=walk.id, seq=seq, at=at or self.now, event=event,
            **values,
        )  # fmt: skip

    def change(
        self,
        walk: Walked,
        event: str,
        *,
        at: datetime | None = None,
        outcome: str | None = None,
        **values: Any,
    ) -> None:
        """Change the state as the engine would: state, plain columns and journal line agree."""
        before = state_to_json(self._states[walk.id])
        state = self._states[walk.id] = replace(self._states[walk.id], **values)
        after = state_to_json(state)
        changes = {name: value for name, value in after.items() if value != before[name]}
        self.journal(walk, event, at=at, outcome=outcome, data=changes)
        columns = {
            "step": state.step, "visit": state.visit, "ended_at": state.ended_at, "end_status": state.end_status,
            "step_entered_at": state.step_entered_at, "state": after,
        }  # fmt: skip
        self.connection.execute(t.enrollments.update().where(t.enrollments.c.id == walk.id).values(**columns))
        self.connection.execute(
            t.timers.update().where(t.timers.c.enrollment_id == walk.id).values(visit=state.visit)
        )

    def move(self, walk: Walked, outcome: str, to: str, *, at: datetime | None = None) -> None:
        self.journal(walk, "step_left", at=at, outcome=outcome, to_step=to)
        visit = self._states[walk.id].visit + 1
        self.change(walk, "step_entered", at=at, step=to, visit=visit, step_entered_at=at or self.now)

    def end(self, walk: Walked, outcome: str, *, at: datetime | None = None) -> None:
        self.change(
            walk,
            "ended",
            at=at,
            outcome=outcome,
            phase=Phase.ENDED,
            end_status=outcome,
            ended_at=at or self.now,
        )
        self.connection.execute(t.timers.delete().where(t.timers.c.enrollment_id == walk.id))

    def convert(
        self, walk: Walked, *, value: float | None = None, held_out: bool = False, **more: Any
    ) -> None:
        values = {"event": "plan_upgraded", "at": self.now + timedelta(days=2)} | more
        self.row(
            t.conversions,
            customer_id=walk.customer_id,
            enrollment_id=walk.id,
            value=value,
            held_out=held_out,
            **values,
        )

    # --- messages

    def message(self, walk: Walked, *, channel: str = "email", status: str = "sent", **more: Any) -> int:
        number = next(self._ids)
        step, visit = self._states[walk.id].step, self._states[walk.id].visit
        spoken = status in SPOKEN
        values: dict[str, Any] = {
            "customer_id": walk.customer_id, "id": number, "enrollment_id": walk.id, "playbook_id": walk.playbook_id,
            "playbook": walk.playbook, "step": step, "visit": visit, "kind": "send", "channels": [channel],
            "channel": channel, "provider": "sandbox", "topic": "upsell", "promotional": True, "priority": 50,
            "held_out": status == "held_out", "planned_at": self.now, "give_up_at": self.now + timedelta(days=3),
            "status": status, "handed_at": self.now if spoken or status == "held_out" else None,
            "sent_at": self.now if status == "sent" else None,
            "settled_at": None if status in UNSETTLED else self.now,
        }  # fmt: skip
        values |= more
        if status in ("not_sent", "withdrawn", "refused"):
            values.setdefault("reason", "a reason")
        self.row(t.messages, **values)
        if spoken or status == "held_out":
            self.verdict(
                walk, number, "all", "hold_out" if status == "held_out" else "allow", asked="hand_over"
            )
        if status in UNSETTLED:
            self.row(
                t.dispatch, customer_id=walk.customer_id, message_id=number, provider="sandbox", due_at=self.now,
                free_at=self.now,
            )  # fmt: skip
        if (spoken or status == "held_out") and values["promotional"]:
            self.row(
                t.cap_slots, customer_id=walk.customer_id, message_id=number, handed_at=values["handed_at"],
                channel=channel, topic=values["topic"], shadow=status == "held_out",
            )  # fmt: skip
        return number

    def verdict(self, walk: Walked, message_id: int, policy: str, verdict: str, **more: Any) -> None:
        values = {
            "seq": next(self._ids),
            "asked": "planned",
            "channel": "email",
            "why": f"{policy} said {verdict}",
        }
        self.row(
            t.verdicts, **{
                "customer_id": walk.customer_id, "message_id": message_id, "policy": policy, "verdict": verdict,
                "first_at": self.now, "last_at": self.now, **values,
            } | more,
        )  # fmt: skip

    def feed_item(
        self, walk: Walked, message_id: int, content: Mapping[str, Any] | None = None, **more: Any
    ) -> None:
        values = {
            "display": "banner",
            "content": dict(content or {"text": "hello"}),
            "shown_at": self.now,
        } | more
        self.row(t.feed_items, customer_id=walk.customer_id, message_id=message_id, **values)

    # --- what stands in the way

    def consent(
        self, customer_id: int, *, granted: bool, channel: str = "email", topic: str = "upsell"
    ) -> None:
        ledger = self.row(
            t.consent_ledger, customer_id=customer_id, source_id=f"s{next(self._ids)}",
            action="granted" if granted else "revoked", channel=channel, topic=topic, basis="consent", method="link",
            source="page", actor="customer", occurred_at=self.now, recorded_at=self.now,
        )  # fmt: skip
        self.row(
            t.consents, customer_id=customer_id, channel=channel, topic=topic, granted=granted, basis="consent",
            ledger_id=ledger.id, since=self.now,
        )  # fmt: skip

    def cooldown(self, customer_id: int, *, until: datetime, scope: str = "everything", **more: Any) -> None:
        values = {"scope_value": "*", "reason": "a rest", "shadow": False, "starts_at": self.now} | more
        self.row(t.cooldowns, customer_id=customer_id, scope=scope, ends_at=until, **values)

    def hold(self, customer_id: int, name: str, **more: Any) -> None:
        self.row(t.holds, customer_id=customer_id, name=name, opened_at=self.now, **more)

    def signal(self, customer_id: int, name: str, *, at: datetime | None = None, **properties: Any) -> None:
        self.row(
            t.signals, customer_id=customer_id, name=name, occurred_at=at or self.now, id=next(self._ids),
            received_at=self.now, properties=properties,
        )  # fmt: skip
