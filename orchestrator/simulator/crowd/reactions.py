"""What a person does with one message: every fate hangs on the seed, the customer and the message's number.

Reactions by email, SMS and chat come back as the receipts a provider's webhook would bring; what happens in the
product's own feed and on the engine's own pages comes back as answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.base import OutboundMessage, Receipt, ReceiptKind
from channels.table import traits_of
from orchestrator.simulator.actions import ActOnMessage, OptOut, What
from orchestrator.simulator.crowd.people import Person
from orchestrator.simulator.personas import Reading
from orchestrator.simulator.seeded_choice import SeededChoice

_MINUTE = timedelta(minutes=1)
_MACHINES_OPEN = 0.25  # mail programs that load pictures before anybody looks
_SCANNERS_CLICK = 0.04
_HANDOVERS_CLOSED = 0.7
_ANSWERS_TO_STOP = ("STOP", "stop please", "Unsubscribe")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reaction:
    """Something done with a message; ``taken`` marks the click after which a person may accept the offer."""

    at: datetime
    what: What
    taken: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedMessage:
    """A message as it reached a person. ``number`` counts this person's; ``endings`` are a hand-over's words."""

    person: Person
    message: OutboundMessage
    number: int
    at: datetime
    endings: tuple[str, ...] = ()


def reactions_to(heard: ReceivedMessage, fates: SeededChoice) -> Iterator[Reaction]:
    if heard.message.kind == "handoff":
        yield from _colleague(heard, fates)
        return
    if heard.message.kind == "call":
        return
    traits = traits_of(heard.message.channel)
    reading = heard.person.persona.reading(heard.message.channel)
    if traits.mailbox:
        if heard.person.bad_email:
            yield Reaction(
                at=heard.at + _MINUTE, what=_receipt(heard, ReceiptKind.BOUNCED, heard.at + _MINUTE)
            )
            return
        yield from _machines(heard, fates)
    if not fates.chance(reading.notices, *_about(heard), "notices"):
        return
    noticed = heard.at + fates.delay(reading.after, *_about(heard), "after")
    if traits.in_feed:
        yield from _in_the_product(heard, reading, noticed, fates)
    else:
        yield from _elsewhere(heard, reading, noticed, fates)


def _in_the_product(
    heard: ReceivedMessage, reading: Reading, at: datetime, fates: SeededChoice
) -> Iterator[Reaction]:
    yield Reaction(at=at, what=_answer(heard, "seen"))
    then = at + fates.delay(2 * _MINUTE, *_about(heard), "then")
    if _is_question(heard):
        if fates.chance(reading.answers, *_about(heard), "answers"):
            yield Reaction(at=then, what=_choice(heard, fates))
    elif fates.chance(reading.clicks, *_about(heard), "clicks"):
        yield Reaction(at=then, what=_answer(heard, "clicked", _link(heard, fates)), taken=True)
    elif fates.chance(reading.complains, *_about(heard), "complains"):
        yield Reaction(at=then, what=_answer(heard, "negative"))
    elif fates.chance(reading.dismisses, *_about(heard), "dismisses"):
        yield Reaction(at=then, what=_answer(heard, "dismissed"))


def _elsewhere(
    heard: ReceivedMessage, reading: Reading, at: datetime, fates: SeededChoice
) -> Iterator[Reaction]:
    about = _about(heard)
    if traits_of(heard.message.channel).reports_opens:
        yield Reaction(at=at, what=_receipt(heard, ReceiptKind.OPENED, at))
    then = at + fates.delay(4 * _MINUTE, *about, "then")
    if fates.chance(reading.opts_out, *about, "opts out"):
        yield Reaction(at=then, what=_stop(heard, then, fates))
    elif fates.chance(reading.complains, *about, "complains"):
        by_mail = traits_of(heard.message.channel).mailbox
        angry = _receipt(heard, ReceiptKind.COMPLAINED, then) if by_mail else _answer(heard, "negative")
        yield Reaction(at=then, what=angry)
    elif _is_question(heard):
        if fates.chance(reading.answers, *about, "answers"):
            yield Reaction(at=then, what=_choice(heard, fates))
    elif fates.chance(reading.clicks, *about, "clicks"):
        link = _link(heard, fates)
        yield Reaction(at=then, what=_receipt(heard, ReceiptKind.CLICKED, then, link=link), taken=True)
    elif fates.chance(reading.replies, *about, "replies"):
        words = fates.one_of(
            ("Could you call me?", "Sounds good, tell me more.", "What does it cost for us?"), *about
        )
        yield Reaction(at=then, what=_receipt(heard, ReceiptKind.REPLIED, then, text=words))


def _machines(heard: ReceivedMessage, fates: SeededChoice) -> Iterator[Reaction]:
    """Mail servers and scanners touch a message within a minute; none of that is a person."""
    at = heard.at + timedelta(seconds=20)
    if fates.chance(_MACHINES_OPEN, heard.person.key, "mail program"):  # the same program opens every message
        yield Reaction(at=at, what=_receipt(heard, ReceiptKind.OPENED_BY_MACHINE, at))
    if fates.chance(_SCANNERS_CLICK, heard.person.account.key, "scanner"):
        yield Reaction(at=at, what=_receipt(heard, ReceiptKind.CLICKED_BY_MACHINE, at))


def _colleague(heard: ReceivedMessage, fates: SeededChoice) -> Iterator[Reaction]:
    """A hand-over ends when a colleague closes it, some days later."""
    if fates.chance(_HANDOVERS_CLOSED, *_about(heard), "closed"):
        at = heard.at + timedelta(hours=4) + fates.delay(timedelta(days=2), *_about(heard), "worked on")
        ending = fates.one_of(heard.endings, *_about(heard), "ending") if heard.endings else None
        yield Reaction(at=at, what=_answer(heard, "closed", ending))


def _stop(heard: ReceivedMessage, at: datetime, fates: SeededChoice) -> What:
    """By SMS a word, by email mostly the link for this topic, sometimes the one for everything."""
    if traits_of(heard.message.channel).opt_out == "stop":
        words = fates.one_of(_ANSWERS_TO_STOP, *_about(heard), "stop")
        return _receipt(heard, ReceiptKind.OPTED_OUT, at, text=words)
    everything = fates.chance(0.3, *_about(heard), "everything")
    return OptOut(message_id=heard.message.message_id, topic="*" if everything else heard.message.topic)


def _is_question(heard: ReceivedMessage) -> bool:
    return heard.message.kind == "ask"


def _choice(heard: ReceivedMessage, fates: SeededChoice) -> ActOnMessage:
    content = heard.message.content
    if content.scale is not None:
        low, high = content.scale
        lean = 0.35 if heard.person.account.slips else 0.75
        detail = str(
            min(high, low + round((high - low) * (lean + 0.5 * (fates.share(*_about(heard), "score") - 0.4))))
        )
    else:
        detail = fates.one_of([key for key, _ in content.choices] or ["yes"], *_about(heard), "choice")
    said = "It was hard to see what it does for us." if fates.chance(0.2, *_about(heard), "comment") else None
    return _answer(heard, "answered", detail, comment=said)


def _link(heard: ReceivedMessage, fates: SeededChoice) -> str | None:
    names = sorted(heard.message.content.links)
    return fates.one_of(names, *_about(heard), "link") if names else None


def _answer(
    heard: ReceivedMessage, outcome: str, detail: str | None = None, *, comment: str | None = None
) -> ActOnMessage:
    return ActOnMessage(
        message_id=heard.message.message_id,
        outcome=outcome,
        detail=detail,
        comment=comment,
        source_id=f"crowd:{heard.message.message_id}:{outcome}",
    )


def _receipt(
    heard: ReceivedMessage,
    kind: ReceiptKind,
    at: datetime,
    *,
    link: str | None = None,
    text: str | None = None,
) -> Receipt:
    message = heard.message
    return Receipt(
        source="simulation",
        source_id=f"crowd:{message.message_id}:{kind}",
        kind=kind,
        occurred_at=at,
        message_id=message.message_id,
        channel=message.channel,
        link=link,
        text=text,
    )


def _about(heard: ReceivedMessage) -> tuple[str, int]:
    return (heard.person.key, heard.number)
