"""The playbook model: what both faces of the language, YAML and Python, are read into.

Everything here is a frozen value compared by content. A :class:`Step` carries exactly one *action*; its ``then`` are
the state machine's transitions. Order is kept wherever it has meaning (steps, branches, routes), so sequences are
tuples and never mappings. The model holds what the author wrote; defaults that depend on other parts (fallback
edges, the transitions for goal and opt-out) are added by :mod:`orchestrator.language.graph.compile`.

An attribute annotated with a :class:`~orchestrator.language.fields.Field` is a field of the language; the annotation is
all there is to say of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from orchestrator.language.fields import Field
from orchestrator.language.moments import Duration, Moment


class Percent(Decimal):
    """A share written with its sign, ``80%``: the fraction 0.8 that remembers how it was written."""

    __slots__ = ()

    def __str__(self) -> str:
        return percent_text(self)


def percent_text(share: Decimal) -> str:
    """A fraction as the language writes it: ``80%``, ``12.5%``."""
    number = format((Decimal(share) * 100).normalize(), "f")
    return f"{number}%"


Scalar = str | int | Decimal | bool | None
ValueType = Literal["text", "number", "money", "percent", "date", "time", "flag", "list"]

EVERY_OUTCOME = "*"  # the outcome of the route that ``then: step`` is read into
ELSE = "else"  # the last key of a route that tells links, buttons or answers apart


# --- conditions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class SameAs:
    """``{same_as: name}``: the value of a context field, attribute or enrollment fact instead of a literal."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class All:
    """Every part holds. ``because`` is a template text, asked for only under ``enter.if``."""

    parts: tuple[Condition, ...]
    because: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Any:
    parts: tuple[Condition, ...]
    because: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Not:
    part: Condition
    because: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AtLeastOf:
    """``{at_least: 2, of: [...]}``."""

    count: int
    parts: tuple[Condition, ...]
    because: str | None = None


CompareOp = Literal[
    "equals", "in", "at_least", "at_most", "more_than", "less_than", "contains",
    "in_next", "in_last", "before", "after", "present", "missing",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare:
    """One attribute, computed value, context field or dotted enrollment fact against ``value``.

    ``value`` is None for present and missing, a tuple for ``in``, a Duration for ``in_next``/``in_last``, a Moment
    for ``before``/``after``, else a scalar or :class:`SameAs`. A percent is stored as a fraction (80% = 0.8).
    """

    name: str
    op: CompareOp
    value: Scalar | SameAs | Moment | tuple[Scalar, ...] = None
    because: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """One ``where`` entry on an event's property; the operators of :class:`Compare` without the date ones."""

    name: str
    op: CompareOp
    value: Scalar | SameAs | tuple[Scalar, ...] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """``{premium_module_opened: {times: 5, within: 14d}}`` and its kin over event history.

    ``measure`` is ``times`` (count), ``sum`` or ``distinct`` (of ``field``). ``times: 0`` means absence; any other
    ``times: n`` means at least n. ``since`` is ``entry`` or a Moment.
    """

    event: str
    measure: Literal["times", "sum", "distinct"] = "times"
    field: str | None = None
    op: Literal["at_least", "at_most", "more_than", "less_than", "equals"] = "at_least"
    value: Decimal = Decimal(1)
    within: Duration | None = None
    since: Literal["entry"] | Moment | None = None
    where: tuple[Filter, ...] = ()
    because: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """``{down_by: 40%, against: 28d, from: 10}``: the last ``against`` compared with the one before it."""

    event: str
    down_by: Decimal
    against: Duration
    minimum: int = 1
    where: tuple[Filter, ...] = ()
    because: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """``{then: other, within: 7d}`` (``followed=True``) or ``{not_then: other, within: 7d}``."""

    event: str
    other: str
    within: Duration
    followed: bool
    where: tuple[Filter, ...] = ()
    because: str | None = None


Condition = All | Any | Not | AtLeastOf | Compare | Counted | Dropped | Followed


# --- routes and actions ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One entry of ``then`` or ``at_any_step``: a word (or signal) and where it leads.

    Either ``to``, or ``choices`` that tell links, buttons, answers, ranges (``0-6``) or a closing reason apart, the
    last key often ``else``.
    """

    outcome: str
    to: str | None = None
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FallbackChannel:
    """``when_capped: {fallback: channel}``."""

    channel: Annotated[
        str, Field("channel", "the channel that speaks instead", needs="a channel", key="fallback")
    ]


# Fields that send and ask share.
ShownAs = Annotated[
    Literal["modal", "banner", "sidebar", "inbox"] | None, Field("choice", "in-app: how it is shown")
]
WhenCapped = Annotated[
    Literal["defer", "skip"] | FallbackChannel,
    Field("capped", "`defer` (the default), `skip`, or `{fallback: sms}`"),
]
Patience = Annotated[Moment | None, Field("moment", "how long it may be held back")]
Kept = Annotated[Moment | None, Field("moment", "in-app: it stays so long when the step is left")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Send:
    """One message: on one channel, or on the first of several that may speak, or on the ``preferred`` one."""

    channel: Annotated[
        tuple[str, ...],
        Field(
            "channels",
            "a channel, or a list: the first that may speak now, else the first that may later; `preferred` takes the "
            "one this customer answers most",
            needs="a channel, a list of them, or preferred",
        ),
    ]
    template: Annotated[
        str,
        Field(
            "name",
            "the base name of a [template](templates.md) beside the playbook",
            needs="the base name of a template",
        ),
    ]
    as_: ShownAs = None
    to: Annotated[
        str | None,
        Field(
            "name",
            "handed on to the adapter as the message's target, for [channels of your "
            "own](../how-to/add-a-channel.md)",
        ),
    ] = None
    among: Annotated[
        tuple[str, ...], Field("channel_list", "with `channel: preferred`: the channels it chooses from")
    ] = ()
    when_capped: WhenCapped = "defer"
    patience: Patience = None
    keep: Kept = None
    stale_after: Annotated[Duration | None, Field("duration", "never sent later than this")] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A micro-survey with ``answers`` or a ``scale``, carried by a channel."""

    channel: Annotated[
        tuple[str, ...],
        Field(
            "channels",
            "a channel, or a list: the first that may speak now",
            needs="a channel or a list of them",
        ),
    ]
    question: Annotated[
        str, Field("text", "the words of the question, a template text", needs="the words of the question")
    ]
    answers: Annotated[
        tuple[tuple[str, str], ...], Field("answers", "`{key: words}`, at least two; or a scale")
    ] = ()
    scale: Annotated[tuple[int, int] | None, Field("scale", "`0-10`: whole numbers to choose from")] = None
    comment: Annotated[str | None, Field("text", "the words that invite a free text")] = None
    saves: Annotated[str | None, Field("name", "the name the answer is kept under in this enrollment")] = None
    negative: Annotated[
        tuple[str, ...], Field("answer_keys", "answers that count as a negative response")
    ] = ()
    as_: ShownAs = None
    when_capped: WhenCapped = "defer"
    patience: Patience = None
    keep: Kept = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Handoff:
    """Over to a person, with a template of context."""

    to: Annotated[
        str,
        Field("name", "who takes over: `crm`, `support` ...", needs="who takes over, such as crm or support"),
    ]
    template: Annotated[
        str,
        Field(
            "name", "the context a colleague is given", needs="the base name of a template with the context"
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A registered Python function or a signed webhook."""

    function: Annotated[
        str | None, Field("dotted", "a [function](../how-to/call-a-function.md) by its registered name")
    ] = None
    webhook: Annotated[
        str | None, Field("name", "or a signed request to the webhook channel, which is told this name")
    ] = None
    with_: Annotated[
        tuple[tuple[str, Scalar | SameAs], ...],
        Field("values", "arguments: literals, or `{same_as: name}` for another name's value"),
    ] = ()
    saves: Annotated[str | None, Field("name", "the name its result is kept under in this enrollment")] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """One row of a choose; the last has no ``if_``."""

    if_: Annotated[
        Condition | None, Field("condition", "a [condition](#conditions); the last row has none")
    ] = None
    go: Annotated[str, Field("name", "the step it leads to", needs="the step it leads to")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choose:
    """The first true branch."""

    branches: Annotated[tuple[Branch, ...], Field("branches", "the first true row", alone=True)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Variants with their shares, ``{"full": "50%", "less": "50%"}``."""

    shares: Annotated[
        tuple[tuple[str, Decimal], ...], Field("shares", "variants with shares that add to 100%", alone=True)
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Set:
    """Attributes and tags to write on the customer."""

    attributes: Annotated[
        tuple[tuple[str, Scalar | SameAs], ...],
        Field("values", "attributes to write, with literals or `{same_as: name}`"),
    ] = ()
    add_tags: Annotated[tuple[str, ...], Field("names", "tags to put on the customer")] = ()
    remove_tags: Annotated[tuple[str, ...], Field("names", "tags to take off")] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Begin another enrollment: the customer's own, or a colleague's with one of these roles."""

    playbook: Annotated[str, Field("name", "the playbook to begin", needs="the playbook to begin")]
    one_of: Annotated[
        tuple[str, ...], Field("names", "roles: a colleague of the account instead of the customer")
    ] = ()
    context: Annotated[
        tuple[tuple[str, Scalar | SameAs], ...], Field("values", "what that enrollment is told at its start")
    ] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cooldown:
    """A do-not-disturb time of ``everything`` (the default), the ``topic`` or the ``playbook``."""

    for_: Annotated[Moment, Field("moment", "how long it lasts", needs="a duration such as 21d", alone=True)]
    scope: Annotated[
        Literal["everything", "topic", "playbook"],
        Field("choice", "what stays silent: `everything` (the default), the `topic` or the `playbook`"),
    ] = "everything"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """A moment, or a condition with the step's ``wait`` as its time-out; a plain wait has neither."""

    until: Annotated[
        Moment | Condition | None,
        Field("until", "a moment, or a condition with `wait` as its time-out", alone=True),
    ] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """The enrollment is over: no_conversion, handed_over, declined, finished, stopped, left, or your own status."""

    outcome: Annotated[str, Field("ending", "how the enrollment is recorded to have ended", alone=True)]


Action = Send | Ask | Handoff | Call | Choose | Split | Set | Start | Cooldown | Wait | End

# The key of each action in a step; a step that only waits has none of them.
ACTIONS: Mapping[str, type[Action]] = {
    "send": Send,
    "ask": Ask,
    "handoff": Handoff,
    "call": Call,
    "choose": Choose,
    "split": Split,
    "set": Set,
    "start": Start,
    "cooldown": Cooldown,
    "wait_until": Wait,
    "end": End,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One state. Without an action it only waits."""

    name: str
    action: Action
    wait: Annotated[
        Moment | None,
        Field(
            "moment",
            "how long it listens, from the moment the message really went out; or how long it waits",
        ),
    ] = None
    then: Annotated[
        tuple[Route, ...],
        Field("then", "where each outcome leads; `then: x` leads all obligatory outcomes to `x`"),
    ] = ()
    at: Annotated[Moment | None, Field("moment", "when it begins")] = None
    late: Annotated[
        Moment | None, Field("moment", "past `at` by more than this (default 24h) the outcome is `missed`")
    ] = None
    at_most: Annotated[
        int | None,
        Field(
            "whole",
            "how often it may be entered in one enrollment; default 1 for steps that speak, then `exhausted`",
            least=1,
            most=100,
        ),
    ] = None


# --- the playbook ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Reentry:
    """``never`` (all None), ``after`` a gap since the last end, ``per`` a context field, or both."""

    after: Annotated[Duration | None, Field("duration", "a gap since the last end")] = None
    per: Annotated[str | None, Field("name", "once for each value of this context field")] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Enter:
    """How customers come in: by signals, a daily look, a calendar, or by the product alone."""

    when: Annotated[
        tuple[str, ...],
        Field("names", "signals that bring a customer in; their declared properties become the context"),
    ] = ()
    every: Annotated[
        Literal["day"] | None,
        Field("choice", "`day`: a daily look at everybody, for dates, drops and absence"),
    ] = None
    calendar: Annotated[
        tuple[str, ...], Field("names", "rows of [calendar.yaml](calendar.md) that bring everybody in")
    ] = ()
    ahead: Annotated[Duration | None, Field("duration", "so long before a calendar's rows begin")] = None
    if_: Annotated[
        Condition | None,
        Field("condition", "a [condition](#conditions); every true way in ends in a `because`"),
    ] = None
    because: Annotated[str | None, Field("text", "the reason given when `if` gives none")] = None
    one_per: Annotated[
        tuple[str, ...],
        Field(
            "one_per", "`account` or `{account: [roles]}`: one member of an account, the preferred role first"
        ),
    ] = ()  # ("*",) for any role
    reentry: Annotated[
        Reentry,
        Field(
            "reentry",
            "obligatory: `never`, `{after: 90d}`, `{per: order_id}`, or both",
            needs="never, {after: 90d} or {per: name}",
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """The event that means success, and how long after entry it counts."""

    event: Annotated[
        tuple[str, ...],
        Field("events", "the signal that means success, or several", needs="the event that means success"),
    ]
    within: Annotated[
        Duration,
        Field(
            "duration", "how long after entry it counts", needs="how long after entry it counts, such as 45d"
        ),
    ]
    value: Annotated[str | None, Field("name", "the property or attribute that says what it is worth")] = None
    by: Annotated[
        Literal["account", "customer"],
        Field("choice", "`account`: anybody of the account reaches it; default `customer`"),
    ] = "customer"


@dataclass(frozen=True, kw_only=True, slots=True)
class FilteredSignal:
    """A name of the playbook's own: one event narrowed by ``where``."""

    name: str
    event: Annotated[str, Field("name", "the event that is narrowed", needs="the event that is narrowed")]
    where: Annotated[tuple[Filter, ...], Field("filters", "properties with their values")] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferRow:
    """One row of an offer: its facts (``percent``, ``currency`` ...) and when it applies (None: always)."""

    facts: tuple[tuple[str, Scalar], ...]
    if_: Condition | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    name: str
    rows: tuple[OfferRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cap:
    """At most ``at_most`` messages in a rolling ``within``; over all when channel and topic are None."""

    at_most: Annotated[int, Field("whole", "how many messages at most", needs="how many messages")]
    within: Annotated[
        Duration, Field("duration", "in any window of this length", needs="a rolling window such as 7d")
    ]
    channel: Annotated[str | None, Field("channel", "counted on this channel only")] = None
    topic: Annotated[str | None, Field("name", "counted for this topic only")] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionHours:
    """The quiet hours of one region, ``HH:MM`` both."""

    from_: Annotated[str, Field("clock", "when silence begins", needs='a local time such as "20:00"')]
    until: Annotated[str, Field("clock", "when it ends", needs='a local time such as "09:00"')]


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietWindow:
    """A daily silence in local time, ``HH:MM`` both; may cross midnight. ``weekdays`` empty means every day.

    The weekday is that of the window's beginning. ``regions`` maps a region code to its own (from, until).
    """

    channel: str
    from_: Annotated[
        str, Field("clock", "when silence begins, local time", needs='a local time such as "20:00"')
    ]
    until: Annotated[
        str, Field("clock", "when it ends; may be past midnight", needs='a local time such as "09:00"')
    ]
    weekdays: Annotated[
        tuple[str, ...], Field("weekdays", "the days on which it begins; without it every day")
    ] = ()
    regions: Annotated[
        tuple[tuple[str, tuple[str, str]], ...],
        Field("regions", "`{DE: {from, until}}`: regions with hours of their own"),
    ] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Guardrails:
    """A playbook's own additions to the account's policy: they can only make it stricter."""

    caps: Annotated[
        tuple[Cap, ...],
        Field(
            "rows",
            "`[{at_most: 3, within: 7d, channel: sms}]`: how often at most",
            expected="a list such as [{at_most: 3, within: 7d}]",
        ),
    ] = ()
    quiet_hours: Annotated[
        tuple[QuietWindow, ...],
        Field("quiet_hours", '`{sms: {from: "20:00", until: "09:00"}}`: when a channel is silent'),
    ] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Playbook:
    """A whole playbook; :class:`~orchestrator.errors.PlaybookError` lists everything wrong with it."""

    name: Annotated[
        str,
        Field(
            "name",
            "its name: letters, digits, `_`",
            needs="its name, such as power_user_upsell",
            key="playbook",
        ),
    ]
    version: Annotated[
        int,
        Field(
            "whole",
            "a whole number; a published version never changes",
            needs="a whole number from 1",
            least=1,
        ),
    ]
    title: Annotated[str, Field("text", "one line for people", needs="a line for people")]
    topic: Annotated[
        str,
        Field(
            "name",
            "what a customer can opt out of; declared in [policy.yaml](policy.md)",
            needs="one of policy.yaml's topics",
        ),
    ]
    priority: Annotated[
        int, Field("whole", "0 to 1000, default 50; who gets the last place under a cap", most=1000)
    ] = 50
    enter: Annotated[
        Enter,
        Field("block", "how customers come in, below", needs="how customers come in, with reentry"),
    ]
    goal: Annotated[
        Goal | None,
        Field("block", "`{event, within, value, by: account}`: the signal that means success"),
    ] = None
    holdout: Annotated[Decimal, Field("percent", "a share that is deliberately not contacted")] = Decimal(0)
    measures: Annotated[tuple[str, ...], Field("names", "further events to look at")] = ()
    leave: Annotated[
        Condition | None,
        Field("condition", "a condition that ends the enrollment as `left`: the reason to speak is gone"),
    ] = None
    context: Annotated[
        tuple[tuple[str, str], ...],
        Field("types", "names with types: what an enrollment is told at its start"),
    ] = ()
    signals: Annotated[
        tuple[FilteredSignal, ...],
        Field("named", "names of its own for filtered events", expected="names with an event each"),
    ] = ()
    offers: Annotated[
        tuple[Offer, ...], Field("offers", "named rows; the first true one is frozen at its first use")
    ] = ()
    guardrails: Annotated[
        Guardrails, Field("block", "`caps` and `quiet_hours`, added to those of the account")
    ] = Guardrails()
    at_any_step: Annotated[
        tuple[Route, ...], Field("routes", "outcomes and signals that lead away from every step")
    ] = ()
    steps: Annotated[
        tuple[Step, ...], Field("steps", "the first one written is the start", needs="at least one step")
    ]
