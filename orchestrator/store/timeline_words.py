"""The sentences of a timeline: short, in the past tense, with the playbook's own names in quotes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row

_ANY = "*"


def signal(row: Row[Any]) -> str:
    return f"signal '{row.name}'"


def start(row: Row[Any]) -> str:
    arm = ", in the holdout: not contacted" if row.held_out else ""
    reason = f", because {row.because}" if row.because else ""
    return f"entered '{row.playbook}' (by {row.trigger}{arm}){reason}"


def refusal(row: Row[Any]) -> str:
    return f"start of '{row.playbook}' was refused: {row.reason}"


def journal(row: Row[Any]) -> str | None:
    """None for what another entry of the timeline tells already."""
    match row.event:
        case "step_entered":
            return f"reached step '{row.step}'"
        case "step_left":
            return f"left '{row.step}' by {row.word}, on to '{row.to_step}'"
        case "ended":
            return f"the walk ended in '{row.step}': {row.word}"
        case "late_response":
            return f"answered late with {row.word}: recorded, moves nothing by itself"
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
    return f"planned {_what(row)}"


def message(row: Row[Any]) -> Iterator[tuple[datetime, str]]:
    """The message's own instants after its planning: handed over, and what became of it."""
    what = _what(row)
    if row.handed_at is not None and row.status != "held_out":
        yield row.handed_at, f"handed {what} to {row.provider or 'the provider'}"
    if row.sent_at is not None and row.status != "held_out":
        yield row.sent_at, f"{what} went out"
    settled = row.settled_at or row.handed_at
    ending = _ENDINGS.get(row.status)
    if ending is not None and settled is not None:
        yield (
            settled,
            ending.format(what=what) + (f": {row.reason or row.code}" if row.reason or row.code else ""),
        )


_ENDINGS = {
    "held_out": "{what} would have gone out (holdout)",
    "uncertain": "whether {what} went out is not known yet",
    "abandoned": "whether {what} went out will not be known; it is not sent again",
    "not_sent": "{what} was not sent",
    "withdrawn": "{what} was withdrawn",
    "refused": "the provider refused {what}",
}


def verdict(row: Row[Any]) -> str:
    count = row._mapping["count"]  # noqa: SLF001 - `row.count` is what every tuple has
    times = f" ({count} times)" if count > 1 else ""
    until = f", until {row.until:%Y-%m-%d %H:%M} UTC" if row.until is not None else ""
    match row.verdict:
        case "allow":
            said = f"allowed on {row.channel}"
        case "hold_out":
            said = f"held out on {row.channel}"
        case "defer":
            said = f"held back on {row.channel}{until}"
        case _:
            said = f"dropped on {row.channel}"
    return f"{said} by '{row.policy}': {row.why}{times}"


def response(row: Row[Any], word: str) -> str:
    return f"{_what(row)}: {word.replace('_', ' ')}"


def receipt(row: Row[Any]) -> str:
    return f"the provider reported: {row.word.replace('_', ' ')}"


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
    yield row.starts_at, f"rest from {scope} until {row.ends_at:%Y-%m-%d %H:%M} UTC: {row.reason}{shadow}"
    if row.lifted_at is not None:
        yield row.lifted_at, f"rest from {scope} was lifted"


def conversion(row: Row[Any]) -> str:
    worth = f", worth {row.value:g}" if row.value is not None else ""
    return f"goal reached by '{row.event}'{worth}{' (holdout)' if row.held_out else ''}"


def _what(row: Row[Any]) -> str:
    kind = {"send": row.channel, "ask": f"{row.channel} question", "handoff": "hand-over", "call": "call"}
    return f"the {kind.get(row.kind, row.kind)} of '{row.step}'"
