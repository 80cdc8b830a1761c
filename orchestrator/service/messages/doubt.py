"""Messages that a restored database knows nothing of, and that may have gone out before: they are not sent again.

They are uncertain from the beginning: the walk listens as if they had gone out, they count under caps, and a provider's
word about one settles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from orchestrator.core.catalogue import Catalogue
from orchestrator.core.customer_state import (
    CustomerState,
    EnrollmentWork,
    MessageRow,
    NewCapSlot,
    PendingEvent,
)
from orchestrator.core.machine.enrollment import EnrollmentSnapshot
from orchestrator.core.machine.events import HandedOver
from orchestrator.core.policies.request import CapSlot, Drop
from orchestrator.language.graph.compile import Compiled
from orchestrator.language.graph.shortest import earliest
from orchestrator.language.outcomes import SPEAKING
from orchestrator.records.enrollment import Phase
from orchestrator.records.restore import EVERY_STEP, LostTime
from orchestrator.service.context import Batch
from orchestrator.service.messages.ask_policies import record_verdict

REASON = "it may have been sent before the database was restored"
POLICY = "restored"
TOLD_WITHIN = timedelta(hours=1)  # machine time: how long a provider's word about it is waited for
SCAN = "scan"
SCANNED_WITHIN = timedelta(hours=25)  # the first daily scan after a restore asks what the lost one asked
_SPOKEN_TO = ("send", "ask")


def doubt(customer: CustomerState, message: MessageRow, batch: Batch) -> PendingEvent | None:
    """Take the message for one that may have gone out; what its enrollment has to hear of it."""
    on_the_wire = (
        message.status == "handing_over"
    )  # it has its place under the caps, and its enrollment listens
    message.status, message.reason = "uncertain", REASON
    message.handed_at = message.handed_at or batch.now
    message.due_at = batch.now
    message.free_at = batch.machine + TOLD_WITHIN
    message.changed = True
    if on_the_wire:
        return None
    record_verdict(customer, message, message.channel, Drop(policy=POLICY, why=REASON), "hand_over")
    if message.kind in _SPOKEN_TO and batch.catalogue.policy.counts_toward_caps(message.topic):
        customer.reserved_slots.append(
            NewCapSlot(message=message, handed_at=message.handed_at, shadow=message.held_out)
        )
        slot = CapSlot(
            handed_at=message.handed_at,
            channel=message.channel,
            topic=message.topic,
            priority=message.priority,
        )
        customer.cap_slots.append(slot)
    work = customer.enrollments.get(message.enrollment_id)
    if work is None:
        return None
    return PendingEvent(
        work=work, event=HandedOver(visit=message.visit, channel=message.channel, tracked=False)
    )


def may_have_spoken(customer: CustomerState, work: EnrollmentWork, step: str, catalogue: Catalogue) -> bool:
    """Whether this step's message may have gone out in the time a restored database does not know."""
    lost = catalogue.lost
    if lost is None or lost.since is None or work.enrollment.held_out:
        return False
    enrollment = work.enrollment
    doubted = customer.doubtful.get(enrollment.enrollment_id)
    if doubted is not None:
        return step in doubted or EVERY_STEP in doubted
    if (
        enrollment.entered_at < lost.until
    ):  # it was there when the backup was made, and nothing ahead is in doubt
        return False
    span = _lost_to(customer, enrollment, lost)
    if span is None:
        return False
    return step in speaking_within(work.published.compiled, work.published.compiled.first, span)


def doubtful_steps(work: EnrollmentWork, since: datetime, until: datetime) -> frozenset[str]:
    """The steps ahead of a live enrollment, as it was at ``since``, that may have spoken by ``until``."""
    state = work.enrollment.state
    compiled = work.published.compiled
    if work.enrollment.held_out or not state.live or not compiled.has(state.step):
        return frozenset()
    due = max((state.due_at or since) - since, timedelta())
    match state.phase:
        case Phase.SCHEDULED:
            found = earliest(compiled, state.step, begins=due)
        case Phase.UNSENT:
            found = earliest(compiled, state.step, begins=None)
        case _:
            ends = state.timeout_at or state.due_at or since
            found = earliest(compiled, state.step, begins=None, wait=max(ends - since, timedelta()))
    return frozenset(_speaking(compiled, found, until - since))


@lru_cache(maxsize=1024)
def speaking_within(compiled: Compiled, first: str, span: timedelta) -> frozenset[str]:
    """The steps of a walk begun at ``first`` that may speak within ``span``."""
    return frozenset(_speaking(compiled, earliest(compiled, first), span))


def _speaking(compiled: Compiled, found: dict[str, timedelta], span: timedelta) -> Sequence[str]:
    return [name for name, after in found.items() if after <= span and compiled.kind(name) in SPEAKING]


def _lost_to(customer: CustomerState, enrollment: EnrollmentSnapshot, lost: LostTime) -> timedelta | None:
    """How long the same entry may have walked before, when it may have been made in the lost time; else None."""
    if lost.since is None:
        return None
    heard_at = enrollment.state.since
    if heard_at is not None and heard_at <= lost.until:
        return lost.until - max(heard_at, lost.since)
    scanned = enrollment.trigger == SCAN and enrollment.entered_at <= lost.until + SCANNED_WITHIN
    from_a_walk = enrollment.trigger.startswith("playbook:") and bool(customer.doubtful)
    return lost.until - lost.since if scanned or from_a_walk else None
