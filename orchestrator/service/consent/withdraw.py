"""Withdrawals stand alone: a transaction of their own that reads contact points, ledger and planned messages.

Nothing a customer's facts, inbox, enrollments or playbooks can hold keeps a withdrawal from being in force: none of
them is read. It appends the ledger row, settles every planned message in its scope over all playbooks and channels,
and takes unseen in-app messages out of the feed. The enrollments hear of it in the next batch that takes the customer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from orchestrator.core.consent.scope import TRACKING, is_closed
from orchestrator.errors import Contended, NotFound, Unavailable
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.records.consent import (
    WITHDRAWAL_EFFECT,
    Consent,
    ConsentHolder,
    NewConsentRow,
)
from orchestrator.records.preferences import OptOutReceipt, Stopped, StopScope
from orchestrator.service.consent.ledger_rows import ConsentScope, ledger_row
from orchestrator.service.context import ServiceContext
from orchestrator.service.intake.validate import check_scope
from orchestrator.service.ports import Transaction
from orchestrator.telemetry import emit

AT_ONCE = 100  # withdrawals of one transaction

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawal:
    """One customer's no."""

    customer_id: int
    scope: ConsentScope


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recorded:
    """A withdrawal whose ledger row is made."""

    place: int
    holder: ConsentHolder
    scope: ConsentScope
    row: NewConsentRow | None  # None: it is in force already

    def repeated(self, new: Collection[tuple[int, str]]) -> bool:
        """Whether the same source has said so before, and a yes has taken it back since."""
        return self.row is not None and (self.row.customer_id, self.row.source_id) not in new

    def stop_scope(self) -> StopScope:
        return StopScope(
            customer_id=self.holder.customer_id,
            channel=self.scope.channel,
            topic=self.scope.topic,
            news=self.row is not None,
        )


def withdraw(
    services: ServiceContext, customer_key: str, scope: ConsentScope, *, named: bool
) -> OptOutReceipt:
    """One withdrawal, waiting for the customer's lock. ``named``: the caller named the scope, perhaps one there is not.

    Raises NotFound, Contended when the lock does not come, InputError for a scope that there is not.
    """
    return _patiently(services, lambda: _alone(services, customer_key, scope, named=named))


def withdraw_each(services: ServiceContext, withdrawals: Sequence[Withdrawal]) -> dict[int, Exception]:
    """All of them, whatever becomes of single ones: what failed, by its place.

    Those whose customers are free share transactions; each of the others waits for its lock, until one has waited in
    vain: the rest is then only tried. Raises Unavailable for an outage: the same call may then be repeated.
    """
    failed: dict[int, Exception] = {}
    patient = True
    for some in _portions(dict(enumerate(withdrawals))):
        done = _tried(services, some)
        for place, withdrawal in some.items():
            if place in done:
                continue
            try:
                if patient:
                    _patiently(services, partial(_together, services, {place: withdrawal}, wait=True))
                elif not _together(services, {place: withdrawal}, wait=False):
                    failed[place] = Contended("somebody else holds this customer; trying again may help")
            except Contended as error:
                failed[place], patient = error, False
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is about this one
                failed[place] = error
    return failed


def stop(
    transaction: Transaction, scopes: Sequence[StopScope], now: datetime, policy: AccountPolicy
) -> list[Stopped]:
    """What locked customers' withdrawals stop, in their order; tracking is a purpose, and stops no message."""
    notices = [topic.name for topic in policy.topics if not topic.promotional]
    stopping = [one for one in scopes if one.topic != TRACKING]
    stopped = iter(transaction.withdrawals.stop(stopping, now, notices=notices))
    return [Stopped() if one.topic == TRACKING else next(stopped) for one in scopes]


def revocation(
    holder: ConsentHolder, policy: AccountPolicy, scope: ConsentScope, now: datetime
) -> NewConsentRow:
    """The ledger row of a no that is heard now. It says what a withdrawal cannot do."""
    details = {**scope.evidence.details, "effect": WITHDRAWAL_EFFECT}
    return ledger_row(
        holder,
        policy,
        action="revoked",
        channel=scope.channel,
        topic=scope.topic,
        evidence=replace(scope.evidence, details=details),
        now=now,
        source_id=scope.source_id,
    )


def _tried(services: ServiceContext, some: dict[int, Withdrawal]) -> set[int]:
    """The places of those that could be recorded together: none when one of them fails the transaction."""
    try:
        return set(_together(services, some, wait=False))
    except Contended:
        return set()
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - each is tried alone now
        emit("batch.failed", task="withdraw", customers=len(some), error=type(error).__name__)
        return set()


def _patiently(services: ServiceContext, act: Callable[[], Result]) -> Result:
    """With locks that wait; a second time where a process that was stopped held one."""
    try:
        return act()
    except Contended:
        with services.store.begin() as transaction:
            ended = transaction.claims.end_silent()
        if not ended:
            raise
        return act()


def _alone(services: ServiceContext, customer_key: str, scope: ConsentScope, *, named: bool) -> OptOutReceipt:
    with services.store.begin() as transaction:
        customer_id = transaction.withdrawals.lock_key(customer_key)
        policy = transaction.policy()
        if named:
            check_scope(policy, scope.channel, scope.topic)
        if customer_id is None:
            raise NotFound("customer", customer_key)
        withdrawal = Withdrawal(customer_id=customer_id, scope=scope)
        done = _carry_out(transaction, {0: withdrawal}, [customer_id], policy)
    (receipt,) = _told(done).values()
    return receipt


def _together(
    services: ServiceContext, withdrawals: Mapping[int, Withdrawal], *, wait: bool
) -> dict[int, OptOutReceipt]:
    """One transaction: the receipts of those whose customer exists and, without ``wait``, is free."""
    with services.store.begin() as transaction:
        ids = transaction.withdrawals.lock({one.customer_id for one in withdrawals.values()}, wait=wait)
        done = _carry_out(transaction, withdrawals, ids, transaction.policy())
    return _told(done)


def _carry_out(
    transaction: Transaction,
    withdrawals: Mapping[int, Withdrawal],
    locked: Collection[int],
    policy: AccountPolicy,
) -> list[tuple[_Recorded, OptOutReceipt]]:
    """The withdrawals of locked customers, who may have been erased."""
    now = transaction.instants().business
    recorded = [
        one
        for holder in transaction.withdrawals.holders(locked, now)
        for one in _record(holder, _of(withdrawals, holder.customer_id), policy, now)
    ]
    new = transaction.consents.append([one.row for one in recorded if one.row is not None])
    in_force = [one for one in recorded if not one.repeated(new)]
    stopped = stop(transaction, [one.stop_scope() for one in in_force], now, policy)
    found = {one.place: what for one, what in zip(in_force, stopped, strict=True)}
    return [
        (
            one,
            OptOutReceipt(
                customer=one.holder.key,
                channel=one.scope.channel,
                topic=one.scope.topic,
                effective_at=now,
                already=one.row is None or one.repeated(new),
                messages=found.get(one.place, Stopped()).messages,
                ended_playbooks=found.get(one.place, Stopped()).ended_playbooks,
            ),
        )
        for one in recorded
    ]


def _record(
    holder: ConsentHolder,
    withdrawals: Iterable[tuple[int, ConsentScope]],
    policy: AccountPolicy,
    now: datetime,
) -> Iterator[_Recorded]:
    """Each of one customer's withdrawals, in their order: what one has said needs not be said again."""
    said = list(holder.consents)
    for place, scope in withdrawals:
        row = None
        if not is_closed(said, scope.channel, scope.topic, now):
            row = revocation(holder, policy, scope, now)
            said.append(
                Consent(channel=scope.channel, topic=scope.topic, granted=False, basis="express", since=now)
            )
        yield _Recorded(place=place, holder=holder, scope=scope, row=row)


def _of(withdrawals: Mapping[int, Withdrawal], customer_id: int) -> list[tuple[int, ConsentScope]]:
    return [(place, one.scope) for place, one in withdrawals.items() if one.customer_id == customer_id]


def _portions(withdrawals: dict[int, Withdrawal]) -> Iterator[dict[int, Withdrawal]]:
    places = sorted(withdrawals)
    for start in range(0, len(places), AT_ONCE):
        yield {place: withdrawals[place] for place in places[start : start + AT_ONCE]}


def _told(done: Sequence[tuple[_Recorded, OptOutReceipt]]) -> dict[int, OptOutReceipt]:
    """The receipts by place, told when they are committed."""
    for one, receipt in done:
        emit(
            "opt_out.recorded",
            customer_id=one.holder.customer_id,
            channel=receipt.channel,
            topic=receipt.topic,
            method=one.scope.evidence.method,
            cancelled=sum(message.status == "cancelled" for message in receipt.messages),
            withdrawn=sum(message.status == "withdrawn" for message in receipt.messages),
        )
    return {one.place: receipt for one, receipt in done}
