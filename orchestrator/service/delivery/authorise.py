"""The transaction that marks hand-overs: policies are asked again, places are reserved, jobs are cut.

A job carries everything its hand-over needs, so that rendering and sending happen without the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.core.catalogue import Published
from orchestrator.core.customer_state import MessageRow, NewPlace, Walker, Work
from orchestrator.core.machine.events import BeforeHandOver, Fate, HandedOver, Settled
from orchestrator.core.policies.request import Drop, HoldOut, Place, Verdict
from orchestrator.core.quiet_hours import silent_from
from orchestrator.core.template_values import template_values
from orchestrator.core.zones import zones_of
from orchestrator.language.model import Ask, Send
from orchestrator.service.delivery.provider_gates import Tickets
from orchestrator.service.enrollment.apply_commands import obey, settle
from orchestrator.service.enrollment.apply_events import Fold
from orchestrator.service.enrollment.ask_policies import address_for, judge_message, kept, may_track

LEASE = timedelta(seconds=60)  # machine time: longer than any call may take
SETTLE = timedelta(hours=1)  # machine time: how long an uncertain message waits for the provider's word
TO_CUSTOMER = ("send", "ask")


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One authorised hand-over."""

    customer_id: int
    customer_key: str
    message_id: int
    attempt: int
    step: str
    kind: str
    channel: str
    provider: str
    address: str
    topic: str
    promotional: bool
    published: Published
    because: str | None
    values: Mapping[str, Any]
    locale: str | None
    zone: ZoneInfo
    track: bool
    valid_until: datetime  # a provider that still has it then must drop it: patience, or the next quiet hours
    authorised_at: datetime


def fold_messages(fold: Fold, work: Work, jobs: list[Job], tickets: Tickets) -> None:
    """Every message of one customer that may leave now, the most important first."""
    _end_leases(fold, work)
    for message in _candidates(fold, work):
        if message.status != "planned":
            continue
        if _tries_again_later(fold, message):
            _keep_place(fold, work, message)
            continue
        walker = work.walkers.get(message.enrollment_id)
        if walker is None or not walker.run.state.live:
            settle(message, "withdrawn", fold.now, reason="its walk is over")
            continue
        fold.apply(work, walker, BeforeHandOver(visit=message.visit))
        if message.status != "planned":
            continue
        waited_since = message.due_at
        judged = _stale(fold, work, walker, message) or judge_message(
            work, walker, message, fold.catalogue, asked="hand_over"
        )
        if not obey(fold, work, walker, message, judged):
            continue
        if isinstance(judged[1], HoldOut):
            _hold_out(fold, work, walker, message)
        elif tickets.take(message.provider):
            _hand_over(fold, work, walker, message, jobs)
        else:  # its provider is closed or has no token left
            _keep_place(fold, work, message)
            message.due_at = min(waited_since or fold.now, fold.now)  # where it stood among those who wait


def _keep_place(fold: Fold, work: Work, message: MessageRow) -> None:
    """In this transaction no less important message gets the place it needs."""
    if _takes_place(fold, message):
        work.places.append(_place(message, fold.now))


def _tries_again_later(fold: Fold, message: MessageRow) -> bool:
    """It was given a place before, and the provider asked for patience."""
    return message.attempt > 0 and message.free_at is not None and message.free_at > fold.machine


def _candidates(fold: Fold, work: Work) -> list[MessageRow]:
    """What is due, what a cap holds back and what is to be tried again: room goes to the most important of them."""
    found = [
        message
        for message in work.messages.values()
        if message.status == "planned"
        and message.id != 0
        and message.free_at is not None
        and (message.free_at <= fold.machine or _tries_again_later(fold, message))
        and message.due_at is not None
        and (message.due_at <= fold.now or _held_by_cap(message))
    ]
    return sorted(found, key=lambda message: (-message.priority, message.due_at, message.id))


def _held_by_cap(message: MessageRow) -> bool:
    return message.last_verdict is not None and message.last_verdict[2] == "frequency_cap"


def _stale(fold: Fold, work: Work, walker: Walker, message: MessageRow) -> tuple[str, Verdict] | None:
    action = walker.published.compiled.step(message.step).action
    if not isinstance(action, Send) or action.stale_after is None:
        return None
    if fold.now <= message.planned_at + action.stale_after.span:
        return None
    dropped = Drop(policy="stale", why=f"planned more than {action.stale_after} ago")
    return kept(work, message, message.channel, dropped, "hand_over")


def _end_leases(fold: Fold, work: Work) -> None:
    """A hand-over whose worker is gone is uncertain; an uncertain one nobody spoke of in time is abandoned."""
    for message in work.messages.values():
        if message.free_at is None or message.free_at > fold.machine:
            continue
        if message.status == "handing_over":
            message.status, message.reason = "uncertain", "the worker that handed it over did not report back"
            message.free_at = fold.machine + SETTLE
            message.changed = True
        elif message.status == "uncertain":
            settle(message, "abandoned", fold.now, reason="the provider never said whether it was sent")
            walker = work.walkers.get(message.enrollment_id)
            if walker is not None:
                fate = Settled(visit=message.visit, fate=Fate.ABANDONED, at=fold.now, channel=message.channel)
                fold.apply(work, walker, fate)


def _hold_out(fold: Fold, work: Work, walker: Walker, message: MessageRow) -> None:
    message.handed_at = message.sent_at = fold.now
    settle(message, "held_out", fold.now, reason="held out")
    if _takes_place(fold, message):
        work.new_places.append(NewPlace(message=message, handed_at=fold.now, shadow=True))
        work.shadow_places.append(_place(message, fold.now))
    held = Settled(visit=message.visit, fate=Fate.HELD_OUT, at=fold.now, channel=message.channel)
    fold.apply(work, walker, held)


def _hand_over(fold: Fold, work: Work, walker: Walker, message: MessageRow, jobs: list[Job]) -> None:
    message.status = "handing_over"
    message.handed_at = fold.now
    message.attempt += 1
    message.free_at = fold.machine + LEASE
    message.changed = True
    if _takes_place(fold, message):
        work.new_places.append(NewPlace(message=message, handed_at=fold.now, shadow=False))
        work.places.append(_place(message, fold.now))
    track = may_track(work, message.channel)
    values = template_values(work, walker)
    fold.apply(work, walker, HandedOver(visit=message.visit, channel=message.channel, tracked=track))
    jobs.append(
        Job(
            customer_id=work.customer_id,
            customer_key=work.key,
            message_id=message.id,
            attempt=message.attempt,
            step=message.step,
            kind=message.kind,
            channel=message.channel,
            provider=message.provider,
            address=address_for(work, message.channel)[0] or work.key,
            topic=message.topic,
            promotional=message.promotional,
            published=walker.published,
            because=walker.run.because,
            values=values,
            locale=work.locale,
            zone=work.facts.zone,
            track=track,
            valid_until=_valid_until(fold, work, walker, message),
            authorised_at=fold.now,
        )
    )


def _valid_until(fold: Fold, work: Work, walker: Walker, message: MessageRow) -> datetime:
    """A text that the provider queues must not come out in the night, nor after anybody would still want it."""
    if message.channel not in ("sms", "whatsapp") or not message.promotional:
        return message.give_up_at
    policy = fold.catalogue.policy
    zones = zones_of(work.timezone, work.timezone_source, work.points, policy.default_zone).zones
    windows = (*policy.quiet_hours, *walker.published.playbook.guardrails.quiet_hours)
    silent = silent_from(fold.now, message.channel, work.region, zones, windows)
    return min(message.give_up_at, silent) if silent is not None else message.give_up_at


def _takes_place(fold: Fold, message: MessageRow) -> bool:
    return message.kind in TO_CUSTOMER and fold.catalogue.policy.counts_toward_caps(message.topic)


def _place(message: MessageRow, at: datetime) -> Place:
    return Place(handed_at=at, channel=message.channel, topic=message.topic, priority=message.priority)


def display_of(job: Job) -> str | None:
    """How an in-app message is shown, as the step says."""
    action = job.published.compiled.step(job.step).action
    return action.as_ if isinstance(action, Send | Ask) else None
