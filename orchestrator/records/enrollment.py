"""One customer's way through one playbook version: as callers see it, refused, set aside, converted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal


class Phase(StrEnum):
    """What the current step is doing. Every phase but ``ended`` has a ``due_at``: nobody waits for ever."""

    SCHEDULED = "scheduled"  # awaits its ``at``
    UNSENT = "unsent"  # its message is planned; due when patience is over
    HANDED = "handed"  # its message is on its way; due when the listening time, counted from the hand-over, is over
    LISTENING = "listening"  # its message went out; due when the listening time is over
    WAITING = "waiting"  # waits without a message
    ENDED = "ended"


StartRefusalReason = Literal[
    "already_live",  # an enrollment of this playbook (and re-entry key) is under way
    "context",  # the context has a name too many or too few, or a value of another type
    "cooldown",  # the customer rests from this playbook, its topic or everything promotional
    "not_published",  # no version of the playbook is published that this process can read
    "erased",  # the person asked to be forgotten
    "opted_out",  # the customer opted out of the topic on every channel the playbook could use
    "paused",  # an operator has paused the playbook
    "reentry",  # it was had before, and may not be had again, or not yet
]
"""Why a start is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrollment:
    """One customer in one playbook version: what ``start_playbook`` gives back."""

    id: str  # public: e_...
    customer: str  # the product's own key
    playbook: str
    version: int  # of the playbook; it never changes under an enrollment
    step: str  # where the enrollment is, or was when it ended
    phase: Phase  # what that step is doing
    entered_at: datetime
    held_out: bool  # in the holdout: goes its way in silence, to be compared with
    because: str | None  # the sentence of the way by which the customer came in
    context: Mapping[str, Any]  # what the start brought along, as the playbook declares it
    ended_at: datetime | None = None
    end_status: str | None = None  # the end's name: converted, left, opted_out, or one of the playbook's own
    created: bool = True  # False: the key had started it before, and this is it


@dataclass(frozen=True, kw_only=True, slots=True)
class Parked:
    """An enrollment, or a whole customer, set aside because deciding about it failed."""

    customer_id: int
    enrollment_id: int  # 0: the whole customer
    reason: str  # the class of the error, or process_died
    detail: str  # for whoever repairs it
    at: datetime
    customer_key: str = ""  # the product's own key; only where it is listed


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusalRow:
    """One refused start as it is kept: a refusal is no failure, and not nothing."""

    customer_id: int
    playbook: str
    reason: StartRefusalReason | Literal["nobody"]  # nobody: a step wanted a colleague and there is none
    detail: Mapping[str, str]  # why: a sentence
    trigger: str  # the signal, the playbook or the caller that wanted it
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversionRow:
    """An offer that was taken, once in an enrollment. The message it is ascribed to is found when it is saved."""

    customer_id: int
    enrollment_id: int
    event: str  # the signal, by the name the goal gives it
    at: datetime
    value: float | None  # in the account's currency
    held_out: bool
