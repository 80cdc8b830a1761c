"""One customer's walk through the playbook as the floor knows it: a state, moved by a state machine, and its journal.

State and journal lines have the fields that the engine gives them, so the rows are as wide as the engine's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import transitions

from benchmarks.two_sends import workload

Row = tuple[Any, ...]


class _Box:
    """What the machine moves."""

    __slots__ = ("step",)

    def __init__(self, step: str) -> None:
        self.step = step


MACHINE = transitions.Machine(
    model=None,
    states=["first", "gate", "second", "done"],
    transitions=[
        {"trigger": "no_response", "source": "first", "dest": "gate"},
        {"trigger": "chosen:0", "source": "gate", "dest": "second"},
        {"trigger": "chosen:1", "source": "gate", "dest": "done"},
        {"trigger": "no_response", "source": "second", "dest": "done"},
        {"trigger": "not_sent", "source": ["first", "second"], "dest": "done"},
    ],
    initial=None,
    auto_transitions=False,
    model_attribute="step",
)
_BEGUN: Mapping[str, Any] = {
    "since": None, "step": "", "visit": 0, "phase": "waiting", "step_entered_at": None, "due_at": None,
    "give_up_at": None, "frozen_until": None, "timeout_at": None, "handed_at": None, "channel": None, "tracked": True,
    "heard": {}, "visits": {}, "outcomes": {}, "variants": {}, "answers": {}, "channels": {}, "offers": {}, "saved": {},
    "any_sent": False, "converted_at": None, "ended_at": None, "end_status": None,
}  # fmt: skip


class Walk:
    """Made for a start, or of what :data:`benchmarks.two_sends.floor_statements.WALKS` found."""

    def __init__(
        self,
        *,
        customer_id: int,
        key: str,
        attributes: Mapping[str, Any],
        address: str | None,
        now: datetime,
        since: datetime | None = None,
    ) -> None:
        self.customer_id, self.key, self.attributes, self.address = customer_id, key, attributes, address
        self.now, self.since = now, since
        self.enrollment_id = self.message_id = self.seq = 0
        self.rev = 1
        self.objection: tuple[str, str, str] | None = None
        self.state = dict(_BEGUN)
        self._lines: list[Row] = []
        self._message: Row = ()

    @classmethod
    def stored(cls, row: Row, now: datetime) -> Walk:
        walk = cls(customer_id=row[0], key=row[1], attributes=row[2], address=row[3], now=now)
        walk.enrollment_id, walk.state, walk.rev, walk.seq = row[4:8]
        return walk

    def filed(self, now: datetime, rev: int) -> None:
        """Locked again: what is in hand is still what is stored, or somebody else moved it meanwhile."""
        if rev != self.rev:
            msg = f"enrollment {self.enrollment_id} was moved by somebody else"
            raise RuntimeError(msg)
        self.now = now

    @property
    def live(self) -> bool:
        return bool(self.state["phase"] != "ended")

    @property
    def ignored(self) -> bool:
        """Every message went unanswered."""
        return bool(self.state["any_sent"])

    # --- moves ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._note("started", since=_text(self.since))
        self._enter("first")

    def listened_in_vain(self) -> None:
        """Nobody answered: on to the next message, or to the end."""
        self._leave("no_response", "no_response")
        if self.state["step"] == "gate":
            row = 0 if self.attributes.get("plan") == "pro" else 1
            self._leave(f"chosen:{row}", "chosen")

    def plan(self, patience: timedelta) -> None:
        until = _text(self.now + patience)
        self._note("message_planned", phase="unsent", due_at=until, give_up_at=until)

    def hand_over(self, listening: timedelta) -> None:
        channels = {**self.state["channels"], self.state["step"]: "email"}
        self._note(
            "handed_over", "email", phase="handed", due_at=_text(self.now + listening), channel="email",
            channels=channels, handed_at=_text(self.now),
        )  # fmt: skip

    def give_up(self) -> None:
        self._leave("not_sent", "not_sent")

    def sent(self, listening: timedelta) -> None:
        self.rev += 1
        self._note(
            "sent", "email", phase="listening", due_at=_text(self.now + listening), any_sent=True,
            handed_at=_text(self.now),
        )  # fmt: skip

    def _leave(self, trigger: str, outcome: str) -> None:
        box = _Box(self.state["step"])
        MACHINE.events[trigger].trigger(box)
        outcomes = {**self.state["outcomes"], self.state["step"]: outcome}
        self._note("step_left", outcome, box.step, outcomes=outcomes)
        self._enter(box.step)

    def _enter(self, step: str) -> None:
        now = _text(self.now)
        self.state["step"], self.state["visit"] = step, self.state["visit"] + 1
        self._note(
            "step_entered", step=step, phase="waiting", visit=self.state["visit"], due_at=now, channel=None,
            handed_at=None, give_up_at=None, step_entered_at=now,
            visits={**self.state["visits"], step: self.state["visits"].get(step, 0) + 1},
        )  # fmt: skip
        if step == "done":
            self._note("ended", "finished", phase="ended", due_at=None, ended_at=now, end_status="finished")

    def _note(self, event: str, outcome: str | None = None, to: str | None = None, **changes: Any) -> None:
        self.state.update(changes)
        self.seq += 1
        self._lines.append(
            (
                self.customer_id, self.enrollment_id, self.seq, self.now, event, self.state["step"],
                self.state["visit"], outcome, to, json.dumps(changes),
            )
        )  # fmt: skip

    # --- rows -------------------------------------------------------------------------------------------------------

    def take_lines(self) -> Iterator[Row]:
        lines, self._lines = self._lines, []
        yield from lines

    def row(self, playbook_id: int) -> Row:
        """Its new row of enrollments."""
        state = self.state
        return (
            self.customer_id, self.enrollment_id, playbook_id, workload.PLAYBOOK, "", self.now, False, workload.BECAUSE,
            "{}", workload.EVENT, state["step"], state["visit"], json.dumps(state), self.rev, state["step_entered_at"],
            state["ended_at"], state["end_status"],
        )  # fmt: skip

    def timer(self) -> Row:
        state = self.state
        return (
            self.customer_id, self.enrollment_id, workload.PLAYBOOK, "", state["visit"], state["due_at"],
        )  # fmt: skip

    def message(self, playbook_id: int) -> Row:
        """Its row of messages, marked as being handed over, or not sent."""
        status, reason = ("handing_over", None) if self.objection is None else ("not_sent", self.objection[2])
        step, visit = self._said_in()
        return (
            self.customer_id, self.message_id, self.enrollment_id, playbook_id, workload.PLAYBOOK, step, visit, "send",
            "{email}", "email", "sandbox", workload.TOPIC, True, 50, False, self.now,
            _text(self.now + timedelta(days=3)), status, reason, 1, self.now, "{}",
        )  # fmt: skip

    def cooldown(self, ends_at: datetime) -> Row:
        """The rest that follows a playbook whose messages nobody answered."""
        reason = f"ignored of {workload.PLAYBOOK}"
        return (
            self.customer_id, self.enrollment_id, self.state["visit"], "everything", "*", reason, False, self.now,
            ends_at,
        )  # fmt: skip

    def _said_in(self) -> tuple[str, int]:
        if self.state["step"] != "done":
            return self.state["step"], self.state["visit"]
        return next(reversed(self.state["outcomes"])), self.state["visit"] - 1


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant is not None else None
