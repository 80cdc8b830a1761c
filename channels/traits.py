"""What a channel is, as data: everything the engine must know of one before any adapter is asked.

A channel is an adapter (:class:`channels.base.Channel`, what carries a message) and a :class:`ChannelTraits`, its row
in :mod:`channels.table`. Nothing else in the engine asks for a channel by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from channels.errors import BadChannelError

AddressKind = Literal["email", "phone", "opaque"]
"""How an address is checked and compared: lower case, E.164, or as it is (a token, an identity: 200 characters)."""

HeardAtOnce = Literal[
    "answered", "clicked", "negative", "dismissed", "replied", "closed", "bounced", "failed"
]  # fmt: skip
"""The outcomes that move a customer as soon as they are known. A channel hears some of them and invents none."""

JudgedAtEnd = Literal["seen_no_action", "opened_no_click", "unknown", "no_response"]
"""The outcomes that are found when a step's wait is over."""

AT_ONCE: tuple[HeardAtOnce, ...] = get_args(HeardAtOnce)
JUDGED: tuple[JudgedAtEnd, ...] = get_args(JudgedAtEnd)

_NAME = re.compile(r"[a-z][a-z_]*")  # as it stands in the file names of templates
_OTHER_NAMES = frozenset({"call", "preferred", "sandbox"})
_OTHER_TRAITS = frozenset(
    {"account", "locale", "region", "tags", "timezone"}
)  # what else the engine reads of traits


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelTraits:
    """One row of the table. Only ``name``, ``label`` and ``at_once`` must be given, and a way to reach the customer.

    Raises BadChannelError, with everything that is wrong, when the row cannot be meant.
    """

    name: str
    """The word of playbooks, policies and the database; never changed once something was sent."""
    label: Mapping[str, str]
    """What customers call it on the preference page, by language; ``en`` must be there."""

    at_once: tuple[HeardAtOnce, ...]
    """Outcomes heard as soon as they are known, in the order that decides between simultaneous ones."""
    judged: tuple[JudgedAtEnd, ...] = ("no_response",)
    """Outcomes found when the wait is over: the first that is true; ``no_response`` comes last."""

    address: AddressKind | None = None
    """What kind of contact point it needs; none when the customer's key is enough."""
    trait: str | None = None
    """The trait by which the product tells the address (``email``, ``phone``)."""
    borrows: str | None = None
    """The channel whose contact point serves while the customer has none for this one."""
    key_reaches: bool = False
    """Whether the customer's key is an address while there is no contact point."""
    marks_address: bool = False
    """Whether a bad address is found out, so that its contact point is marked and the step hears ``bounced``."""

    reaches_person: bool = True
    """Whether a customer can opt out of it: it has a switch on the preference page. False for a system's."""
    express_consent: bool = False
    """Whether promotion needs an express yes where policy.yaml does not say otherwise under ``needs_consent``."""
    quiet_hours_of: tuple[str, ...] = ()
    """Channels whose quiet hours it obeys beside its own: what rings the same phone."""
    fails_closed: bool = False
    """Whether quiet hours must be over in every zone the customer may be in, and under every rule that may hold there
    (it wakes people); else in the likeliest zone."""
    provider_queues: bool = False
    """Whether the provider may hold a promotional message back: it is told to drop it when quiet hours begin."""

    body: Literal["html", "txt"] = "txt"
    """What a template of it is written in, where the author chooses nothing else."""
    header: tuple[str, ...] = ()
    """The fields a template's header may have."""
    html_needs: tuple[str, ...] = ()
    """The header fields without which an HTML template cannot be sent."""
    opt_out: Literal["link", "stop"] | None = None
    """What every promotional template must carry: the opt-out link, or that link or the word STOP (the customer can
    answer by it). None: the way out stands beside the message."""
    narrow_text: bool = False
    """Whether letters outside the GSM alphabet cost more, so that quotes and dashes are written plainly."""

    in_feed: bool = False
    """Whether it is the product's own feed: the engine shows, hides and sanitises it, draws its answers, hears its
    clicks and takes ``as``; and only who was in the product lately is reachable."""
    mailbox: bool = False
    """Whether it lands in a mailbox: programs open and click before people do, questions are answered by links, and a
    complaint comes as a report of spam."""
    reports_opens: bool = True
    """Whether anybody tells that a message was opened."""
    reads_like: Literal["in_app", "email", "sms", "chat"] = "email"
    """Whose reading habits the simulated crowd takes for it."""

    needs_setting: str | None = None
    """The engine's setting without which the sandbox stands in for the adapter."""

    def __post_init__(self) -> None:
        wrong = [*self._faults()]
        if wrong:
            raise BadChannelError(f"the row of channel {self.name!r}: {'; '.join(wrong)}")

    @property
    def contact_points(self) -> tuple[str, ...]:
        """Under which channels its addresses are kept, its own first."""
        if self.address is None:
            return ()
        return (self.name,) if self.borrows is None else (self.name, self.borrows)

    @property
    def talks(self) -> bool:
        """Whether it is a conversation: short messages, and the customer can write back."""
        return "replied" in self.at_once and not self.mailbox

    def label_in(self, language: str) -> str:
        """What customers of this language call it, else in English."""
        return self.label.get(language, self.label["en"])

    def _faults(self) -> list[str]:
        known = (("at_once", self.at_once, AT_ONCE), ("judged", self.judged, JUDGED))
        found = [
            f"{outcome!r} is no outcome of {field}; they are {', '.join(words)}"
            for field, outcomes, words in known
            for outcome in outcomes
            if outcome not in words
        ]
        if not _NAME.fullmatch(self.name) or self.name in _OTHER_NAMES:
            found.append("its name must be of small letters and _, and mean nothing else")
        if "en" not in self.label:
            found.append("expected a label in English ('en')")
        if not self.judged or self.judged[-1] != "no_response":
            found.append("'no_response' must stand last in judged")
        if self.address is None and not self.key_reaches:
            found.append("it reaches nobody: give the kind of its address, or key_reaches")
        if (self.address is None) != (self.trait is None):
            found.append("address and trait go together: one says what it is, the other who tells it")
        if self.trait in _OTHER_TRAITS:
            found.append(f"the trait {self.trait!r} means something else; choose another")
        if not set(self.html_needs) <= set(self.header):
            found.append("what html_needs must be fields of its header")
        return found
