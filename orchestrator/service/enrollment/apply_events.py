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
from orchestrator.core.catalogue import Catalogue, Published
from orchestrator.core.customer_state import MessageRow, Walker, Work
from orchestrator.core.entry import (
    Refusal,
    context_of_trigger,
    is_known,
    new_walker,
    refusal_of,
    triggered,
)
from orchestrator.core.machine.decide import decide
from orchestrator.core.machine.events import (
    Entered,
    FactsChanged,
    Happening,
    Responded,
    Signalled,
    TimerDue,
)
from orchestrator.core.machine.ordering import in_order
from orchestrator.language.conditions.facts import Happened
from orchestrator.language.model import Ask
from orchestrator.service.enrollment import apply_commands, recheck
from orchestrator.service.enrollment.apply_receipts import file_receipt
from orchestrator.service.enrollment.profile import apply_traits, carries_presence

SCAN = "scan"  # the trigger of a daily scan or a calendar
NOTHING: Mapping[str, Any] = {}


@dataclass(kw_only=True)
class Fold:
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

    def inbox(self, work: Work) -> None:
        """Everything that came from outside, in the order it came."""
        for item in in_order(work.inbox, lambda message_id: _channel(work, message_id)):
            work.applied_inbox.append(item.id)
            if work.erased:
                continue  # later facts about an erased person are dropped
            match item.kind:
                case "signal":
                    self._signal(work, item)
                case "identify":
                    if apply_traits(work, item.data, self.catalogue):
                        recheck.profile_changed(work)
                        self.everyone(work, FactsChanged())
                case "response":
                    self._response(work, item)
                case "receipt":
                    self._receipt(work, item)
                case "start":
                    self.start(
                        work,
                        item.data["playbook"],
                        context=item.data.get("context", {}),
                        trigger=item.data.get("trigger", "product"),
                        start_key=item.data.get("key"),
                    )
                case "consider":
                    self._consider(work, self.catalogue.newest.get(item.data["playbook"]), item.data)
                case "policy":
                    recheck.policy_published(work, self.machine)
                case kind:
                    msg = f"inbox row {item.id} is of the unknown kind {kind!r}"
                    raise ValueError(msg)
        work.inbox = []

    def timers(self, work: Work) -> None:
        """Every run whose instant has come, the most important first."""
        for walker in work.in_order():
            due = walker.run.state.due_at
            if due is not None and due <= self.now:
                self.apply(work, walker, TimerDue())

    # --- moving runs ------------------------------------------------------------------------------------------------

    def apply(self, work: Work, walker: Walker, happening: Happening) -> None:
        """Let ``decide`` move one run, and carry out what it wants done."""
        published = walker.published
        before = walker.run
        decision = decide(published.compiled, walker.run, happening, work.facts, published.computed)
        if decision.run is before and not decision.entries:
            return
        walker.run = decision.run
        walker.entries.extend(decision.entries)
        walker.changed = True
        apply_commands.carry_out(self, work, walker, decision.commands)
        if before.state.live and not walker.run.state.live:
            apply_commands.ended(self, work, walker)

    def everyone(self, work: Work, happening: Happening) -> None:
        for walker in work.in_order():
            if walker.run.state.live:
                self.apply(work, walker, happening)

    def start(
        self,
        work: Work,
        playbook: str,
        *,
        context: Mapping[str, Any],
        trigger: str,
        because: str | None = None,
        start_key: str | None = None,
        since: datetime | None = None,
    ) -> Walker | Refusal:
        """Begin a run after the checks of a start; a refusal is kept. ``since`` is when its trigger occurred."""
        published = self.catalogue.named(playbook)
        refusal = refusal_of(work, published, self.catalogue, context)
        if refusal is not None:
            work.refusals.append(
                {
                    "customer_id": work.customer_id,
                    "playbook": playbook,
                    "reason": refusal.reason,
                    "detail": {"why": refusal.why},
                    "trigger": trigger,
                    "at": self.now,
                }
            )
            return refusal
        walker = new_walker(
            work,
            published,
            self.catalogue,
            temporary_id=self.temporary_id(),
            context=context,
            trigger=trigger,
            because=because,
            start_key=start_key,
        )
        work.walkers[walker.run.enrollment_id] = walker
        work.facts.playbooks[playbook] = "live"
        self.apply(work, walker, Entered(since=since))
        return walker

    # --- what comes from outside ------------------------------------------------------------------------------------

    def _signal(self, work: Work, item: Any) -> None:
        name, properties = item.data["name"], item.data.get("properties", {})
        happened = Happened(name=name, occurred_at=item.occurred_at, properties=properties)
        insort(work.facts.histories.setdefault(name, []), happened, key=lambda one: one.occurred_at)
        work.new_signals.append(
            {
                "customer_id": work.customer_id,
                "name": name,
                "occurred_at": item.occurred_at,
                "id": item.id,
                "received_at": item.received_at,
                "properties": properties,
            }
        )
        apply_commands.open_and_close_holds(self, work, name, item.occurred_at)
        recheck.signalled(work, self.catalogue.policy)
        newer = work.last_seen_at is None or item.occurred_at > work.last_seen_at
        if newer and carries_presence(item.data, name, self.catalogue):
            work.last_seen_at = item.occurred_at
            work.profile_changed = True
        signalled = Signalled(name=name, occurred_at=item.occurred_at, properties=properties)
        for walker in list(work.walkers.values()):
            if walker.run.state.live or walker.published.playbook.goal is not None:
                self.apply(work, walker, signalled)
        if not item.data.get("goal_only"):
            for published in self.catalogue.started_by(name):
                data = {"event": name, "since": item.occurred_at.isoformat(), **item.data}
                self._consider(work, published, data)

    def _consider(self, work: Work, published: Published | None, data: Mapping[str, Any]) -> None:
        """Start a playbook if its conditions hold for this customer, or pass the question to the right colleague."""
        if published is None:
            return
        enter = published.playbook.enter
        if enter.one_per and work.account_id is not None and not data.get("passed_on"):
            chosen = apply_commands.preferred_member(work, enter.one_per)
            if chosen is not None and chosen != work.customer_id:
                if data.get("event") == SCAN:
                    return  # she is asked herself
                work.not_entered[published.name, data["event"], "colleague"] += 1
                work.begins.append(
                    {
                        "customer_id": chosen,
                        "kind": "consider",
                        "data": {**data, "playbook": published.name, "passed_on": True},
                    }
                )
                return
        if enter.calendar and data.get("event") == SCAN:
            for context in events_ahead(work, enter, self.catalogue.calendars):
                self._start_if(
                    work, published, context, Happened(name=SCAN, occurred_at=self.now, properties=NOTHING)
                )
            return
        properties = data.get("properties", {})
        context = data.get("context") or context_of_trigger(published.playbook, properties)
        since = datetime.fromisoformat(data["since"]) if data.get("since") else self.now
        event = Happened(name=data.get("event", SCAN), occurred_at=since, properties=properties)
        self._start_if(work, published, context, event)

    def _start_if(
        self, work: Work, published: Published, context: Mapping[str, Any], event: Happened
    ) -> None:
        scanned = event.name == SCAN
        holds, because = triggered(work, published, context, None if scanned else event)
        if scanned and (not holds or is_known(work, published.playbook, context)):
            return  # a daily question about the same run is no news
        if not holds:
            work.not_entered[published.name, event.name, "condition"] += 1
            return
        since = None if scanned else event.occurred_at
        self.start(work, published.name, context=context, trigger=event.name, because=because, since=since)

    def _response(self, work: Work, item: Any) -> None:
        message = work.message_by_id(item.data["message_id"])
        if message is None:
            return
        word = item.data["word"]
        message.responses.setdefault(word, item.occurred_at.isoformat())
        message.changed = True
        if item.data.get("comment"):
            work.new_signals.append(
                {
                    "customer_id": work.customer_id,
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
            word=word,
            detail=item.data.get("detail"),
            occurred_at=item.occurred_at,
            step=message.step,
        )
        self._heard(work, message, [responded])

    def _receipt(self, work: Work, item: Any) -> None:
        message = work.message_by_id(item.data["message_id"])
        if message is None:
            return
        published = self.catalogue.versions.get(message.playbook_id)
        action = published.compiled.step(message.step).action if published is not None else None
        ask = action if isinstance(action, Ask) else None
        texts = published.texts if published is not None else {}
        self._heard(work, message, file_receipt(work, message, item, ask, texts))

    def _heard(self, work: Work, message: MessageRow, happenings: Sequence[Happening]) -> None:
        """Tell the message's run, and take a negative answer to a person when the playbook does not."""
        walker = work.walkers.get(message.enrollment_id)
        for happening in happenings:
            late = isinstance(happening, Responded)  # also an ended run keeps a late answer
            if walker is not None and (walker.run.state.live or late):
                self.apply(work, walker, happening)
            if isinstance(happening, Responded) and message.promotional:
                apply_commands.take_to_a_person(self, work, walker, message, happening)


def _channel(work: Work, message_id: int) -> str | None:
    message = work.message_by_id(message_id)
    return message.channel if message is not None else None
