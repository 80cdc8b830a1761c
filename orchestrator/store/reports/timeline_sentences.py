"""The sentences of a timeline: short, in the past tense, with the playbook's own names in quotes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

_ANY = "*"
HAND_OVER = (
    "hand_over:"  # how the receipts of our own hand-overs begin; all others are reports of the provider
)

_WHEN = {
    "planned": "when planned",
    "hand_over": "at the hand-over",
    "both": "when planned, which was the hand-over",
}


def instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def signal(row: Row[Any]) -> str:
    return f"signal '{row.name}'"


def start(row: Row[Any]) -> str:
    arm = ", in the holdout: not contacted" if row.held_out else ""
    reason = f", because {row.because}" if row.because else ""
    return f"entered '{row.playbook}' (by {row.trigger}{arm}){reason}"


def refusal(rows: Sequence[Row[Any]]) -> str:
    """Equal refusals in a row, oldest first."""
    first = rows[0]
    why = first.detail.get("why")
    said = f"{why} ({first.reason})" if why else first.reason
    times = asked(sum(row._mapping["count"] for row in rows), rows[-1].last_at or rows[-1].at)  # noqa: SLF001 - as below
    return f"start of '{first.playbook}' (by {first.trigger}) was refused: {said}{times}"


def not_entered(row: Row[Any]) -> str:
    values = row._mapping  # noqa: SLF001 - `row.count` is what every tuple has
    if row.reason == "colleague":
        said = "a colleague of the same account is asked instead"
    else:
        said = "its condition did not hold"
    times = asked(values["count"], row.last_at)
    return f"signal '{row.trigger}' did not start '{row.playbook}': {said}{times}"


def journal(row: Row[Any]) -> str | None:
    """None for what another entry of the timeline tells already."""
    match row.event:
        case "step_entered":
            return f"reached step '{row.step}'"
        case "step_left":
            return f"left '{row.step}' by {row.outcome}, on to '{row.to_step}'"
        case "ended":
            return f"the walk ended in '{row.step}': {row.outcome}"
        case "late_response":
            return f"{row.outcome} came late: recorded, moves nothing by itself"
        case "start_asked":
            return f"asked to start '{row.to_step}'"
        case "start_held_out":
            return f"would have started '{row.to_step}' (holdout)"
        case "try_again":
            return f"the message of '{row.step}' was not sent yet and will be tried again"
        case "moved":
            return f"the date '{row.step}' waits for has moved"
        case "migrated":
            return f"moved to another version of the playbook, in step '{row.to_step or row.step}'"
        case _:
            return None


def planned(row: Row[Any]) -> str:
    return f"planned {what(row)}"


def message(row: Row[Any]) -> Iterator[tuple[datetime, str]]:
    """The message's own instants after its planning, without what became of it."""
    if row.status == "held_out":
        return
    if row.handed_at is not None and row.code != "template":
        yield row.handed_at, f"handed {what(row)} to {row.provider or 'the provider'}"
    if row.sent_at is not None:
        yield row.sent_at, f"{what(row)} went out"


def verdict(row: Row[Any], message: Row[Any]) -> str:
    about = what(message, channel=row.channel)
    match row.verdict:
        case "allow":
            said = f"{about} may go out: {row.why}"
        case "hold_out":
            said = f"{about} is held out: {row.why}"
        case "defer":
            said = f"{about} is held back by '{row.policy}': {row.why}"
        case _:
            said = f"{about} is dropped by '{row.policy}': {row.why}"
    return f"{said} (asked {_WHEN[row.asked]}{_times(row)})"


def how_often(verdicts: Sequence[Row[Any]]) -> str:
    """How often the last of these was given in a row, at whichever moment it was asked; nothing for a single time."""
    last = verdicts[-1]
    same = [last]
    for row in reversed(verdicts[:-1]):
        if (row.channel, row.policy, row.why) != (last.channel, last.policy, last.why):
            break
        same.append(row)
    count = sum(row._mapping["count"] for row in same)  # noqa: SLF001
    return asked(count, last.last_at, first=same[-1].first_at)


def asked(count: int, last: datetime, *, first: datetime | None = None) -> str:
    if count < 2:
        return ""
    return f"; asked {count} times, {f'first at {instant(first)}, ' if first else ''}last at {instant(last)}"


def _times(row: Row[Any]) -> str:
    count = row._mapping["count"]  # noqa: SLF001
    return f", {count} times, last at {instant(row.last_at)}" if count > 1 else ""


def response(row: Row[Any], outcome: str, answer: str | None) -> str:
    with_what = f" with '{answer}'" if answer is not None else ""
    return f"{what(row)}: {outcome.replace('_', ' ')}{with_what}"


def receipt(row: Row[Any]) -> str:
    if not row.source_id.startswith(HAND_OVER):
        return f"the provider reported: {row.kind.replace('_', ' ')}"
    provider = row.data.get("provider", "the provider")
    code = row.data.get("code")
    match row.kind:
        case "sent":
            return f"{provider} took it"
        case "refused" if code == "template":
            return f"it could not be written, so {provider} was not asked"
        case "refused":
            return f"{provider} refused it{f' ({code})' if code else ''}"
        case "try_again" if code == "authorisation_aged":
            return "the hand-over began too late after the guardrails were asked, and was not made"
        case "try_again":
            return f"{provider} could not take it now{f' ({code})' if code else ''}"
        case "opted_out":
            return f"{provider} refused it: the person opted out there"
        case _:
            return f"{provider} did not say whether it took it"


def consent(row: Row[Any]) -> str:
    topic = "everything" if row.topic == _ANY else f"'{row.topic}'"
    channel = "on every channel" if row.channel == _ANY else f"by {row.channel}"
    verb = {
        "granted": "agreed to",
        "confirmed": "confirmed",
        "revoked": "opted out of",
        "expired": "consent expired for",
        "erased": "consent was erased for",
    }.get(row.action, row.action)
    return f"{verb} {topic} {channel} ({row.method}, {row.source})"


def cooldown(row: Row[Any]) -> Iterator[tuple[datetime, str]]:
    scope = "everything promotional" if row.scope == "everything" else f"{row.scope} '{row.scope_value}'"
    shadow = " (holdout: holds nobody back)" if row.shadow else ""
    yield row.starts_at, f"rest from {scope} until {instant(row.ends_at)}: {row.reason}{shadow}"
    if row.lifted_at is not None:
        yield row.lifted_at, f"rest from {scope} was lifted"


def conversion(row: Row[Any]) -> str:
    worth = f", worth {row.value:g}" if row.value is not None else ""
    return f"goal reached by '{row.event}'{worth}{' (holdout)' if row.held_out else ''}"


def what(row: Row[Any], *, channel: str | None = None) -> str:
    """A message by its channel and step; ``channel`` where it was asked about another than the one it has now."""
    channel = channel or row.channel
    kind = {"send": channel, "ask": f"{channel} question", "handoff": "hand-over", "call": "call"}
    return f"the {kind.get(row.kind, row.kind)} of '{row.step}'"
