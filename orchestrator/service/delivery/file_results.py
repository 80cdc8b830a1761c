"""Files what became of hand-overs: receipts first and always, then the message, the walk and its timer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels.base import Handed, Outgoing, Result
from orchestrator.core.customer_state import MessageRow, Walker, Work
from orchestrator.core.machine.events import ConsentWithdrawn, Fate, Settled
from orchestrator.core.policies.request import Consent
from orchestrator.service.delivery.authorise import SETTLE, Job
from orchestrator.service.enrollment.apply_commands import settle
from orchestrator.service.enrollment.apply_events import Fold
from orchestrator.service.enrollment.batch import Ground, in_batch, these
from orchestrator.service.enrollment.recheck import ask_again
from orchestrator.service.ports import Shown, Transaction
from orchestrator.telemetry import emit

AGED = "authorisation_aged"  # the answer of a hand-over that began too late and so made no call
MOST_ATTEMPTS = 6
_FIRST_WAIT, _LONGEST_WAIT = 30.0, 3600.0  # seconds of machine time
_ADDRESS_CHANNELS = ("email", "sms", "whatsapp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One hand-over and its answer; ``outgoing`` is None when the message could not be rendered."""

    job: Job
    handed: Handed
    outgoing: Outgoing | None


def file_outcomes(ground: Ground, outcomes: Sequence[Outcome]) -> None:
    """One transaction for all of them, waiting for the customers' locks: an answer is filed, whatever else happened.

    What fails is tried again customer by customer, at last without the rest of that customer's work. An answer that
    cannot be filed at all is lost: its lease ends, and the message is uncertain.
    """
    by_customer: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        by_customer.setdefault(outcome.job.customer_id, []).append(outcome)
    try:
        _file_all(ground, by_customer)
    except Exception as error:  # noqa: BLE001 - one customer's trouble must not cost the others their answers
        emit("batch.failed", task="file", customers=len(by_customer), error=type(error).__name__)
        for customer_id, some in by_customer.items():
            _file_alone(ground, customer_id, some)


def _file_alone(ground: Ground, customer_id: int, outcomes: list[Outcome]) -> None:
    for bare in (False, True, True):
        try:
            _file_all(ground, {customer_id: outcomes}, bare=bare)
            return
        except Exception as error:  # noqa: BLE001 - the last word is the log's
            emit("batch.failed", task="file", customers=1, error=type(error).__name__)


def _file_all(ground: Ground, by_customer: Mapping[int, list[Outcome]], *, bare: bool = False) -> None:
    withdrawn: list[dict[str, Any]] = []
    shown: list[Shown] = []

    def folding(fold: Fold, work: Work) -> None:
        if not bare:
            fold.inbox(work)
        for outcome in by_customer[work.customer_id]:
            _file(fold, work, outcome, withdrawn, shown)
        if not bare:
            fold.timers(work)

    def after(transaction: Transaction, _: Sequence[Work], fold: Fold) -> None:
        transaction.append_consents(withdrawn)
        transaction.show(shown, fold.now)

    in_batch(ground, these(sorted(by_customer)), folding, after=after)


def _file(
    fold: Fold,
    work: Work,
    outcome: Outcome,
    withdrawn: list[dict[str, Any]],
    shown: list[Shown],
) -> None:
    job, handed = outcome.job, outcome.handed
    message = work.message_by_id(job.message_id)
    if message is None:
        return
    work.receipts.append(_receipt(fold, job, handed))
    if handed.result is Result.SENT and outcome.outgoing is not None and not work.erased:
        shown.append(Shown(message=message, outgoing=outcome.outgoing, provider=handed.provider))
    if handed.provider_id is not None and message.provider_id is None:
        message.provider_id, message.changed = handed.provider_id, True
    if message.status not in ("handing_over", "uncertain"):
        return  # a callback was faster
    message.code = handed.code
    fate = _settle(fold, work, message, handed)
    if handed.mark_address and job.channel in _ADDRESS_CHANNELS:
        work.points_invalid[job.channel] = handed.code or "refused"
    walker = work.walkers.get(message.enrollment_id)
    if fate is not None and walker is not None:
        _move(fold, work, walker, message, outcome=(fate, handed))
    elif fate is Fate.TRY_AGAIN:  # the walk has ended since
        settle(message, "withdrawn", fold.now, reason="the step was left before it could be tried again")
    if handed.result is Result.OPTED_OUT:
        _withdraw(fold, work, message, withdrawn)


def _settle(fold: Fold, work: Work, message: MessageRow, handed: Handed) -> Fate | None:
    match handed.result:
        case Result.SENT:
            message.sent_at = fold.now
            settle(message, "sent", fold.now)
            return Fate.SENT
        case Result.UNCERTAIN:
            message.status, message.reason = "uncertain", handed.detail or "the provider did not answer"
            message.free_at = fold.machine + SETTLE
            message.changed = True
            return None
        case Result.TRY_AGAIN if message.attempt < MOST_ATTEMPTS:
            work.freed_places.append(message)
            message.status = "planned"
            message.handed_at = None
            if handed.code == AGED:
                message.attempt -= 1
            message.free_at = fold.machine + timedelta(seconds=_wait(message, handed))
            message.changed = True
            return Fate.TRY_AGAIN
        case Result.OPTED_OUT:
            _give_back(work, message)
            settle(message, "refused", fold.now, reason="the person opted out at the provider")
            return Fate.NOT_SENT
        case _:
            _give_back(work, message)
            settle(message, "refused", fold.now, reason=handed.detail or handed.code)
            bounced = handed.mark_address and message.channel in _ADDRESS_CHANNELS
            return Fate.BOUNCED if bounced else Fate.FAILED


def _give_back(work: Work, message: MessageRow) -> None:
    """The place under the caps that this message took and did not need: others may be waiting for it."""
    work.freed_places.append(message)
    ask_again(work, "frequency_cap")


def _move(
    fold: Fold, work: Work, walker: Walker, message: MessageRow, *, outcome: tuple[Fate, Handed]
) -> None:
    fate, handed = outcome
    settled = Settled(
        visit=message.visit, fate=fate, at=fold.now, channel=message.channel, answer=handed.answer
    )
    if walker.run.state.live:
        fold.apply(work, walker, settled)
    if fate is Fate.TRY_AGAIN and (not walker.run.state.live or walker.run.state.visit != message.visit):
        settle(message, "withdrawn", fold.now, reason="the step was left before it could be tried again")


def _withdraw(fold: Fold, work: Work, message: MessageRow, withdrawn: list[dict[str, Any]]) -> None:
    """The provider knows of an opt-out we did not: it goes into our ledger, and everything on that channel stops."""
    withdrawn.append(
        {
            "customer_id": work.customer_id,
            "source_id": f"provider:{message.id}",
            "action": "revoked",
            "channel": message.channel,
            "topic": "*",
            "basis": "express",
            "method": "provider_sync",
            "source": message.provider,
            "actor": "provider",
            "occurred_at": fold.now,
            "recorded_at": fold.now,
        }
    )
    work.consents.append(
        Consent(channel=message.channel, topic="*", granted=False, basis="express", since=fold.now)
    )
    fold.everyone(work, ConsentWithdrawn(channel=message.channel, topic="*"))


def _receipt(fold: Fold, job: Job, handed: Handed) -> dict[str, Any]:
    facts = {"provider": handed.provider, "code": handed.code, "attempt": job.attempt}
    return {
        "customer_id": job.customer_id,
        "message_id": job.message_id,
        "source_id": f"hand_over:{job.attempt}:{fold.machine.isoformat()}",
        "word": handed.result.value,
        "occurred_at": fold.now,
        "received_at": fold.now,
        "data": {name: value for name, value in facts.items() if value is not None},
    }


def _wait(message: MessageRow, handed: Handed) -> float:
    """Seconds until the next try: what the provider asked for, else doubling with a jitter of the message's own."""
    if handed.retry_after is not None:
        return handed.retry_after
    ceiling: float = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (message.attempt - 1))
    digest = hashlib.sha256(f"{message.customer_id}:{message.id}:{message.attempt}".encode()).digest()
    return ceiling * (0.5 + int.from_bytes(digest[:4], "big") / 2**33)
