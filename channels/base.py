"""What a channel is: the port every adapter implements and the words it answers with.

The engine decides, writes and commits; only then does it call :meth:`Channel.send`. A channel therefore
never decides *whether* to speak. It turns one :class:`OutboundMessage` into one provider call and reports what is
known about it in one of five words:

``sent``        the provider accepted it (or, for the feed, it is visible);
``refused``     the provider said no for good: a bad address, a blocked region, rejected content;
``opted_out``   the provider refuses because the person opted out there: our ledger must learn it;
``try_again``   nothing was sent and a later try may work (rate limit, connection never made);
``uncertain``   it may have been sent: a time-out after the request left, most 5xx answers.

``uncertain`` is never sent again blindly. Errors of a provider's library never leave an adapter.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from channels.errors import NotSentError


class SendStatus(StrEnum):
    """The closed set of answers to one hand-over."""

    SENT = "sent"
    REFUSED = "refused"
    OPTED_OUT = "opted_out"
    TRY_AGAIN = "try_again"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """One rendered message, ready for a customer's eyes.

    ``text`` is always present. ``html`` is for email and in-app. ``header`` holds the closed template header
    of the channel (subject, preheader, button, button_url, ...), rendered. ``choices`` are an ``ask`` step's
    answers, key to words, in written order. ``scale`` is ``(low, high)`` of a scale question.
    """

    text: str
    html: str | None = None
    header: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[tuple[str, str], ...] = ()
    scale: tuple[int, int] | None = None
    links: Mapping[str, str] = field(default_factory=dict)  # link name -> its address; ours if tracked


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboundMessage:
    """One message at the moment of its hand-over: everything an adapter may know, and nothing else.

    ``address`` is an email address, an E.164 number, a chat identity or a webhook URL; for in_app the
    customer key. ``message_id`` is the public id (``m_...``), safe to give to a provider; it carries no personal data.
    ``valid_seconds`` is how long the provider may still hold it back before it must drop it (Twilio
    ``ValidityPeriod``); ``None`` means the provider's default.
    """

    message_id: str
    customer_id: int
    customer_key: str
    channel: str
    address: str
    content: Content
    topic: str
    promotional: bool
    opt_out_url: str | None = None
    one_click_url: str | None = None
    list_id: str | None = None
    status_url: str | None = None
    track: bool = True  # may opens and clicks be tracked for this person (purpose ``tracking``)
    valid_seconds: int | None = None
    display: str | None = None  # in-app: modal, banner, sidebar, inbox
    expires_at: datetime | None = None  # in-app: hidden from this instant on
    kind: str = "send"  # send, ask, handoff, call
    target: str | None = None  # handoff: chat, crm, support ...; call: the function's name
    context: Mapping[str, Any] = field(default_factory=dict)  # handoff and call: what the other side is told


@dataclass(frozen=True, kw_only=True, slots=True)
class SendResult:
    """What is known after one hand-over. ``code`` and ``detail`` are safe to store and to log.

    ``retry_after`` is in seconds (machine time) and only set with ``try_again``. ``mark_address`` is True
    when the address itself is bad and must not be used again. ``untried``, with ``try_again``, is True when nothing
    was asked of the provider: it is no attempt, and says nothing about its health. ``alert`` is True when whoever runs
    the system must act: wrong credentials, an unregistered sender, a region switched off. ``answer`` is what a called
    function or webhook gave back. ``about_message`` is True when a ``try_again`` concerns this message alone: the
    provider is well, and its other messages need not wait.
    """

    result: SendStatus
    provider: str
    provider_id: str | None = None
    code: str | None = None
    detail: str | None = None
    retry_after: float | None = None
    mark_address: bool = False
    alert: bool = False
    untried: bool = False
    about_message: bool = False
    answer: Mapping[str, Any] | None = None


FEED, SANDBOX = "feed", "sandbox"
LOCAL_PROVIDERS = frozenset({FEED, SANDBOX})
"""Providers that are the engine itself: nothing leaves the machine, so there is nothing to wait for."""


@runtime_checkable
class Channel(Protocol):
    """One way to reach a customer. Instances are shared by threads, so ``send`` must be thread-safe."""

    name: str  # the playbook's word: in_app, email, sms, whatsapp, chat, webhook ...
    provider: str  # who carries it: sendgrid, twilio, feed ...; rates and breakers are kept per provider

    def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message over. Takes at most 10 s. Never raises for what a provider or network did."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ForgetResult:
    """What a provider said when it was told to forget a person. ``done`` also when nothing was left there.

    ``detail`` is safe to store and to log.
    """

    done: bool
    count: int = 0
    detail: str | None = None


@runtime_checkable
class Forgets(Protocol):
    """A channel whose provider can be told to forget a person."""

    def forget(
        self, *, addresses: Sequence[str], provider_ids: Sequence[str], seconds: float
    ) -> ForgetResult:
        """Have everything about these addresses and messages removed, within ``seconds``. May be repeated at any
        time; never raises for what a provider or network did."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppression:
    """An address a provider does not serve any more, because the person there said no."""

    address: str  # as the provider spells it
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SuppressionList:
    """What a provider keeps of people who said no. ``done`` is False when it could not be read to its end.

    ``detail`` is safe to store and to log.
    """

    done: bool
    entries: tuple[Suppression, ...] = ()
    detail: str | None = None


@runtime_checkable
class ListsSuppressions(Protocol):
    """A channel whose provider tells who said no."""

    def suppressions(self, *, since: datetime, seconds: float) -> SuppressionList:
        """Everybody who opted out or complained there since then, within ``seconds``. Never raises for what a provider
        or network did."""
        ...


class ReceiptKind(StrEnum):
    """The closed set of words a provider callback is translated into."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"  # permanent: the address is bad
    BLOCKED = "blocked"  # temporary or by reputation: the address stays
    FAILED = "failed"
    OPENED = "opened"
    OPENED_BY_MACHINE = "opened_by_machine"
    CLICKED = "clicked"
    CLICKED_BY_MACHINE = "clicked_by_machine"
    REPLIED = "replied"
    CLOSED = "closed"
    COMPLAINED = "complained"
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    HELP = "help"
    PROGRESS = "progress"  # queued, sending, deferred: recorded, moves nobody, but proves the provider has it


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """One fact from a provider about a message or a person, already authenticated.

    ``source_id`` is unique per fact (``sg_event_id``, ``MessageSid:status`` ...). ``message_id`` is our
    public id when the callback carried it; ``provider_id`` is the provider's. ``address`` is set for facts
    about a person without a message (inbound SMS). ``text`` is a reply's body: personal, never logged.
    """

    source: str
    source_id: str
    kind: ReceiptKind
    occurred_at: datetime
    message_id: str | None = None
    provider_id: str | None = None
    address: str | None = None
    channel: str | None = None
    topic: str | None = None
    link: str | None = None
    text: str | None = None
    code: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


# --- how long a call may take to begin: said by who calls an adapter, kept where the first byte leaves ---------------
# Between the two an adapter loads its provider's library, resolves a name, waits for a connection or for the processor:
# seconds, at times. A message that was allowed to leave must not leave so much later.

TOO_LATE = "authorisation_aged"
"""The code of a call that did not begin in time."""


@dataclass(kw_only=True, slots=True)
class _Start:
    until: float
    begun: bool = False


_start: ContextVar[_Start | None] = ContextVar("channels_begin_by", default=None)


@contextmanager
def begin_within(seconds: float) -> Iterator[None]:
    """The first request of this thread inside the block begins within ``seconds``, or none of it leaves."""
    token = _start.set(_Start(until=time.monotonic() + seconds))
    try:
        yield
    finally:
        _start.reset(token)


def begin() -> None:
    """The first byte is about to leave; what follows in the same block belongs to a call that has begun.

    Raises NotSentError with the code :data:`TOO_LATE` when it is too late for it.
    """
    start = _start.get()
    if start is None or start.begun:
        return
    if time.monotonic() > start.until:
        raise NotSentError(TOO_LATE)
    start.begun = True
