"""Lets a customer into a playbook: by a start that is asked for, or by a trigger whose conditions hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.core.calendar import events_ahead
from orchestrator.core.catalogue import PublishedPlaybook
from orchestrator.core.customer_state import CustomerState, EnrollmentWork
from orchestrator.core.entry import (
    StartRefusal,
    context_of_trigger,
    is_known,
    new_enrollment,
    refusal_of,
    triggered,
)
from orchestrator.core.machine.events import Entered
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.records.enrollment import RefusalRow
from orchestrator.records.inbox import InboxRequest
from orchestrator.service.context import Batch
from orchestrator.service.enrollment.event_queue import apply_event

SCAN = "scan"  # the trigger of a daily scan or a calendar
NOTHING: Mapping[str, Any] = {}


def enter(
    customer: CustomerState,
    playbook: str,
    batch: Batch,
    *,
    context: Mapping[str, Any],
    trigger: str,
    because: str | None = None,
    start_key: str | None = None,
    since: datetime | None = None,
) -> EnrollmentWork | StartRefusal:
    """Begin an enrollment after the checks of a start; a refusal is kept. ``since`` is when its trigger occurred."""
    published = batch.catalogue.newest.get(playbook)
    if published is None:
        why = f"no version of '{playbook}' is published that can be read here"
        return _refuse(customer, playbook, trigger, StartRefusal(reason="not_published", why=why))
    refusal = refusal_of(customer, published, batch.catalogue, context)
    if refusal is not None:
        return _refuse(customer, playbook, trigger, refusal)
    work = new_enrollment(
        customer,
        published,
        batch.catalogue,
        enrollment_id=batch.transaction.batches.new_enrollment_id(),
        context=context,
        trigger=trigger,
        because=because,
        start_key=start_key,
    )
    customer.enrollments[work.enrollment.enrollment_id] = work
    customer.facts.playbooks[playbook] = "live"
    apply_event(customer, work, Entered(since=since), batch)
    return work


def _refuse(customer: CustomerState, playbook: str, trigger: str, refusal: StartRefusal) -> StartRefusal:
    """Keep the refusal."""
    customer.refusals.append(
        RefusalRow(
            customer_id=customer.customer_id,
            playbook=playbook,
            reason=refusal.reason,
            detail={"why": refusal.why},
            trigger=trigger,
            at=customer.now,
        )
    )
    return refusal


def consider(
    customer: CustomerState, published: PublishedPlaybook, data: Mapping[str, Any], batch: Batch
) -> None:
    """Enter a playbook if its conditions hold for this customer, or pass the question to the right colleague."""
    rule = published.playbook.enter
    scanned = data.get("event") == SCAN
    if rule.one_per and customer.account_id is not None and not data.get("passed_on"):
        chosen = _preferred_member(customer, rule.one_per)
        if chosen is not None and chosen != customer.customer_id:
            if not scanned:  # a scan asks the colleague anyway
                _pass_on(customer, chosen, published, data)
            return
    if rule.calendar and scanned:
        now = SignalOccurrence(name=SCAN, occurred_at=batch.now, properties=NOTHING)
        for context in events_ahead(customer, rule, batch.catalogue.calendars):
            _enter_if(customer, published, context, now, batch)
        return
    properties = data.get("properties", {})
    context = data.get("context") or context_of_trigger(published.playbook, properties)
    since = datetime.fromisoformat(data["since"]) if data.get("since") else batch.now
    event = SignalOccurrence(name=data.get("event", SCAN), occurred_at=since, properties=properties)
    _enter_if(customer, published, context, event, batch)


def _pass_on(
    customer: CustomerState, colleague: int, published: PublishedPlaybook, data: Mapping[str, Any]
) -> None:
    customer.not_entered[published.name, data["event"], "colleague"] += 1
    question = {**data, "playbook": published.name, "passed_on": True}
    customer.requests.append(InboxRequest(customer_id=colleague, kind="consider", data=question))


def _preferred_member(customer: CustomerState, roles: tuple[str, ...]) -> int | None:
    """The one member of the account who is spoken to: the first of the preferred roles, the oldest of that role."""
    for role in roles:
        for member in customer.account_members:
            if role in ("*", member.role):
                return member.customer_id
    return None


def _enter_if(
    customer: CustomerState,
    published: PublishedPlaybook,
    context: Mapping[str, Any],
    event: SignalOccurrence,
    batch: Batch,
) -> None:
    scanned = event.name == SCAN
    holds, because = triggered(customer, published, context, None if scanned else event)
    if scanned and (not holds or is_known(customer, published.playbook, context)):
        return  # a daily question about the same enrollment is no news
    if not holds:
        customer.not_entered[published.name, event.name, "condition"] += 1
        return
    enter(
        customer,
        published.name,
        batch,
        context=context,
        trigger=event.name,
        because=because,
        since=None if scanned else event.occurred_at,
    )
