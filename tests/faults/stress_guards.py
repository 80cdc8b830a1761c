"""The guards of the engine that a process can take away from itself, to show that each is needed."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Literal, assert_never

from sqlalchemy import text

from orchestrator.core.customer_state import CustomerState, EnrollmentWork, MessageRow
from orchestrator.core.policies.request import Allow
from orchestrator.service.context import Batch
from orchestrator.service.delivery import authorise as handing
from orchestrator.store.batch import claim
from orchestrator.store.batch.batches import PostgresBatches

Guard = Literal["lock", "second check"]
"""``lock``: the customer's lock, where messages to be handed over are claimed. ``second check``: the policies, asked
again in the transaction that marks the hand-over."""

_SLOWLY = 0.05  # seconds


def take_away(guard: Guard) -> None:
    match guard:
        case "lock":
            locked = str(claim.DUE)
            unlocked = locked.replace("FOR NO KEY UPDATE SKIP LOCKED", "")
            assert unlocked != locked, (
                "customers are claimed without this lock: there is nothing to take away"
            )
            claim.DUE = text(unlocked)
        case "second check":
            vars(handing)["ask_policies"] = _allowed
        case _:
            assert_never(guard)


def _allowed(
    _: CustomerState, __: EnrollmentWork, message: MessageRow, *___: Any, **____: Any
) -> tuple[str, Allow]:
    return message.channel, Allow()


def widen_the_seam(number: int, of: int) -> None:
    """Let a while pass between what a hand-over is decided from and its commit; and let each of several workers hand
    over its own share of every customer's messages: two at one message are stopped by the key of the journal."""
    save = PostgresBatches.save
    candidates = handing._candidates

    def slowly(self: PostgresBatches, customers: Any, now: datetime) -> None:
        time.sleep(_SLOWLY)
        save(self, customers, now)

    def own(customer: CustomerState, batch: Batch) -> list[MessageRow]:
        return [message for message in candidates(customer, batch) if message.id % of == number]

    PostgresBatches.save = slowly  # type: ignore[method-assign]
    handing._candidates = own
