"""Folds one customer's due work in memory, one item at a time, each seeing what the one before it did.

The order is the law: what came from outside, then what became known of hand-overs, then timers, then messages by
priority. Nothing here reads or writes the database.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.core.calendar import events_ahead
from orchestrator.core.catalogue import Catalogue, PublishedPlaybook
from orchestrator.core.customer_state import CustomerState, EnrollmentWork, MessageRow
from orchestrator.core.entry import (
    StartRefusal,
    context_of_trigger,
    is_known,
    new_enrollment,
    refusal_of,
    triggered,
)
from orchestrator.core.machine.decide import decide
from orchestrator.core.machine.events import (
    EnrollmentEvent,
    Entered,
    FactsChanged,
    Responded,
    Signalled,
    TimerDue,
)
from orchestrator.core.machine.ordering import in_order
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.model import Ask
from orchestrator.service.enrollment import apply_commands, recheck
from orchestrator.service.enrollment.apply_receipts import apply_receipt
from orchestrator.service.enrollment.profile import apply_traits, carries_presence

SCAN = "scan"  # the trigger of a daily scan or a calendar
NOTHING: Mapping[str, Any] = {}


@dataclass(kw_only=True)
class Batch:
    """The work sheet of one batch: who carries which channel, both times, and the ids handed out meanwhile."""

    catalogue: Catalogue
    provider_of: Callable[[str], str]
    now: datetime
    machine: datetime
    _temporary: int = field(default=0)

    def temporary_id(self) -> int:
        """A stand-in id for a row that is not stored yet: negative, replaced when it is saved."""
        self._temporary -= 1
        return self._temporary

    # --- the items of one customer ----------------------------------------------------------------------------------

    def inbox(self, customer: CustomerState) -> None:
        """Everything that came from outside, in the order it came."""
        for item in in_order(customer.inbox, lambda message_id: _channel(customer, message_id)):
            customer.applied_inbox.append(item.id)
            if customer.erased:
                continue  # later facts about an erased person are dropped
            match item.kind:
                case "signal":
                    self._signal(customer, item)
                case "identify":
                    if apply_traits(customer, item.data, self.catalogue):
                        recheck.profile_changed(customer)
                        self.everyone(customer, FactsChanged())
                case "response":
                    self._response(customer, item)
                case "receipt":
                    self._receipt(customer, item)
                case "start":
                    self.start(
                        customer,
                        item.data["playbook"],
                        context=item.data.get("context", {}),
                        trigger=item.data.get("trigger", "product"),
                        start_key=item.data.get("key"),
                    )
                case "consider":
                    self._consider(customer, self.catalogue.newest.get(item.data["playbook"]), item.data)
                case "policy":
                    recheck.policy_published(customer, self.machine)
                case kind:
                    msg = f"inbox row {item.id} is of the unknown kind {kind!r}"
                    raise ValueError(msg)
        customer.inbox = []

    def timers(self, customer: CustomerState) -> None:
        """Every run whose instant has come, the most important first."""
        for work in customer.in_order():
            due = work.enrollment.state.due_at
            if due is not None and due <= self.now:
                self.apply(customer, work, TimerDue())

    # --- moving runs ------------------------------------------------------------------------------------------------

    def apply(self, customer: CustomerState, work: EnrollmentWork, event: EnrollmentEvent) -> None:
        """Let ``decide`` move one run, and carry out what it wants done."""
        published = work.published
        before = work.enrollment
        decision = decide(published.compiled, work.enrollment, event, customer.facts, published.computed)
        if decision.enrollment is before and not decision.entries:
            return
        work.enrollment = decision.enrollment
        work.entries.extend(decision.entries)
        work.changed = True
        apply_commands.carry_out(self, customer, work, decision.commands)
        if before.state.live and not work.enrollment.state.live:
            apply_commands.ended(self, customer, work)

    def everyone(self, customer: CustomerState, event: EnrollmentEvent) -> None:
        for work in customer.in_order():
            if work.enrollment.state.live:
                self.apply(customer, work, event)

    def start(
        self,
        customer: CustomerState,
        playbook: str,
        *,
        context: Mapping[str, Any],
        trigger: str,
        because: str | None = None,
        start_key: str | None = None,
        since: datetime | None = None,
    ) -> EnrollmentWork | StartRefusal:
        """Begin a run after the checks of a start; a refusal is kept. ``since`` is when its trigger occurred."""
        published = self.catalogue.named(playbook)
        refusal = refusal_of(customer, published, self.catalogue, context)
        if refusal is not None:
            customer.refusals.append(
                {
                    "customer_id": customer.customer_id,
                    "playbook": playbook,
                    "reason": refusal.reason,
                    "detail": {"why": refusal.why},
                    "trigger": trigger,
                    "at": self.now,
                }
            )
            return refusal
        work = new_enrollment(
            customer,
            published,
            self.catalogue,
            temporary_id=self.temporary_id(),
            context=context,
            trigger=trigger,
            because=because,
            start_key=start_key,
        )
        customer.enrollments[work.enrollment.enrollment_id] = work
        customer.facts.playbooks[playbook] = "live"
        self.apply(customer, work, Entered(since=since))
        return work

    # --- what comes from outside ------------------------------------------------------------------------------------

    def _signal(self, customer: CustomerState, item: Any) -> None:
        name, properties = item.data["name"], item.data.get("properties", {})
        happened = SignalOccurrence(name=name, occurred_at=item.occurred_at, properties=properties)
        insort(customer.facts.histories.setdefault(name, []), happened, key=lambda one: one.occurred_at)
        customer.new_signals.append(
            {
                "customer_id": customer.customer_id,
                "name": name,
                "occurred_at": item.occurred_at,
                "id": item.id,
                "received_at": item.received_at,
                "properties": properties,
            }
        )
        apply_commands.open_and_close_holds(self, customer, name, item.occurred_at)
        recheck.signalled(customer, self.catalogue.policy)
        newer = customer.last_seen_at is None or item.occurred_at > customer.last_seen_at
        if newer and carries_presence(item.data, name, self.catalogue):
            customer.last_seen_at = item.occurred_at
            customer.profile_changed = True
        signalled = Signalled(name=name, occurred_at=item.occurred_at, properties=properties)
        for work in list(customer.enrollments.values()):
            if work.enrollment.state.live or work.published.playbook.goal is not None:
                self.apply(customer, work, signalled)
        if not item.data.get("goal_only"):
            for published in self.catalogue.started_by(name):
                data = {"event": name, "since": item.occurred_at.isoformat(), **item.data}
                self._consider(customer, published, data)

    def _consider(
        self, customer: CustomerState, published: PublishedPlaybook | None, data: Mapping[str, Any]
    ) -> None:
        """Start a playbook if its conditions hold for this customer, or pass the question to the right colleague."""
        if published is None:
            return
        enter = published.playbook.enter
        if enter.one_per and customer.account_id is not None and not data.get("passed_on"):
            chosen = apply_commands.preferred_member(customer, enter.one_per)
            if chosen is not None and chosen != customer.customer_id:
                if data.get("event") == SCAN:
                    return  # she is asked herself
                customer.not_entered[published.name, data["event"], "colleague"] += 1
                customer.begins.append(
                    {
                        "customer_id": chosen,
                        "kind": "consider",
                        "data": {**data, "playbook": published.name, "passed_on": True},
                    }
                )
                return
        if enter.calendar and data.get("event") == SCAN:
            for context in events_ahead(customer, enter, self.catalogue.calendars):
                self._start_if(
                    customer,
                    published,
                    context,
                    SignalOccurrence(name=SCAN, occurred_at=self.now, properties=NOTHING),
                )
            return
        properties = data.get("properties", {})
        context = data.get("context") or context_of_trigger(published.playbook, properties)
        since = datetime.fromisoformat(data["since"]) if data.get("since") else self.now
        event = SignalOccurrence(name=data.get("event", SCAN), occurred_at=since, properties=properties)
        self._start_if(customer, published, context, event)

    def _start_if(
        self,
        customer: CustomerState,
        published: PublishedPlaybook,
        context: Mapping[str, Any],
        event: SignalOccurrence,
    ) -> None:
        scanned = event.name == SCAN
        holds, because = triggered(customer, published, context, None if scanned else event)
        if scanned and (not holds or is_known(customer, published.playbook, context)):
            return  # a daily question about the same run is no news
        if not holds:
            customer.not_entered[published.name, event.name, "condition"] += 1
            return
        since = None if scanned else event.occurred_at
        self.start(
            customer, published.name, context=context, trigger=event.name, because=because, since=since
        )

    def _response(self, customer: CustomerState, item: Any) -> None:
        message = customer.message_by_id(item.data["message_id"])
        if message is None:
            return
        outcome = item.data["outcome"]
        message.responses.setdefault(outcome, item.occurred_at.isoformat())
        message.changed = True
        if item.data.get("comment"):
            customer.new_signals.append(
                {
                    "customer_id": customer.customer_id,
                    "name": "survey_comment",
                    "occurred_at": item.occurred_at,
                    "id": item.id,
                    "received_at": item.received_at,
                    "properties": {
                        "playbook": message.playbook,
                        "step": message.step,
                        "comment": item.data["comment"],
                    },
                }
            )
        responded = Responded(
            visit=message.visit,
            outcome=outcome,
            detail=item.data.get("detail"),
            occurred_at=item.occurred_at,
            step=message.step,
        )
        self._heard(customer, message, [responded])

    def _receipt(self, customer: CustomerState, item: Any) -> None:
        message = customer.message_by_id(item.data["message_id"])
        if message is None:
            return
        published = self.catalogue.versions.get(message.playbook_id)
        action = published.compiled.step(message.step).action if published is not None else None
        ask = action if isinstance(action, Ask) else None
        texts = published.texts if published is not None else {}
        self._heard(customer, message, apply_receipt(customer, message, item, ask, texts))

    def _heard(self, customer: CustomerState, message: MessageRow, events: Sequence[EnrollmentEvent]) -> None:
        """Tell the message's run, and take a negative answer to a person when the playbook does not."""
        work = customer.enrollments.get(message.enrollment_id)
        for event in events:
            late = isinstance(event, Responded)  # also an ended run keeps a late answer
            if work is not None and (work.enrollment.state.live or late):
                self.apply(customer, work, event)
            if isinstance(event, Responded) and message.promotional:
                apply_commands.take_to_a_person(self, customer, work, message, event)


def _channel(customer: CustomerState, message_id: int) -> str | None:
    message = customer.message_by_id(message_id)
    return message.channel if message is not None else None
