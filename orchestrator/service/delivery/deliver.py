"""Moves customers: one transaction for many of them, then the calls it allowed, then what the providers said.

A message that may leave is marked and committed, its provider is called outside any transaction, and the answer is
filed together with the customer's next step. Between the commit of the mark and the filing a crash leaves the message
being handed over; its lease then ends and it is uncertain, never sent again blindly.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from math import inf
from types import MappingProxyType

from channels.base import (
    LOCAL_PROVIDERS,
    Channel,
    OutboundMessage,
    SendResult,
    SendStatus,
    begin_within,
)
from orchestrator.clock import monotonic
from orchestrator.core.customer_state import CustomerState
from orchestrator.errors import Contended, Unavailable
from orchestrator.metrics import measured_send
from orchestrator.records.drain import Drained
from orchestrator.service.context import Claim, ServiceContext, alone, those_free_of
from orchestrator.service.delivery.authorise import AuthorisedSend, SendOrder, tell_ended_leases
from orchestrator.service.delivery.batch_size import BatchSize
from orchestrator.service.delivery.compose import LinkWriter, compose
from orchestrator.service.delivery.file_results import (
    AGED,
    BREAKER_OPEN,
    NOT_CALLED,
    CompletedSend,
    tell_filed,
)
from orchestrator.service.delivery.filer import Filer
from orchestrator.service.delivery.lanes import Lane, enrollments_alone, everything
from orchestrator.service.delivery.provider_gates import ProviderAllowance, ProviderGates
from orchestrator.service.delivery.send_pool import PATIENCE, SendPool
from orchestrator.service.delivery.turn import Turns
from orchestrator.service.enrollment.take_apart import take_apart
from orchestrator.service.rendering.render import Renderer
from orchestrator.telemetry import emit

SLOW = 3.0  # seconds of one call worth a line in the log
AUTHORISED_FOR = 2.0  # seconds a mark is good for before policies must be asked again
NO_PLACE_AGAIN_IN = 0.02  # seconds after which a place may be free
NOT_CALLED_AGAIN_IN = 0.1  # seconds until a message whose mark was given back may be marked again
CLOSING_TAKES = 60.0  # seconds a process that ends waits for its last answers
PASSED_OVER = 5  # times a customer is passed over because somebody else holds the lock; then it is waited for
GIVEN_UP = 200  # tries of an answer that cannot be stored and is no outage: its message is uncertain then
NO_CRASHES: Mapping[int, int] = MappingProxyType({})

Answers = Mapping[int, Sequence[CompletedSend]]
"""What providers said, by customer."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What moving customers needs besides the services: adapters, templates, links, and the threads that call.

    Without a ``pool`` the calling thread hands over, one after the other: simulations are deterministic that way.
    ``url_for`` is the address of channels that reach a system and not the customer.
    """

    services: ServiceContext
    channel_for: Callable[[str], Channel]
    renderer: Callable[[], Renderer]
    links: LinkWriter
    gates: ProviderGates
    url_for: Callable[[str], str | None]
    pool: SendPool | None
    _filers: list[Filer] = field(default_factory=list)  # the one of this process, once it is needed
    _size: BatchSize = field(default_factory=BatchSize)

    # --- what workers repeat ----------------------------------------------------------------------------------------

    def work(self, *, limit: int, lane: Lane = everything) -> Drained:
        """One batch of customers with something to do, and the calls it allowed.

        What fails of it is taken apart as :func:`take_apart` says. Raises Unavailable for an outage of the database:
        it is nobody's fault.
        """
        started = monotonic()
        limit = self._at_once(limit)
        with self._allowance(limit) as allowance:
            claim = Claim(lock=lambda open_, now: lane(open_, now, allowance.capacity, limit))
            moved, sent = self._apart(claim, allowance, task="advance")
        if claim.ids:
            seconds = round(monotonic() - started, 3)
            emit("batch.advanced", customers=len(claim.ids), enrollments=moved, seconds=seconds)
        return Drained(
            customers=len(claim.ids),
            messages=sent,
            more=bool(claim.ids),
            again_in=self._again_in(allowance),
        )

    def plan(self, *, limit: int) -> Drained:
        """One batch of inboxes and timers without handing anything over: messages are planned."""
        write = self._compose()
        limit = self._at_once(limit)
        claim = Claim(lock=lambda open_, now: enrollments_alone(open_, now, {}, limit))

        def planned(part: Claim) -> Turns:
            return self._take(part, Turns(compose=write, remaining=None))

        for _ in take_apart(self.services, claim, planned, task="advance"):
            pass
        return Drained(customers=len(claim.ids), more=bool(claim.ids))

    def alone(self, customer_id: int, *, crash_count: int = 0, wait: timedelta | None = None) -> None:
        """Everything that is due of one customer, with whom in hand so many processes died.

        ``wait``: how long to wait for the lock, machine time; None: as long as any statement may.
        """
        with self._allowance(1) as allowance:
            claim = alone(customer_id, wait=wait)
            self._apart(claim, allowance, task="alone", crash_count={customer_id: crash_count})

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is on the wire and every answer is filed; False when that takes longer."""
        ends = monotonic() + seconds
        while self.busy:
            if monotonic() >= ends:
                return False
            if self.pool is not None:
                self.pool.wait_idle(ends - monotonic())
            for filer in self._filers:
                filer.wait_empty(ends - monotonic())
        return True

    @property
    def busy(self) -> bool:
        """Whether anything is on the wire or not filed yet."""
        return self.pool is not None and (not self.pool.idle() or self.backlog > 0)

    @property
    def backlog(self) -> int:
        """Answers of providers that are not filed yet."""
        return sum(filer.backlog for filer in self._filers)

    def close(self) -> int:
        """Let calls under way end and file their answers; how many were given up, and are uncertain."""
        if self.pool is None:
            return 0
        self.settle(CLOSING_TAKES)
        self.pool.close()
        return sum(filer.close() for filer in self._filers)

    # --- transactions -----------------------------------------------------------------------------------------------

    @contextmanager
    def _allowance(
        self, limit: int, *, patience: float = PATIENCE, rated: bool = True
    ) -> Iterator[ProviderAllowance]:
        """What may be handed over, taken before anybody is locked; what is not used is given back."""
        places = limit if self.pool is None else self.pool.reserve(limit, patience=patience)
        unused = places
        try:
            allowance = self.gates.admit(self._waiting, limit=limit, places=places, rated=rated)
            try:
                yield allowance
            finally:
                unused = allowance.places
                allowance.close()
        finally:
            if self.pool is not None:
                self.pool.release(unused)

    def _waiting(self, providers: Sequence[str], limit: int) -> Mapping[str, int]:
        with self.services.store.begin() as transaction:
            instants = transaction.instants()
            return transaction.claims.count_messages(
                now=instants.business, machine=instants.machine, providers=providers, limit=limit
            )

    def _again_in(self, allowance: ProviderAllowance) -> float | None:
        """Seconds until more may leave, when that is soon."""
        if self.pool is not None and self.pool.full():
            return NO_PLACE_AGAIN_IN
        return allowance.again_in

    def _compose(self) -> Callable[[SendOrder], OutboundMessage]:
        renderer = self.renderer()

        def write(order: SendOrder) -> OutboundMessage:
            outgoing = compose(order, renderer, self.links)
            url = self.url_for(order.channel)
            return outgoing if url is None else replace(outgoing, address=url)

        return write

    def _apart(
        self,
        claim: Claim,
        allowance: ProviderAllowance,
        *,
        task: str,
        crash_count: Mapping[int, int] = NO_CRASHES,
    ) -> tuple[int, int]:
        """Whom ``claim`` takes, in parts where the whole fails, and the calls that are allowed; how many enrollments
        moved and how many messages left."""
        write = self._compose()  # what fails here has marked nothing

        def turns(part: Claim) -> tuple[bool, Turns]:
            done = self._take(part, Turns(compose=write, remaining=allowance.remaining()), crash_count)
            return part is claim, done

        moved = sent = 0
        for whole, done in take_apart(self.services, claim, turns, task=task):
            self._allowed(done, allowance, whole=whole)
            moved += done.moved
            sent += len(done.authorised)
        return moved, sent

    def _take(self, claim: Claim, turns: Turns, crash_count: Mapping[int, int] = NO_CRASHES) -> Turns:
        """One transaction; what comes back is committed."""
        with self.services.batch(claim, crash_count=crash_count) as batch:
            taken = len(batch)
            batch.fold(lambda customer: turns.take(customer, batch))
            batch.save()
        self._size.learn(taken=taken, reached=batch.reached)
        tell_ended_leases(batch.customers)
        return turns

    def _at_once(self, limit: int) -> int:
        return limit if self.services.budget is None else self._size.most(limit)

    # --- calls ------------------------------------------------------------------------------------------------------

    def _allowed(self, turns: Turns, allowance: ProviderAllowance, *, whole: bool) -> None:
        """Call the providers of what is committed: the marks are good for two seconds only."""
        allowance.spend(one.provider for one in turns.authorised)
        if whole:
            allowance.close()  # others need not wait for what is on the wire
        if self.pool is None:
            called = [self._call(job, allowance.refund) for job in turns.authorised]
            self._file_at_once([one for one in called if not one.job.settled])
            return
        local: list[CompletedSend] = []
        for job in turns.authorised:
            if job.provider in LOCAL_PROVIDERS:
                local.append(self._call(job, allowance.refund))
            else:
                self.pool.submit(partial(self._call_and_keep, job, allowance.refund))
        if answers := [one for one in local if not one.job.settled]:
            self._filer().add(answers)

    def _call_and_keep(self, job: AuthorisedSend, refund: Callable[[str], None]) -> None:
        self._filer().add([self._call(job, refund)])

    def _call(self, job: AuthorisedSend, refund: Callable[[str], None]) -> CompletedSend:
        channel = self.channel_for(job.channel)
        if self.pool is not None and monotonic() - job.marked > AUTHORISED_FOR:
            handed = _not_called(channel, AGED)
        elif not self.gates.may_call(channel.provider):
            handed = _not_called(channel, BREAKER_OPEN)
        else:
            handed = self._answer(channel, job)
        if handed.code in NOT_CALLED:
            refund(job.provider)
        return CompletedSend(job=job, handed=handed)

    def _answer(self, channel: Channel, job: AuthorisedSend) -> SendResult:
        called = monotonic()
        begins = inf if self.pool is None else job.marked + AUTHORISED_FOR - called
        try:
            with begin_within(begins):
                handed = measured_send(channel, job.outgoing)
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
        return handed

    # --- filing -----------------------------------------------------------------------------------------------------

    def file(self, completed: Sequence[CompletedSend]) -> list[CompletedSend]:
        """One transaction for these answers and the next steps of their customers, then the calls it allowed.

        Gives back what is to be tried again, because somebody else holds the customer. Raises Unavailable.
        """
        answers: dict[int, list[CompletedSend]] = defaultdict(list)
        for one in completed:
            answers[one.job.customer_id].append(one)
        with self._allowance(len(answers), patience=0.0, rated=False) as allowance:
            filed = self._file(answers, allowance)
        return [replace(one, tries=one.tries + 1) for one in completed if one.job.customer_id not in filed]

    def _filer(self) -> Filer:
        if not self._filers:
            self._filers.append(Filer(self.file))
        return self._filers[0]

    def _file_at_once(self, completed: Sequence[CompletedSend]) -> None:
        left = completed
        for _ in range(PASSED_OVER):
            if not left:
                return
            left = self.file(left)

    def _file(self, answers: Answers, allowance: ProviderAllowance) -> set[int]:
        """Of which customers the answers need no further try."""
        filed: set[int] = set()
        claim = those_free_of(sorted(answers))

        def turns(part: Claim) -> Turns:
            return self._file_together(part, answers, allowance)

        for done in take_apart(self.services, claim, turns, task="file", always=True):
            filed.update(done.reached)
            self._allowed(done, allowance, whole=False)
        for customer_id, some in answers.items():
            bare = customer_id in claim.failed or some[0].tries >= PASSED_OVER
            if bare and customer_id not in filed and self._file_alone(customer_id, some):
                filed.add(customer_id)
        return filed

    def _file_together(self, claim: Claim, answers: Answers, allowance: ProviderAllowance) -> Turns:
        started = monotonic()
        turns = Turns(compose=self._compose(), remaining=allowance.remaining())

        def take(customer: CustomerState) -> None:
            turns.take(customer, batch, answers[customer.customer_id])

        with self.services.batch(claim) as batch:
            batch.fold(take, in_time=False)
            batch.save()
            batch.transaction.consents.append(turns.withdrawn)
        tell_ended_leases(batch.customers)
        _tell(batch.customers, answers, seconds=monotonic() - started)
        return turns

    def _file_alone(self, customer_id: int, answers: Sequence[CompletedSend]) -> bool:
        """Waiting for the lock, without the rest of the turn; whether that needs no further try."""
        turns = Turns(compose=self._compose(), remaining=None)
        try:
            with self.services.batch(alone(customer_id)) as batch:
                for customer in batch:
                    turns.file_alone(customer, batch, answers)
                batch.save()
                batch.transaction.consents.append(turns.withdrawn)
        except Contended:
            return False
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the last word is the log's
            emit("batch.failed", task="file", customers=1, error=type(error).__name__)
            return answers[0].tries >= GIVEN_UP
        _tell(batch.customers, {customer_id: answers}, seconds=0.0)
        return True


def _not_called(channel: Channel, code: str) -> SendResult:
    return SendResult(
        result=SendStatus.TRY_AGAIN, provider=channel.provider, code=code, retry_after=NOT_CALLED_AGAIN_IN
    )


def _tell(customers: Sequence[CustomerState], answers: Answers, *, seconds: float) -> None:
    """What a committed filing has to say."""
    told = [one for customer in customers for one in answers[customer.customer_id]]
    for customer in customers:
        for completed in answers[customer.customer_id]:
            tell_filed(customer, completed)
    said = Counter(one.handed.result for one in told)
    emit(
        "batch.delivered",
        customers=len(customers),
        sent=said[SendStatus.SENT],
        refused=said[SendStatus.REFUSED] + said[SendStatus.OPTED_OUT],
        uncertain=said[SendStatus.UNCERTAIN],
        try_again=said[SendStatus.TRY_AGAIN],
        seconds=round(seconds, 3),
    )
