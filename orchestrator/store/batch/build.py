"""Lays locked customers out on the work bench: rows become :class:`~orchestrator.core.customer_state.CustomerState`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from orchestrator.core.catalogue import Catalogue, PublishedPlaybook
from orchestrator.core.customer_state import (
    CustomerState,
    EndedEnrollment,
    EnrollmentWork,
    MessageRow,
    WaitingEnrollment,
)
from orchestrator.core.feed_visibility import Guards
from orchestrator.core.machine.enrollment import EnrollmentSnapshot, EnrollmentState, state_from_json
from orchestrator.core.machine.facts import CustomerFacts
from orchestrator.core.policies.request import ActiveCooldown, CapSlot, OpenHold
from orchestrator.core.zones import zones_of
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.conditions.requirements import LookBack, merge
from orchestrator.records.customer import AccountMember, KnownAccount
from orchestrator.records.inbox import InboxRow
from orchestrator.records.message import LastVerdict
from orchestrator.store.batch.definitions import CatalogueCache
from orchestrator.store.batch.load import LoadedCustomer, Wanted, load_customers, load_guards, load_more
from orchestrator.store.consents import as_policies_read


def build_customers(
    connection: Connection,
    ids: Sequence[int],
    definitions: CatalogueCache,
    now: datetime,
    *,
    starting: Sequence[str] = (),
    hash_key: Callable[[str], str],
) -> tuple[list[CustomerState], Catalogue]:
    """Read the locked customers ``ids``, in order, and the definitions they go by.

    ``starting`` names playbooks about to be started; ``hash_key`` is the keyed hash that is kept of an address. An
    enrollment of a version this process has not heard of makes it look.
    """
    catalogue = definitions.refresh(connection)
    loaded = load_customers(connection, ids, now=now, cap_window=catalogue.cap_window)
    known_ids = catalogue.versions.keys() | catalogue.unreadable.keys()
    if any(row.playbook_id not in known_ids for one in loaded.values() for row in one.enrollments):
        known, catalogue = catalogue, definitions.refresh(connection, at_once=True)
        if catalogue.cap_window > known.cap_window:  # a longer window counts what was not read yet
            loaded = load_customers(connection, ids, now=now, cap_window=catalogue.cap_window)
    concerned = _concerned(loaded, catalogue, starting)
    wanted = Wanted(
        look_back=_look_back(concerned, catalogue),
        members=any(one.needs_members for one in concerned),
        answer_rates=any(one.needs_answer_rates for one in concerned),
        doubtful=catalogue.lost is not None and catalogue.lost.doubtful,
    )
    load_more(connection, loaded, wanted, now=now)
    customers = [_work(loaded[customer_id], catalogue, now) for customer_id in ids if customer_id in loaded]
    for customer in customers:
        _find_changed_addresses(customer, hash_key)
    return customers, catalogue


def _find_changed_addresses(customer: CustomerState, hash_key: Callable[[str], str]) -> None:
    """Say of the messages that providers' reports are about whether their channel has another address by now."""
    reported = {item.data["message_id"] for item in customer.inbox if item.kind == "receipt"}
    for message in customer.messages.values() if reported else ():
        if message.id in reported and message.address_hash is not None:
            address, _ = customer.points.get(message.channel, (None, None))
            message.address_current = address is not None and hash_key(address) == message.address_hash


def _concerned(
    loaded: dict[int, LoadedCustomer], catalogue: Catalogue, starting: Sequence[str]
) -> list[PublishedPlaybook]:
    """The versions these customers are in, and those that their inbox may start."""
    found: dict[int, PublishedPlaybook] = {}
    for one in loaded.values():
        for row in one.enrollments:
            if row.ended_at is None and row.playbook_id in catalogue.versions:
                found[row.playbook_id] = catalogue.versions[row.playbook_id]
        for item in one.inbox:
            if item.kind == "signal":
                for published in catalogue.started_by(item.data.get("name", "")):
                    found[published.id] = published
            elif item.kind in ("start", "consider") and item.data.get("playbook") in catalogue.newest:
                published = catalogue.newest[item.data["playbook"]]
                found[published.id] = published
    for name in starting:
        if name in catalogue.newest:
            found[catalogue.newest[name].id] = catalogue.newest[name]
    return list(found.values())


def _look_back(concerned: Sequence[PublishedPlaybook], catalogue: Catalogue) -> LookBack:
    needed = dict(catalogue.holds_look_back)
    for one in concerned:
        for event, span in one.look_back.items():
            merge(needed, event, span)
    return needed


def guards(
    connection: Connection,
    customer_id: int,
    catalogue: Catalogue,
    now: datetime,
    *,
    look_back: LookBack | None,
) -> Guards:
    """What may stand between one customer and the feed, without a lock: it is asked again at the next look."""
    loaded = load_guards(connection, customer_id, now=now, look_back=look_back)
    if loaded is None:
        return Guards(consents=(), cooldowns=(), holds=())
    return Guards(
        consents=[as_policies_read(one, now) for one in loaded.consents],
        cooldowns=[_cooldown(one) for one in loaded.cooldowns if not one.shadow],
        holds=[*_holds(loaded, catalogue), *catalogue.account_holds],
        facts=None if look_back is None else _facts(loaded, catalogue, now, _points(loaded)),
    )


def _facts(
    loaded: LoadedCustomer, catalogue: Catalogue, now: datetime, points: Mapping[str, tuple[str, str | None]]
) -> CustomerFacts:
    row = loaded.customer
    zones = zones_of(row.timezone, row.timezone_source, points, catalogue.policy.default_zone)
    facts = CustomerFacts(
        key=row.key,
        now=now,
        zone=zones.zones[0],
        attributes=dict(row.attributes),
        account=dict(row.account_attributes or {}),
        account_key=row.account_key,
        tags=tuple(row.tags),
        day_starts=catalogue.policy.day_starts,
        default_patience_hours=int(catalogue.policy.default_patience.span / timedelta(hours=1)),
    )
    for item in loaded.history:
        facts.histories.setdefault(item.name, []).append(
            SignalOccurrence(name=item.name, occurred_at=item.occurred_at, properties=item.properties)
        )
    for enrollment in loaded.enrollments:
        if enrollment.ended_at is None:
            facts.playbooks[enrollment.playbook] = "live"
        else:
            facts.playbooks.setdefault(enrollment.playbook, "ended")
    return facts


def _points(loaded: LoadedCustomer) -> dict[str, tuple[str, str | None]]:
    return {point.channel: (point.address, point.invalid_reason) for point in loaded.points}


def _holds(loaded: LoadedCustomer, catalogue: Catalogue) -> list[OpenHold]:
    rules = {rule.name: rule for rule in catalogue.policy.holds}
    return [
        OpenHold(
            name=one.name,
            opened_at=one.opened_at,
            ends_at=one.ends_at,
            topics=frozenset(rules[one.name].topics) if one.name in rules else frozenset(),
        )
        for one in loaded.holds
    ]


def _work(loaded: LoadedCustomer, catalogue: Catalogue, now: datetime) -> CustomerState:
    row = loaded.customer
    points = _points(loaded)
    facts = _facts(loaded, catalogue, now, points)
    enrollments, past, waiting = _runs(loaded, catalogue, row, now)
    return CustomerState(
        customer_id=row.id,
        key=row.key,
        facts=facts,
        account_id=row.account_id,
        timezone=row.timezone,
        timezone_source=row.timezone_source,
        locale=row.locale,
        region=row.region,
        last_seen_at=row.last_seen_at,
        erased=row.erased_at is not None,
        points=points,
        enrollments=enrollments,
        past=past,
        waiting=waiting,
        messages={(m.enrollment_id, m.visit): _message(m) for m in loaded.messages},
        inbox=[_inbox_row(one) for one in loaded.inbox],
        consents=[as_policies_read(one, now) for one in loaded.consents],
        cooldowns=[_cooldown(one) for one in loaded.cooldowns if not one.shadow],
        shadow_cooldowns=[_cooldown(one) for one in loaded.cooldowns if one.shadow],
        holds=_holds(loaded, catalogue),
        hold_ids={one.name: one.id for one in loaded.holds},
        cap_slots=[_place(one) for one in loaded.cap_slots if not one.shadow],
        shadow_slots=[_place(one) for one in loaded.cap_slots if one.shadow],
        members=_members(loaded.members),
        answer_rates=dict(loaded.answer_rates),
        joining={
            account_id: KnownAccount(
                key=one.account.key, attributes=one.account.attributes, members=tuple(_members(one.members))
            )
            for account_id, one in loaded.joining.items()
        },
        inbox_waits=loaded.inbox_waits,
        doubtful={one.enrollment_id: tuple(one.steps) for one in loaded.doubtful},
    )


def _members(rows: Sequence[Any]) -> list[AccountMember]:
    return [AccountMember(customer_id=one.id, role=one.role) for one in rows]


def _runs(
    loaded: LoadedCustomer, catalogue: Catalogue, customer: Row[Any], now: datetime
) -> tuple[dict[int, EnrollmentWork], list[EndedEnrollment], dict[int, WaitingEnrollment]]:
    timers = {timer.enrollment_id: timer for timer in loaded.timers}
    answered = _answered(loaded)
    enrollments: dict[int, EnrollmentWork] = {}
    past: list[EndedEnrollment] = []
    waiting: dict[int, WaitingEnrollment] = {}
    for row in loaded.enrollments:
        published = catalogue.versions.get(row.playbook_id)
        if row.ended_at is not None:
            past.append(
                EndedEnrollment(
                    playbook=row.playbook,
                    reentry_key=row.reentry_key,
                    ended_at=row.ended_at,
                    any_sent=bool(row.any_sent),
                    end_status=row.end_status,
                )
            )
            if published is None or not (_may_convert(published, row, now) or row.id in answered):
                continue
        state, unreadable = (None, None) if published is None or row.parked else _state(row)
        if published is None or state is None:
            if row.ended_at is None:
                waiting[row.id] = WaitingEnrollment(
                    enrollment_id=row.id,
                    playbook=row.playbook,
                    reentry_key=row.reentry_key,
                    parked=row.parked or unreadable is not None,
                    unreadable=unreadable,
                )
            continue
        subject = customer.account_key if published.playbook.enter.one_per else None
        timer = timers.get(row.id)
        enrollments[row.id] = EnrollmentWork(
            enrollment=EnrollmentSnapshot(
                customer_id=customer.id,
                enrollment_id=row.id,
                playbook_id=row.playbook_id,
                playbook=row.playbook,
                subject=subject or customer.key,
                entered_at=row.entered_at,
                held_out=row.held_out,
                reentry_key=row.reentry_key,
                trigger=row.trigger,
                because=row.because,
                context=row.context,
                state=state,
            ),
            published=published,
            rev=row.rev,
            seq=row.seq or 0,
            start_key=row.start_key,
            due_at=timer.due_at if timer else None,
            timer_visit=timer.visit if timer else None,
            missed=row.missed or (),
        )
    return enrollments, past, waiting


def _state(row: Row[Any]) -> tuple[EnrollmentState | None, str | None]:
    """The state of an enrollment, or why it cannot be read."""
    try:
        return state_from_json(row.state), None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return None, f"its state cannot be read ({type(error).__name__}: {error})"


def _answered(loaded: LoadedCustomer) -> set[int]:
    """The enrollments that one of the questions just answered belongs to."""
    messages = {
        item.data.get("message_id") for item in loaded.inbox if item.data.get("outcome") == "answered"
    }
    return {message.enrollment_id for message in loaded.messages if message.id in messages}


def _may_convert(published: PublishedPlaybook, row: Any, now: datetime) -> bool:
    """Whether a goal reached now would still count for an enrollment that is over."""
    goal = published.playbook.goal
    return goal is not None and row.state is not None and row.entered_at + goal.within.span >= now


def _message(row: Row[Any]) -> MessageRow:
    last = None
    if row.last_policy is not None:
        last = LastVerdict(
            asked=row.last_asked,
            channel=row.last_channel,
            policy=row.last_policy,
            verdict=row.last_verdict,
            until=row.last_until,
            why=row.last_why,
        )
    return MessageRow(
        customer_id=row.customer_id,
        id=row.id,
        enrollment_id=row.enrollment_id,
        playbook_id=row.playbook_id,
        playbook=row.playbook,
        step=row.step,
        visit=row.visit,
        kind=row.kind,
        channels=tuple(row.channels),
        channel=row.channel,
        topic=row.topic,
        promotional=row.promotional,
        priority=row.priority,
        held_out=row.held_out,
        planned_at=row.planned_at,
        give_up_at=row.give_up_at,
        provider=row.dispatch_provider or row.provider or "",
        expires_at=row.expires_at,
        status=row.status,
        reason=row.reason,
        attempt=row.attempt,
        mark=row.mark,
        handed_at=row.handed_at,
        sent_at=row.sent_at,
        settled_at=row.settled_at,
        provider_id=row.provider_id,
        address_hash=row.address_hash,
        code=row.code,
        responses=dict(row.responses),
        due_at=row.dispatch_due_at,
        free_at=row.dispatch_free_at,
        dispatched=row.dispatch_due_at is not None,
        in_feed=row.in_feed,
        seen=row.feed_seen_at is not None,
        verdict_seq_stored=row.verdict_seq or 0,
        last_verdict=last,
    )


def _inbox_row(row: Row[Any]) -> InboxRow:
    return InboxRow(
        id=row.id,
        kind=row.kind,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        data=row.data,
    )


def _cooldown(row: Row[Any]) -> ActiveCooldown:
    return ActiveCooldown(
        scope=row.scope,
        scope_value=row.scope_value,
        reason=row.reason,
        ends_at=row.ends_at,
        enrollment_id=row.enrollment_id,
        visit=row.visit,
    )


def _place(row: Row[Any]) -> CapSlot:
    return CapSlot(handed_at=row.handed_at, channel=row.channel, topic=row.topic)
