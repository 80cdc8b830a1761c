"""Why each message was, or was not, sent: the one answer that every door gives.

The customer's page, ``orchestrator explain``, the HTTP API and the export show what stands here and add nothing of
their own. A guardrail's sentence is the one it gave when it was asked; what came later (the provider, the customer, the
end of patience) is told from the message itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from orchestrator.core.machine.reasons import PATIENCE_OVER, PROVED_BY, guardrail_behind
from orchestrator.ids import ENROLLMENT, MESSAGE, public_id
from orchestrator.records.timeline import Explanation, PolicyAnswer
from orchestrator.store.reports import timeline_sentences


def explain(message: Row[Any], verdicts: Sequence[Row[Any]], feed_item: Row[Any] | None) -> Explanation:
    """``verdicts`` are the message's own, oldest first; ``feed_item`` is what an in-app message became."""
    last = verdicts[-1] if verdicts else None
    taken_away = taken_away_at(feed_item)
    policy, why = _why(message, verdicts, taken_away=taken_away is not None)
    settled = message.sent_at if message.status == "sent" else message.settled_at or message.handed_at
    asked = last.last_at if last is not None else message.planned_at
    return Explanation(
        message_id=public_id(MESSAGE, message.customer_id, message.id),
        enrollment_id=public_id(ENROLLMENT, message.customer_id, message.enrollment_id),
        playbook=message.playbook,
        step=message.step,
        kind=message.kind,
        channel=message.channel,
        status=message.status,
        policy=policy,
        why=why,
        planned_at=message.planned_at,
        at=taken_away or settled or asked,
        answers=tuple(_answer(row) for row in verdicts),
    )


def taken_away_at(feed_item: Row[Any] | None) -> datetime | None:
    """When an in-app message that nobody had seen was taken out of the feed."""
    at: datetime | None = None
    if feed_item is not None and feed_item.seen_at is None:
        at = feed_item.withdrawn_at
    return at


def _why(message: Row[Any], verdicts: Sequence[Row[Any]], *, taken_away: bool) -> tuple[str | None, str]:
    """The guardrail that decided, and the sentence. Every status of a message has its own."""
    last = verdicts[-1] if verdicts else None
    provider = message.provider or "the provider"
    match message.status:
        case "planned" if last is not None and last.verdict == "defer":
            return last.policy, f"waiting: {last.why}{timeline_sentences.how_often(verdicts)}"
        case "planned":
            again = " again" if message.attempt else ""
            return None, f"waiting to be handed to {provider}{again}: every policy allows it"
        case "handing_over":
            return None, f"being handed to {provider} now"
        case "sent":
            return _sent(message, verdicts, taken_away=taken_away)
        case "uncertain":
            return (
                None,
                f"perhaps sent: {message.reason}; it is not sent again before the provider has told more",
            )
        case "abandoned":
            return None, f"perhaps sent: {message.reason}; it is not sent again"
        case "held_out" | "not_sent" if last is not None and message.reason != PATIENCE_OVER:
            on_purpose = ", on purpose" if message.status == "held_out" else ""
            return last.policy, f"not sent{on_purpose}: {last.why}"
        case "refused":
            return None, f"not sent: {_refused(message, provider)}"
        case _:
            return _given_up(message, verdicts)


def _sent(message: Row[Any], verdicts: Sequence[Row[Any]], *, taken_away: bool) -> tuple[str | None, str]:
    reason: str = message.reason or ""
    allowed = (verdicts[-1].why if verdicts else "every policy allows it") + _waited(verdicts)
    if taken_away:
        policy, said = guardrail_behind(reason or "the step was left")
        return policy, f"sent: {allowed}; taken out of the feed before it was seen: {said}"
    if reason.startswith(PROVED_BY):
        reported = reason.removeprefix(PROVED_BY).replace("_", " ")
        return None, f"sent: {message.provider} did not answer at first, and then reported '{reported}'"
    return None, f"sent: {allowed}"


def _waited(verdicts: Sequence[Row[Any]]) -> str:
    """What held it back last before it might go out."""
    deferred = [place for place, row in enumerate(verdicts, start=1) if row.verdict == "defer"]
    if not deferred:
        return ""
    until_then = verdicts[: deferred[-1]]
    return f"; before that it waited: {until_then[-1].why}{timeline_sentences.how_often(until_then)}"


def _refused(message: Row[Any], provider: str) -> str:
    if message.code == "template":
        return f"it could not be written, and {provider} was not asked: {message.reason}"
    code = f" ({message.code})" if message.code and message.code != message.reason else ""
    return f"{provider} refused it: {message.reason or 'it gave no reason'}{code}"


def _given_up(message: Row[Any], verdicts: Sequence[Row[Any]]) -> tuple[str | None, str]:
    """It was planned and is not to be sent any more, though no guardrail dropped it."""
    if message.reason == PATIENCE_OVER:
        return _out_of_patience(message, verdicts)
    policy, said = guardrail_behind(message.reason or "no reason was kept")
    return policy, f"not sent: {said}"


def _out_of_patience(message: Row[Any], verdicts: Sequence[Row[Any]]) -> tuple[str | None, str]:
    last = verdicts[-1] if verdicts else None
    ended = f"its patience was over at {timeline_sentences.instant(message.give_up_at)}"
    if last is None or last.verdict != "defer":
        return (
            None,
            f"not sent: {ended}, and {message.provider or 'the provider'} had not taken it until then",
        )
    return last.policy, f"not sent: {ended}; until then: {last.why}{timeline_sentences.how_often(verdicts)}"


def _answer(row: Row[Any]) -> PolicyAnswer:
    values = row._mapping  # noqa: SLF001 - `row.count` is what every tuple has
    return PolicyAnswer(**{field.name: values[field.name] for field in fields(PolicyAnswer)})
