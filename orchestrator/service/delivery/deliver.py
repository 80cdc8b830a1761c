"""Delivers due messages: mark and commit, hand over outside any transaction, file what is known.

Between the commit of the mark and the filing a crash leaves the message being handed over; its lease then ends and it
is uncertain, never sent again blindly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from channels.base import Channel, OutboundMessage, SendResult, SendStatus
from orchestrator.clock import monotonic
from orchestrator.core.customer_state import CustomerState
from orchestrator.metrics import measured_send
from orchestrator.records.drain import Drained
from orchestrator.service.context import Claim, ServiceContext, alone
from orchestrator.service.delivery.authorise import AuthorisedSend, authorise_messages, tell_ended_leases
from orchestrator.service.delivery.compose import LinkWriter, compose
from orchestrator.service.delivery.file_results import (
    AGED,
    BREAKER_OPEN,
    NOT_CALLED,
    CompletedSend,
    file_results,
)
from orchestrator.service.delivery.provider_gates import ProviderAllowance, ProviderGates, Remaining
from orchestrator.service.enrollment.advance import NO_CRASHES
from orchestrator.service.enrollment.apply_events import apply_events
from orchestrator.service.enrollment.take_apart import take_apart
from orchestrator.service.rendering.render import Renderer, RenderFailed
from orchestrator.telemetry import emit

SLOW = 3.0  # seconds of one call worth a line in the log
AUTHORISED_FOR = 2.0  # seconds a mark is good for before policies must be asked again


@dataclass(kw_only=True)
class AdaptiveBatchSize:
    """How many hand-overs are marked at once: as many as begin before their mark is too old, and no fewer than the
    threads of the pool."""

    threads: int
    most: int

    def learn(self, *, aged: bool) -> None:
        """Halve when a mark grew too old, else grow by as many as there are threads."""
        self.most = max(self.threads, self.most // 2) if aged else self.most + self.threads


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What handing over needs besides the ground: adapters, templates, links, and how many at once.

    Without a ``pool`` the calling thread hands over, one after the other: simulations are deterministic that way.
    ``url_for`` is the address of channels that reach a system and not the customer.
    """

    services: ServiceContext
    channel_for: Callable[[str], Channel]
    renderer: Callable[[], Renderer]
    links: LinkWriter
    gates: ProviderGates
    url_for: Callable[[str], str | None]
    pool: ThreadPoolExecutor | None
    pace: AdaptiveBatchSize

    def deliver(self, *, limit: int) -> Drained:
        """One batch: claim, mark, hand over, file.

        A batch that cannot be marked is taken apart as :func:`take_apart` says.
        """
        renderer = self.renderer()  # before anything is marked: what fails here has marked nothing
        most = min(limit, self.pace.most)
        allowance = self.gates.admit(self._waiting, limit=most)
        try:
            return self._batch(allowance, renderer, most)
        finally:
            allowance.close()

    def _waiting(self, providers: Sequence[str], limit: int) -> Mapping[str, int]:
        with self.services.store.begin() as transaction:
            instants = transaction.instants()
            return transaction.claims.count_messages(
                now=instants.business, machine=instants.machine, providers=providers, limit=limit
            )

    def _batch(self, allowance: ProviderAllowance, renderer: Renderer, most: int) -> Drained:
        claim = Claim(
            lock=lambda transaction, instants: transaction.claims.with_messages(
                now=instants.business, machine=instants.machine, capacity=allowance.capacity, limit=most
            )
        )
        sent = self._apart(claim, renderer, allowance, NO_CRASHES)
        if not claim.ids:
            return Drained(again_in=allowance.again_in)
        return Drained(customers=len(claim.ids), messages=sent, more=True)

    def alone(self, customer_id: int, *, crash_count: int) -> None:
        """Everything that is due of one customer, with whom in hand so many processes died."""
        renderer = self.renderer()
        allowance = self.gates.admit(self._waiting, limit=1)
        try:
            self._apart(alone(customer_id), renderer, allowance, {customer_id: crash_count})
        finally:
            allowance.close()

    def _apart(
        self, claim: Claim, renderer: Renderer, allowance: ProviderAllowance, crash_count: Mapping[int, int]
    ) -> int:
        """Mark whom ``claim`` takes and hand over, in parts where the whole fails; how many messages went out."""

        def authorise(part: Claim) -> tuple[bool, list[AuthorisedSend]]:
            return part is claim, self._authorise(part, allowance.remaining(), crash_count)

        sent = 0
        for whole, authorised in take_apart(self.services, claim, authorise, task="deliver"):
            allowance.spend(one.provider for one in authorised)
            if whole:
                allowance.close()  # others need not wait for what is on the wire
            self._hand_over(authorised, renderer, allowance)
            sent += len(authorised)
        return sent

    def _authorise(
        self, claim: Claim, remaining: Remaining, crash_count: Mapping[int, int]
    ) -> list[AuthorisedSend]:
        """The transaction that marks hand-overs; what it answers is committed and may be handed over."""

        def decide(customer: CustomerState) -> list[AuthorisedSend]:
            apply_events(customer, batch)
            return authorise_messages(customer, remaining, batch)

        with self.services.batch(claim, crash_count=crash_count) as batch:
            authorised = batch.fold(decide)
            batch.save()
        tell_ended_leases(batch.customers)
        return [one for some in authorised for one in some]

    def _hand_over(
        self, jobs: Sequence[AuthorisedSend], renderer: Renderer, allowance: ProviderAllowance
    ) -> None:
        """What is marked, handed over at once: the mark is fresh for two seconds only."""
        if not jobs:
            return
        marked = monotonic()
        if self.pool is None:
            outcomes = [self._one(job, renderer, marked) for job in jobs]
        else:
            outcomes = list(self.pool.map(lambda job: self._one(job, renderer, marked), jobs))
        self.pace.learn(aged=any(one.handed.code == AGED for one in outcomes))
        allowance.refund(one.job.provider for one in outcomes if one.handed.code in NOT_CALLED)
        file_results(self.services, outcomes)
        answers = Counter(one.handed.result for one in outcomes)
        emit(
            "batch.delivered",
            customers=len({job.customer_id for job in jobs}),
            sent=answers[SendStatus.SENT],
            refused=answers[SendStatus.REFUSED] + answers[SendStatus.OPTED_OUT],
            uncertain=answers[SendStatus.UNCERTAIN],
            try_again=answers[SendStatus.TRY_AGAIN],
            seconds=round(monotonic() - marked, 3),
        )

    def _one(self, job: AuthorisedSend, renderer: Renderer, marked: float) -> CompletedSend:
        channel = self.channel_for(job.channel)
        outgoing: OutboundMessage | None = None
        try:
            outgoing = compose(job, renderer, self.links)
            url = self.url_for(job.channel)
            if url is not None:
                outgoing = replace(outgoing, address=url)
        except Exception as error:  # noqa: BLE001 - one message that cannot be written costs no other
            reason = error.reason if isinstance(error, RenderFailed) else type(error).__name__
            handed = SendResult(
                result=SendStatus.REFUSED, provider=channel.provider, code="template", detail=reason
            )
            return CompletedSend(job=job, handed=handed, outgoing=None)
        if self.pool is not None and monotonic() - marked > AUTHORISED_FOR:
            return _not_called(job, outgoing, channel.provider, AGED)
        if not self.gates.may_call(channel.provider):
            return _not_called(job, outgoing, channel.provider, BREAKER_OPEN)
        called = monotonic()
        try:
            handed = measured_send(channel, outgoing)
        except Exception as error:  # noqa: BLE001 - an adapter that breaks its promise may have sent it
            handed = SendResult(
                result=SendStatus.UNCERTAIN,
                provider=channel.provider,
                code="adapter",
                detail=type(error).__name__,
            )
        seconds = monotonic() - called
        if seconds > SLOW:
            emit("provider.slow", provider=channel.provider, seconds=round(seconds, 3))
        self.gates.report(handed)
        return CompletedSend(job=job, handed=handed, outgoing=outgoing)


def _not_called(job: AuthorisedSend, outgoing: OutboundMessage, provider: str, code: str) -> CompletedSend:
    """A mark that is given back: the message waits as before, without having used an attempt."""
    handed = SendResult(result=SendStatus.TRY_AGAIN, provider=provider, code=code, retry_after=0.0)
    return CompletedSend(job=job, handed=handed, outgoing=outgoing)
