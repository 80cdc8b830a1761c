"""The channels of this installation: one row each, the built-in ones and those of installed packages.

A package adds a channel with an adapter, a row, and two lines in its pyproject::

    [project.entry-points."orchestrator.channels"]
    push = "acme_push.adapter:from_settings"

    [project.entry-points."orchestrator.channel_traits"]
    push = "acme_push.row:PUSH"

Rows are read once a process, when the first is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from channels.errors import BadChannelError
from channels.traits import ChannelTraits, HeardAtOnce

GROUP = "orchestrator.channel_traits"

_LETTER: tuple[HeardAtOnce, ...] = ("negative", "answered", "replied", "clicked", "bounced", "failed")
_TOOL_HEADER = ("subject", "title", "event", "url", "priority", "summary")

BUILT_IN: tuple[ChannelTraits, ...] = (
    ChannelTraits(
        name="in_app",
        label={"en": "Notes inside the product", "de": "Hinweise im Produkt"},
        at_once=("answered", "clicked", "negative", "dismissed", "failed"),
        judged=("seen_no_action", "no_response"),
        key_reaches=True,
        body="html",
        header=("title", "button", "button_url", "dismiss", "image"),
        in_feed=True,
        reads_like="in_app",
    ),
    ChannelTraits(
        name="email",
        label={"en": "Email", "de": "E-Mail"},
        at_once=_LETTER,
        judged=("opened_no_click", "unknown", "no_response"),
        address="email",
        trait="email",
        marks_address=True,
        body="html",
        header=("subject", "preheader", "from_name", "reply_to"),
        html_needs=("subject",),
        opt_out="link",
        mailbox=True,
        needs_setting="sendgrid_api_key",
    ),
    ChannelTraits(
        name="sms",
        label={"en": "Text message", "de": "SMS"},
        at_once=_LETTER,
        address="phone",
        trait="phone",
        marks_address=True,
        express_consent=True,
        fails_closed=True,
        provider_queues=True,
        opt_out="stop",
        narrow_text=True,
        reports_opens=False,
        reads_like="sms",
        needs_setting="twilio_account_sid",
    ),
    ChannelTraits(
        name="whatsapp",
        label={"en": "WhatsApp", "de": "WhatsApp"},
        at_once=_LETTER,
        judged=("seen_no_action", "unknown", "no_response"),
        address="phone",
        trait="whatsapp",
        borrows="sms",
        marks_address=True,
        express_consent=True,
        quiet_hours_of=("sms",),
        fails_closed=True,
        provider_queues=True,
        header=("content_sid", "content_variables"),
        opt_out="stop",
        reads_like="sms",
        needs_setting="twilio_account_sid",
    ),
    ChannelTraits(
        name="chat",
        label={"en": "Chat", "de": "Chat"},
        at_once=("negative", "answered", "replied", "clicked", "closed", "failed"),
        judged=("seen_no_action", "no_response"),
        address="opaque",
        trait="chat",
        key_reaches=True,
        header=("subject", "title", "button", "button_url"),
        reads_like="chat",
        needs_setting="twilio_account_sid",
    ),
    ChannelTraits(
        name="webhook",
        label={"en": "Other services", "de": "Andere Dienste"},
        at_once=("clicked", "failed"),
        key_reaches=True,
        reaches_person=False,
        header=_TOOL_HEADER,
        needs_setting="webhook_url",
    ),
)

# An adapter that brought no row, or the target of a hand-over: told what a webhook is told, hears what it hears.
WITHOUT_ROW = replace(
    BUILT_IN[-1], name="other", label={"en": "Other"}, reaches_person=True, needs_setting=None
)


class ChannelTable:
    """Rows by name and by trait, in their order. Two rows of one name or one trait are refused: BadChannelError."""

    def __init__(self, rows: Iterable[ChannelTraits]) -> None:
        self.rows = tuple(rows)
        self._by_name: dict[str, ChannelTraits] = {}
        self._by_trait: dict[str, ChannelTraits] = {}
        for row in self.rows:
            if self._by_name.setdefault(row.name, row) is not row:
                raise BadChannelError(f"two rows say what the channel {row.name!r} is; uninstall one of them")
            if row.trait is not None and (rival := self._by_trait.setdefault(row.trait, row)) is not row:
                raise BadChannelError(
                    f"the channels {rival.name!r} and {row.name!r} both read the trait {row.trait!r}; rename one"
                )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def address_traits(self) -> tuple[str, ...]:
        """The traits that carry an address, in the order of the rows."""
        return tuple(self._by_trait)

    def find(self, name: str | None) -> ChannelTraits | None:
        """The row of this channel, if it has one."""
        return self._by_name.get(name) if name is not None else None

    def of(self, name: str | None) -> ChannelTraits:
        """The row of this channel; :data:`WITHOUT_ROW` for a name that has none."""
        return self.find(name) or WITHOUT_ROW

    def of_trait(self, trait: str) -> ChannelTraits | None:
        """The channel whose address this trait carries."""
        return self._by_trait.get(trait)


def read_rows(installed: Iterable[EntryPoint]) -> Iterator[ChannelTraits]:
    """The rows of installed packages, by name. Raises BadChannelError for what is no row, or the row of another."""
    for point in sorted(installed, key=lambda one: (one.name, one.value)):
        try:
            row = point.load()
        except (ImportError, AttributeError) as error:
            raise BadChannelError(
                f"channel {point.name!r}: expected an importable 'module:ROW', got {point.value!r} ({error})"
            ) from error
        if not isinstance(row, ChannelTraits):
            raise BadChannelError(
                f"channel {point.name!r}: expected {point.value!r} to be a ChannelTraits, "
                f"got a {type(row).__name__}"
            )
        if row.name != point.name:
            raise BadChannelError(f"channel {point.name!r}: {point.value!r} is the row of {row.name!r}")
        yield row


@cache
def channel_table() -> ChannelTable:
    """The table of this process."""
    return ChannelTable((*BUILT_IN, *read_rows(entry_points(group=GROUP))))


def traits_of(channel: str | None) -> ChannelTraits:
    """What this installation says of a channel; see :meth:`ChannelTable.of`."""
    return channel_table().of(channel)


def channel_names() -> tuple[str, ...]:
    """Every channel of this installation, the built-in ones first."""
    return channel_table().names
