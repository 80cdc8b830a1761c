"""Applies what came from outside for one customer, in the order it came."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

from orchestrator.core.customer_state import CustomerState, EnrollmentWork, MessageRow
from orchestrator.core.machine.events import EnrollmentEvent, FactsChanged, Responded, Signalled
from orchestrator.core.machine.ordering import in_order
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.model import Ask, Handoff
from orchestrator.records.inbox import InboxRow, SignalRow
from orchestrator.service.context import Batch
from orchestrator.service.enrollment.apply_receipts import apply_receipt
from orchestrator.service.enrollment.consent_withdrawn import consent_withdrawn
from orchestrator.service.enrollment.enter import consider, enter
from orchestrator.service.enrollment.event_queue import apply_event, apply_to_all
from orchestrator.service.enrollment.holds import open_and_close_holds
from orchestrator.service.enrollment.missed import all_miss, miss
from orchestrator.service.enrollment.profile import apply_traits, carries_presence
from orchestrator.service.messages import recheck


def apply_inbox(customer: CustomerState, batch: Batch) -> None:
    """As much as the batch has time for; of an erased customer it is only taken out."""
    waiting = in_order(customer.inbox, lambda message_id: _channel(customer, message_id))
    for number, item in enumerate(waiting, 1):
        customer.applied_inbox.append(item.id)
        if not customer.erased:
            customer.changes += 1
            _apply(customer, item, batch)
        if number < len(waiting) and batch.is_over():
            customer.inbox_waits = True
            break
    customer.inbox = []


def _apply(customer: CustomerState, item: InboxRow, batch: Batch) -> None:
    match item.kind:
        case "signal":
            _signal(customer, item, batch)
        case "identify":
            if apply_traits(customer, item.data, batch.catalogue):
                recheck.profile_changed(customer)
                apply_to_all(customer, FactsChanged(), batch)
        case "response":
            _response(customer, item, batch)
        case "receipt":
            _receipt(customer, item, batch)
        case "start":
            enter(
                customer,
                item.data["playbook"],
                batch,
                context=item.data.get("context", {}),
                trigger=item.data.get("trigger", "product"),
                start_key=item.data.get("key"),
            )
        case "consider":
            published = batch.catalogue.newest.get(item.data["playbook"])
            if published is not None:
                consider(customer, published, item.data, batch)
        case "policy" if "withdrawn" in item.data:
            consent_withdrawn(customer, **item.data["withdrawn"], batch=batch)
        case "policy":
            recheck.policy_published(customer, batch.machine)
        case kind:
            msg = f"inbox row {item.id} is of the unknown kind {kind!r}"
            raise ValueError(msg)


def _signal(customer: CustomerState, item: InboxRow, batch: Batch) -> None:
    name, properties = item.data["name"], item.data.get("properties", {})
    happened = SignalOccurrence(name=name, occurred_at=item.occurred_at, properties=properties)
    insort(customer.facts.histories.setdefault(name, []), happened, key=lambda one: one.occurred_at)
    customer.new_signals.append(
        SignalRow(
            customer_id=customer.customer_id,
            id=item.id,
            name=name,
            occurred_at=item.occurred_at,
            received_at=item.received_at,
            properties=properties,
        )
    )
    open_and_close_holds(customer, name, item.occurred_at, batch)
    recheck.signalled(customer, batch.catalogue.policy)
    newer = customer.last_seen_at is None or item.occurred_at > customer.last_seen_at
    if newer and carries_presence(item.data, name, batch.catalogue):
        customer.last_seen_at = item.occurred_at
        customer.profile_changed = True
    signalled = Signalled(name=name, occurred_at=item.occurred_at, properties=properties)
    for work in list(customer.enrollments.values()):
        if work.enrollment.state.live or work.published.playbook.goal is not None:
            apply_event(customer, work, signalled, batch)
    all_miss(customer, signalled)
    if not item.data.get("goal_only"):
        for published in batch.catalogue.started_by(name):
            data = {"event": name, "since": item.occurred_at.isoformat(), **item.data}
            consider(customer, published, data, batch)


def _response(customer: CustomerState, item: InboxRow, batch: Batch) -> None:
    message = customer.message_by_id(item.data["message_id"])
    if message is None:
        return
    outcome = item.data["outcome"]
    message.responses.setdefault(outcome, item.occurred_at.isoformat())
    message.changed = True
    if item.data.get("comment"):
        customer.new_signals.append(
            SignalRow(
                customer_id=customer.customer_id,
                id=item.id,
                name="survey_comment",
                occurred_at=item.occurred_at,
                received_at=item.received_at,
                properties={
                    "playbook": message.playbook,
                    "step": message.step,
                    "comment": item.data["comment"],
                },
            )
        )
    responded = Responded(
        visit=message.visit,
        outcome=outcome,
        detail=item.data.get("detail"),
        occurred_at=item.occurred_at,
        step=message.step,
    )
    _hear(customer, message, [responded], batch)


def _receipt(customer: CustomerState, item: InboxRow, batch: Batch) -> None:
    message = customer.message_by_id(item.data["message_id"])
    if message is None:
        return
    published = batch.catalogue.versions.get(message.playbook_id)
    action = published.compiled.step(message.step).action if published is not None else None
    ask = action if isinstance(action, Ask) else None
    texts = published.texts if published is not None else {}
    _hear(customer, message, apply_receipt(customer, message, item, ask, texts), batch)


def _hear(
    customer: CustomerState, message: MessageRow, events: Sequence[EnrollmentEvent], batch: Batch
) -> None:
    """Tell the message's enrollment, and take a negative answer to a person when the playbook does not."""
    work = customer.enrollments.get(message.enrollment_id)
    for event in events:
        late = isinstance(event, Responded)  # also an ended enrollment keeps a late answer
        if work is not None and (work.enrollment.state.live or late):
            apply_event(customer, work, event, batch)
        miss(customer, message.enrollment_id, event)
        if isinstance(event, Responded) and message.promotional and _is_negative(message, event, batch):
            _take_to_a_person(customer, work, message, event, batch)


def _take_to_a_person(
    customer: CustomerState,
    work: EnrollmentWork | None,
    message: MessageRow,
    heard: Responded,
    batch: Batch,
) -> None:
    """A negative answer goes to support with its context, unless the playbook itself has just handed it over."""
    name = batch.catalogue.policy.negative_starts
    if name is None or name not in batch.catalogue.newest:
        return
    if work is not None and work.enrollment.state.live:
        compiled = work.published.compiled
        if isinstance(compiled.step(work.enrollment.state.step).action, Handoff):
            return
    context = {
        "from_playbook": message.playbook,
        "from_step": message.step,
        "said": heard.detail or heard.outcome,
    }
    enter(customer, name, batch, context=context, trigger="negative_answer")


def _is_negative(message: MessageRow, heard: Responded, batch: Batch) -> bool:
    if heard.outcome == "negative":
        return True
    published = batch.catalogue.versions.get(message.playbook_id)
    if published is None or heard.outcome != "answered" or heard.detail is None:
        return False
    action = published.compiled.step(message.step).action
    return isinstance(action, Ask) and heard.detail in action.negative


def _channel(customer: CustomerState, message_id: int) -> str | None:
    message = customer.message_by_id(message_id)
    return message.channel if message is not None else None
