"""policy.yaml: the account's guardrails, as data; every part has a default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo

from channels.table import channel_names, channel_table, traits_of
from orchestrator.language.account.retention import Retention, retention
from orchestrator.language.model import Cap, Condition, QuietWindow
from orchestrator.language.moments import Duration
from orchestrator.language.problems import PlacedProblem, Problems, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.blocks import caps, quiet_hours
from orchestrator.language.reading.conditions import condition
from orchestrator.language.reading.tree import Leaf, Map, Node, came
from orchestrator.language.reading.yaml_tree import read_yaml, read_yaml_file

POLICY = (
    "topics", "caps", "quiet_hours", "holds", "zones", "day_starts", "holdout", "booking", "reachable", "rests",
    "patience", "waiting", "needs_consent", "sender", "feedback", "channels", "consent", "retention",
)  # fmt: skip
TOPIC = ("title", "promotional", "obeys_caps", "counts_toward_caps")
HOLD = ("opened_by", "closed_by", "longest", "while", "topics", "title")
ZONES = ("default",)
REACHABLE = ("in_app",)
RESTS = ("ignored",)
FEEDBACK = ("negative",)
CONSENT = ("implied_purchase", "implied_inquiry", "soft_opt_in", "contract", "legitimate_interest")
WAITING = ("holds", "cooldowns")
# A purchase speaks for two years, a question for half a year at most: Canada's terms, the strictest that name any.
_IMPLIED_LASTS = (
    ("implied_purchase", Duration(count=730, unit="d")),
    ("implied_inquiry", Duration(count=180, unit="d")),
)
_KEPT = Retention()
Waiting = Literal["defer", "freeze", "skip", "cancel"]  # what a hold or a rest does to what waits
_FORTNIGHT = Duration(count=14, unit="d")
_THREE_DAYS = Duration(count=3, unit="d")


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """What a customer can opt out of. One that is not promotional (a service notice) obeys fewer guardrails.

    The two cap switches are apart, and None means "as promotional": a topic may take places without waiting for one.
    """

    name: str
    title: str
    promotional: bool = True
    obeys_caps: bool | None = None
    counts_toward_caps: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldRule:
    """When not to pitch: between two signals, for ``longest`` after one, or ``while`` a condition holds.

    ``topics`` empty: every promotional topic.
    """

    name: str
    title: str
    opened_by: tuple[str, ...] = ()
    closed_by: tuple[str, ...] = ()
    longest: Duration | None = None
    while_: Condition | None = None
    topics: tuple[str, ...] = ()


def _express_consent() -> tuple[str, ...]:
    return tuple(row.name for row in channel_table().rows if row.express_consent)


@dataclass(frozen=True, kw_only=True)
class AccountPolicy:
    """What holds for every playbook; a playbook's guardrails are added to it."""

    topics: tuple[Topic, ...] = ()
    caps: tuple[Cap, ...] = ()
    quiet_hours: tuple[QuietWindow, ...] = ()
    holds: tuple[HoldRule, ...] = ()
    default_zone: str = "UTC"
    day_starts: time = time(9)
    holdout: Decimal = Decimal(0)
    booking: tuple[tuple[str, str], ...] = ()
    sender: tuple[tuple[str, str], ...] = ()  # name, postal_address and what else templates say of us
    reachable_in_app: Duration = _FORTNIGHT
    ignored_cooldown: Duration = _FORTNIGHT
    default_patience: Duration = _THREE_DAYS
    when_held: Waiting = "defer"
    when_resting: Waiting = "defer"
    needs_consent: tuple[str, ...] = field(default_factory=_express_consent)
    consent_lasts: tuple[tuple[str, Duration], ...] = _IMPLIED_LASTS  # by basis: when it ends by itself
    retention: Retention = _KEPT
    more_channels: tuple[str, ...] = ()  # adapters of installed packages that brought no row
    negative_starts: str | None = None  # the playbook that takes a negative answer to a person

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
    default = AccountPolicy()
    found = read.fields(tree, "policy", POLICY, problems) if tree is not None else None
    if found is None:
        return default
    waiting = found.inner("waiting", WAITING)
    return AccountPolicy(
        topics=found.read_or("topics", _topics, default.topics),
        caps=found.read_or("caps", caps, default.caps),
        quiet_hours=found.read_or("quiet_hours", quiet_hours, default.quiet_hours),
        holds=found.read_or("holds", _holds, default.holds),
        default_zone=found.inner("zones", ZONES).read_or("default", _zone, default.default_zone),
        day_starts=found.read_or("day_starts", read.clock, default.day_starts),
        holdout=found.read_or("holdout", read.percent, default.holdout),
        booking=found.read_or("booking", _booking, default.booking),
        sender=found.read_or("sender", _sender, default.sender),
        reachable_in_app=found.inner("reachable", REACHABLE).read_or(
            "in_app", read.duration, default.reachable_in_app
        ),
        ignored_cooldown=found.inner("rests", RESTS).read_or(
            "ignored", read.duration, default.ignored_cooldown
        ),
        more_channels=found.read_or("channels", read.names, default.more_channels),
        negative_starts=found.inner("feedback", FEEDBACK).read("negative", read.name),
        default_patience=found.read_or("patience", read.duration, default.default_patience),
        when_held=waiting.read_or("holds", _waiting, default.when_held),
        when_resting=waiting.read_or("cooldowns", _waiting, default.when_resting),
        needs_consent=found.read_or("needs_consent", read.names, default.needs_consent),
        consent_lasts=_lasting(found.inner("consent", CONSENT), default),
        retention=found.read_or("retention", retention, default.retention),
    )


def _topics(node: Node, what: str, problems: Problems) -> tuple[Topic, ...] | None:
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected topics with a title each, got {came(node)}")
        return None
    made = []
    for entry in node.entries:
        where = f"topic '{entry.key}'"
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
        elif isinstance(entry.node, Leaf):
            title = read.text(entry.node, where, problems)
            made.append(Topic(name=entry.key, title=title or entry.key))
        else:
            found = read.fields(entry.node, where, TOPIC, problems)
            if found is not None:
                title, promotional = found.read("title", read.text), found.read("promotional", read.flag)
                made.append(
                    Topic(
                        name=entry.key,
                        title=title or entry.key,
                        promotional=promotional is not False,
                        obeys_caps=found.read("obeys_caps", read.flag),
                        counts_toward_caps=found.read("counts_toward_caps", read.flag),
                    )
                )
    return tuple(made)


def _holds(node: Node, what: str, problems: Problems) -> tuple[HoldRule, ...] | None:
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected holds by name, got {came(node)}")
        return None
    made = []
    for entry in node.entries:
        found = read.fields(entry.node, f"hold '{entry.key}'", HOLD, problems)
        if found is None:
            continue
        opened, closed = found.read("opened_by", read.names) or (), found.read("closed_by", read.names) or ()
        longest = found.read("longest", read.duration)
        asked = found.read("while", condition)
        if ("opened_by" in found) == ("while" in found):
            problems.error(entry.place, f"hold '{entry.key}': expected either opened_by or while")
        elif "opened_by" in found and not closed and longest is None:
            problems.error(
                entry.place, f"hold '{entry.key}': without closed_by it needs longest, or it never ends"
            )
        title, topics = found.read("title", read.text), found.read("topics", read.names) or ()
        made.append(
            HoldRule(
                name=entry.key,
                title=title or entry.key.replace("_", " "),
                opened_by=opened,
                closed_by=closed,
                longest=longest,
                while_=asked,
                topics=topics,
            )
        )
    return tuple(made)


def _booking(node: Node, what: str, problems: Problems) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected names with a link each, got {came(node)}")
        return None
    made = []
    for entry in node.entries:
        link = read.text(entry.node, f"{what}: {entry.key}", problems)
        if link is not None and not link.startswith("https://"):
            problems.error(
                entry.node.place, f"{what}: {entry.key}: expected a link that begins with https://"
            )
        elif link is not None:
            made.append((entry.key, link))
    return tuple(made)


def _sender(node: Node, what: str, problems: Problems) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected name and postal_address, got {came(node)}")
        return None
    told = {}
    for entry in node.entries:
        words = read.text(entry.node, f"{what}: {entry.key}", problems)
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
        elif words is not None:
            told[entry.key] = words
    for key in ("name", "postal_address"):
        if node.get(key) is None:
            problems.error(node.place, f"{what}: '{key}' is missing: every promotional email must say it")
    return tuple(told.items())


def _lasting(found: read.Fields, default: AccountPolicy) -> tuple[tuple[str, Duration], ...]:
    given = {name: span for name in CONSENT if (span := found.read(name, read.duration)) is not None}
    return tuple({**dict(default.consent_lasts), **given}.items())


def _waiting(node: Node, what: str, problems: Problems) -> Waiting | None:
    return cast(Waiting | None, read.choice(get_args(Waiting))(node, what, problems))


def _zone(node: Node, what: str, problems: Problems) -> str | None:
    try:
        return ZoneInfo(node.text).key if isinstance(node, Leaf) else None
    except (ValueError, OSError, KeyError):
        problems.error(node.place, f"{what}: expected a time zone such as Europe/Berlin, got {came(node)}")
        return None
