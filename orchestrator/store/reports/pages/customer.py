"""One customer as the API and the dashboard show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from orchestrator.errors import NotFound
from orchestrator.ids import ENROLLMENT, public_id
from orchestrator.records.consent import Consent
from orchestrator.records.customer import Customer
from orchestrator.records.timeline import Timeline
from orchestrator.store import consents, customers, sandbox
from orchestrator.store.reports.pages.feed_cards import FeedCard, cards
from orchestrator.store.reports.timeline import customer_timeline
from orchestrator.store.sandbox import SandboxMessage
from orchestrator.store.sql import tables as t

_ENROLLMENTS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedEnrollment:
    """One way of the customer through a playbook. ``id`` is public."""

    id: str
    playbook: str
    version: int
    step: str
    entered_at: datetime
    ended_at: datetime | None
    end_status: str | None
    held_out: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerProfile:
    """What is known now. ``enrollments`` are the latest hundred, the latest first."""

    customer: Customer
    consents: Sequence[Consent]
    enrollments: Sequence[ListedEnrollment]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownCooldown:
    """A cooldown in force."""

    scope: str
    scope_value: str
    reason: str
    ends_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownHold:
    """A hold that is open."""

    name: str
    opened_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerStory:
    """What happened, and what stands in the way now."""

    customer: Customer
    timeline: Timeline
    consents: Sequence[Consent]
    cooldowns: Sequence[ShownCooldown]
    holds: Sequence[ShownHold]


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerInbox:
    """What the sandbox kept for a customer, newest first, and the items of their feed, past ones included."""

    customer: Customer
    kept: Sequence[SandboxMessage]
    cards: Sequence[FeedCard]


def found(connection: Connection, key: str) -> Customer:
    """The customer with the product's key. Raises NotFound, also for an erased one."""
    customer = customers.find(connection, key)
    if customer is None:
        raise NotFound("customer", key)
    return customer


def profile(connection: Connection, key: str) -> CustomerProfile:
    """Raises NotFound. Four statements."""
    customer = found(connection, key)
    rows = connection.execute(
        select(t.enrollments, t.playbooks.c.version)
        .join(t.playbooks, t.playbooks.c.id == t.enrollments.c.playbook_id)
        .where(t.enrollments.c.customer_id == customer.id)
        .order_by(t.enrollments.c.entered_at.desc(), t.enrollments.c.id.desc())
        .limit(_ENROLLMENTS)
    )
    return CustomerProfile(
        customer=customer,
        consents=consents.present(connection, customer.id),
        enrollments=[
            ListedEnrollment(
                id=public_id(ENROLLMENT, row.customer_id, row.id),
                playbook=row.playbook,
                version=row.version,
                step=row.step,
                entered_at=row.entered_at,
                ended_at=row.ended_at,
                end_status=row.end_status,
                held_out=row.held_out,
            )
            for row in rows
        ],
    )


def story(connection: Connection, key: str, now: datetime) -> CustomerStory:
    """Raises NotFound. A fixed number of statements."""
    customer = found(connection, key)
    cooldowns = connection.execute(
        select(t.cooldowns).where(
            t.cooldowns.c.customer_id == customer.id,
            t.cooldowns.c.lifted_at.is_(None),
            t.cooldowns.c.ends_at > now,
            t.cooldowns.c.shadow.is_(False),
        )
    )
    holds = connection.execute(
        select(t.holds).where(t.holds.c.customer_id == customer.id, t.holds.c.closed_at.is_(None))
    )
    return CustomerStory(
        customer=customer,
        timeline=customer_timeline(connection, customer.id),
        consents=consents.present(connection, customer.id),
        cooldowns=[
            ShownCooldown(
                scope=row.scope, scope_value=row.scope_value, reason=row.reason, ends_at=row.ends_at
            )
            for row in cooldowns
        ],
        holds=[ShownHold(name=row.name, opened_at=row.opened_at, ends_at=row.ends_at) for row in holds],
    )


def inbox(connection: Connection, key: str, now: datetime) -> CustomerInbox:
    """Raises NotFound."""
    customer = found(connection, key)
    return CustomerInbox(
        customer=customer,
        kept=sandbox.inbox(connection, key),
        cards=cards(connection, customer.id, now),
    )
