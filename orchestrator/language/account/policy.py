"""policy.yaml: the account's guardrails, as data; every part has a default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from channels.table import channel_names, channel_table, traits_of
from orchestrator.language.account.retention import Retention
from orchestrator.language.fields import Field, keys_of
from orchestrator.language.model import Cap, Condition, QuietWindow
from orchestrator.language.moments import Duration
from orchestrator.language.problems import PlacedProblem, Problems, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.blocks import attributes_of, block
from orchestrator.language.reading.tree import Leaf, Map, Node, came
from orchestrator.language.reading.values import texts
from orchestrator.language.reading.yaml_tree import read_yaml, read_yaml_file

Waiting = Literal["defer", "freeze", "skip", "cancel"]  # what a hold or a cooldown does to what waits
_KEPT = Retention()
_FORTNIGHT = Duration(count=14, unit="d")
_THREE_DAYS = Duration(count=3, unit="d")
_TWO_YEARS = Duration(count=730, unit="d")
_HALF_A_YEAR = Duration(count=180, unit="d")


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """What a customer can opt out of. One that is not promotional (a service notice) obeys fewer guardrails.

    The two cap switches are apart, and None means "as promotional": a topic may take places without waiting for one.
    """

    name: str
    title: Annotated[str, Field("text", "the words of the preference page; default its name", alone=True)]
    promotional: Annotated[
        bool, Field("flag", "`false`: obeys only erased, opted out, reachable; default `true`")
    ] = True
    obeys_caps: Annotated[
        bool | None,
        Field("flag", "whether its messages wait for a slot under the caps; default as `promotional`"),
    ] = None
    counts_toward_caps: Annotated[
        bool | None, Field("flag", "whether its messages take a slot; default as `promotional`")
    ] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldRule:
    """When not to pitch: between two signals, for ``longest`` after one, or ``while`` a condition holds.

    ``topics`` empty: every promotional topic.
    """

    name: str
    opened_by: Annotated[tuple[str, ...], Field("names", "signals that open it")] = ()
    closed_by: Annotated[tuple[str, ...], Field("names", "signals that close it")] = ()
    longest: Annotated[Duration | None, Field("duration", "how long it lasts at most")] = None
    while_: Annotated[
        Condition | None, Field("condition", "instead of signals: as long as the condition holds")
    ] = None
    topics: Annotated[tuple[str, ...], Field("names", "what it stops; default every promotional topic")] = ()
    title: Annotated[str, Field("text", "its words where people read of it; default its name")]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentLasts:
    """How long a grant speaks by its basis; None: until it is withdrawn.

    A purchase speaks for two years, a question for half a year at most: Canada's terms, the strictest that name any.
    """

    implied_purchase: Annotated[Duration | None, Field("duration", "a purchase; default `730d`")] = _TWO_YEARS
    implied_inquiry: Annotated[Duration | None, Field("duration", "an inquiry; default `180d`")] = (
        _HALF_A_YEAR
    )
    soft_opt_in: Annotated[Duration | None, Field("duration", "a soft opt-in")] = None
    contract: Annotated[Duration | None, Field("duration", "a contract")] = None
    legitimate_interest: Annotated[Duration | None, Field("duration", "a legitimate interest")] = None

    def lasting(self, basis: str) -> Duration | None:
        """How long a grant of this basis lasts."""
        return getattr(self, basis) if basis in keys_of(ConsentLasts) else None


def _zone(node: Node, what: str, problems: Problems) -> str | None:
    try:
        return ZoneInfo(node.text).key if isinstance(node, Leaf) else None
    except (ValueError, OSError, KeyError):
        problems.error(node.place, f"{what}: expected a time zone such as Europe/Berlin, got {came(node)}")
        return None


def _sender(node: Node, what: str, problems: Problems) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected name and postal_address, got {came(node)}")
        return None
    for key in ("name", "postal_address"):
        if node.get(key) is None:
            problems.error(node.place, f"{what}: '{key}' is missing: every promotional email must say it")
    return texts(node, what, problems)


def _topics(node: Node, what: str, problems: Problems) -> tuple[Topic, ...] | None:
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected topics with a title each, got {came(node)}")
        return None
    made: list[Topic] = []
    for entry in node.entries:
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
            continue
        topic = block(Topic, entry.node, f"topic '{entry.key}'", problems, name=entry.key, title=entry.key)
        if topic is not None:
            made.append(topic)
    return tuple(made)


def _holds(node: Node, what: str, problems: Problems) -> tuple[HoldRule, ...] | None:
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected holds by name, got {came(node)}")
        return None
    made: list[HoldRule] = []
    for entry in node.entries:
        where, title = f"hold '{entry.key}'", entry.key.replace("_", " ")
        rule = block(HoldRule, entry.node, where, problems, name=entry.key, title=title)
        if rule is None:
            continue
        made.append(rule)
        if bool(rule.opened_by) == (rule.while_ is not None):
            problems.error(entry.place, f"{where}: expected either opened_by or while")
        elif rule.opened_by and not rule.closed_by and rule.longest is None:
            problems.error(entry.place, f"{where}: without closed_by it needs longest, or it never ends")
    return tuple(made)


def _express_consent() -> tuple[str, ...]:
    return tuple(row.name for row in channel_table().rows if row.express_consent)


@dataclass(frozen=True, kw_only=True)
class AccountPolicy:
    """What holds for every playbook; a playbook's guardrails are added to it."""

    topics: Annotated[
        tuple[Topic, ...],
        Field("named", "what a customer can opt out of, with the words of the preference page", read=_topics),
    ] = ()
    caps: Annotated[
        tuple[Cap, ...],
        Field(
            "rows",
            "`at_most` messages in a rolling `within`; for one `channel`, one `topic`, or over all",
            expected="a list such as [{at_most: 3, within: 7d}]",
        ),
    ] = ()
    quiet_hours: Annotated[
        tuple[QuietWindow, ...],
        Field(
            "quiet_hours",
            "local silence per channel; `weekdays` are those of its beginning; `regions` have their own hours",
        ),
    ] = ()
    holds: Annotated[
        tuple[HoldRule, ...],
        Field(
            "named",
            "reasons not to pitch: between two signals, for `longest` after one, or `while` a condition holds",
            read=_holds,
        ),
    ] = ()
    default_zone: Annotated[
        str,
        Field(
            "text", "for a customer whose zone nothing tells; default `UTC`", key="zones.default", read=_zone
        ),
    ] = "UTC"
    day_starts: Annotated[
        time, Field("clock", "the hour of moments in days without `at`; default `09:00`", read=read.clock)
    ] = time(9)
    holdout: Annotated[Decimal, Field("percent", "a share held out of every playbook")] = Decimal(0)
    booking: Annotated[
        tuple[tuple[str, str], ...], Field("links", "names with links, for `{{ booking_link('name') }}`")
    ] = ()
    reachable_in_app: Annotated[
        Duration,
        Field(
            "duration",
            "in-app is for those seen in the product so lately; default `14d`",
            key="reachable.in_app",
        ),
    ] = _FORTNIGHT
    ignored_cooldown: Annotated[
        Duration,
        Field(
            "duration", "the cooldown after a playbook nobody answered; default `14d`", key="rests.ignored"
        ),
    ] = _FORTNIGHT
    default_patience: Annotated[
        Duration, Field("duration", "how long a message may be held back; default `3d`", key="patience")
    ] = _THREE_DAYS
    when_held: Annotated[
        Waiting,
        Field(
            "choice",
            "what becomes of a message that a hold stops, see below; default `defer`",
            key="waiting.holds",
        ),
    ] = "defer"
    when_resting: Annotated[
        Waiting,
        Field(
            "choice",
            "what becomes of one that a cooldown stops; default `defer`",
            key="waiting.cooldowns",
        ),
    ] = "defer"
    needs_consent: Annotated[
        tuple[str, ...],
        Field(
            "channel_list",
            "channels that carry promotion only after an express yes; default those whose row says so, "
            "`[sms, whatsapp]`",
        ),
    ] = field(default_factory=_express_consent)
    sender: Annotated[
        tuple[tuple[str, str], ...],
        Field(
            "texts",
            "`name` and `postal_address`, and what else templates say as `{{ sender.x }}`",
            read=_sender,
        ),
    ] = ()
    negative_starts: Annotated[
        str | None,
        Field("name", "the playbook that takes a negative answer to a person", key="feedback.negative"),
    ] = None
    more_channels: Annotated[
        tuple[str, ...],
        Field(
            "names",
            "[adapters without a row](../how-to/add-a-channel.md#other-things-an-adapter-can-be) that steps may "
            "send by",
            key="channels",
        ),
    ] = ()
    consent: Annotated[ConsentLasts, Field("block", "how long a grant of each basis lasts, see below")] = (
        ConsentLasts()
    )
    retention: Annotated[Retention, Field("block", "how long history is kept, or `forever`, see below")] = (
        _KEPT
    )

    @cached_property
    def topic_named(self) -> Mapping[str, Topic]:
        return {topic.name: topic for topic in self.topics}

    @cached_property
    def booking_links(self) -> Mapping[str, str]:
        return dict(self.booking)

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """Every channel a step may name."""
        return tuple(dict.fromkeys((*channel_names(), *self.more_channels)))

    @cached_property
    def consent_channels(self) -> tuple[str, ...]:
        """Every channel a customer can speak for or against: those that reach a person and not a system."""
        return tuple(channel for channel in self.channels if traits_of(channel).reaches_person)

    def obeys_caps(self, topic: str) -> bool:
        """Whether a message of this topic waits for a place."""
        known = self.topic_named.get(topic)
        own = known.obeys_caps if known is not None else None
        return self.promotional(topic) if own is None else own

    def counts_toward_caps(self, topic: str) -> bool:
        """Whether a message of this topic takes a place."""
        known = self.topic_named.get(topic)
        own = known.counts_toward_caps if known is not None else None
        return self.promotional(topic) if own is None else own

    def promotional(self, topic: str) -> bool:
        """Whether a topic obeys caps, quiet hours, holds and rests; an undeclared one does."""
        known = self.topic_named.get(topic)
        return known is None or known.promotional


def read_policy(text: str, path: str = "policy.yaml") -> tuple[AccountPolicy, list[PlacedProblem]]:
    """The policy of a text, and everything wrong with it."""
    problems = Problems()
    return _policy(read_yaml(text, path, problems), problems), problems.sorted()


def read_policy_file(path: Path) -> tuple[AccountPolicy, Node | None, list[PlacedProblem]]:
    """The policy of a file, as read and as written; an absent file is the default policy."""
    if not path.exists():
        return AccountPolicy(), None, []
    problems = Problems()
    tree = read_yaml_file(path, problems)
    return _policy(tree, problems), tree, problems.sorted()


def _policy(tree: Node | None, problems: Problems) -> AccountPolicy:
    found = read.fields(tree, "policy", keys_of(AccountPolicy), problems) if tree is not None else None
    return AccountPolicy() if found is None else AccountPolicy(**attributes_of(AccountPolicy, found))
