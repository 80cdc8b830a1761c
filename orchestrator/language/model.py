"""The playbook model: what both faces of the language, YAML and Python, are read into.

Everything here is a frozen value compared by content. A :class:`Step` carries exactly one *action*; its ``then`` are
the state machine's transitions. Order is kept wherever it has meaning (steps, branches, routes), so sequences are
tuples and never mappings. The model holds what the author wrote; defaults that depend on other parts (fallback
edges, the transitions for goal and opt-out) are added by :mod:`orchestrator.language.graph.compile`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

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

EVERY_WORD = "*"  # the word of the route that ``then: step`` is read into
ELSE = "else"  # the last key of a route that tells links, buttons or answers apart


# --- conditions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class SameAs:
    """``{same_as: name}``: the value of a context field, attribute or run fact instead of a literal."""

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
    """One attribute, computed value, context field or dotted run fact against ``value``.

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
class Send:
    """``channel`` holds one name, several in order of preference, or ``("preferred",)`` with ``among``."""

    channel: tuple[str, ...]
    template: str
    as_: Literal["modal", "banner", "sidebar", "inbox"] | None = None
    to: str | None = None
    among: tuple[str, ...] = ()
    when_capped: Literal["defer", "skip"] = "defer"
    fallback: str | None = None  # when_capped: {fallback: channel}
    patience: Moment | None = None
    keep: Moment | None = None
    stale_after: Duration | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A micro-survey: ``answers`` (key to words) or ``scale`` (low, high), carried by a channel."""

    channel: tuple[str, ...]
    question: str
    answers: tuple[tuple[str, str], ...] = ()
    scale: tuple[int, int] | None = None
    comment: str | None = None  # the words that invite a free text, or None for no comment field
    saves: str | None = None
    negative: tuple[str, ...] = ()
    as_: Literal["modal", "banner", "sidebar", "inbox"] | None = None
    when_capped: Literal["defer", "skip"] = "defer"
    fallback: str | None = None
    patience: Moment | None = None
    keep: Moment | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Handoff:
    to: str
    template: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """``function`` or ``webhook``; ``with_`` maps argument names to literals or :class:`SameAs`."""

    function: str | None = None
    webhook: str | None = None
    with_: tuple[tuple[str, Scalar | SameAs], ...] = ()
    saves: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """One row of ``choose``; the last has no ``if_``."""

    go: str
    if_: Condition | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Choose:
    branches: tuple[Branch, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Variant name to share (fractions that add to 1)."""

    shares: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Set:
    attributes: tuple[tuple[str, Scalar | SameAs], ...] = ()
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Begin another run: of the customer herself (``one_of`` empty) or of a colleague with one of these roles."""

    playbook: str
    one_of: tuple[str, ...] = ()
    context: tuple[tuple[str, Scalar | SameAs], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cooldown:
    for_: Moment
    scope: Literal["everything", "topic", "playbook"] = "everything"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """``wait`` alone, or ``wait_until``: a moment, or a condition with ``wait`` as its time-out."""

    until: Moment | Condition | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    outcome: str


Action = Send | Ask | Handoff | Call | Choose | Split | Set | Start | Cooldown | Wait | End


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One state. ``wait`` is the listening time of a message step, or the whole of a plain ``wait`` step."""

    name: str
    action: Action
    wait: Moment | None = None
    then: tuple[Route, ...] = ()
    at: Moment | None = None
    late: Moment | None = None
    at_most: int | None = None


# --- the playbook ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Reentry:
    """``never`` (all None), ``after`` a gap since the last end, ``per`` a context field, or both."""

    after: Duration | None = None
    per: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Enter:
    """How customers come in: by signals (``when``), a daily scan, a calendar, or by the product alone."""

    reentry: Reentry
    when: tuple[str, ...] = ()
    every: Literal["day"] | None = None
    calendar: tuple[str, ...] = ()
    ahead: Duration | None = None
    if_: Condition | None = None
    because: str | None = None
    one_per: tuple[str, ...] = ()  # one_per: {account: [preferred roles]}; ("*",) for any role


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    events: tuple[str, ...]
    within: Duration
    value: str | None = None
    by_account: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FilteredSignal:
    """A name of the playbook's own: one event narrowed by ``where``."""

    name: str
    event: str
    where: tuple[Filter, ...] = ()


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

    at_most: int
    within: Duration
    channel: str | None = None
    topic: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietWindow:
    """A daily silence in local time, ``HH:MM`` both; may cross midnight. ``weekdays`` empty means every day.

    The weekday is that of the window's beginning. ``regions`` maps a region code to its own (from, until).
    """

    channel: str
    from_: str
    until: str
    weekdays: tuple[str, ...] = ()
    regions: tuple[tuple[str, tuple[str, str]], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Guardrails:
    """A playbook's own additions to the account's policy: they can only make it stricter."""

    caps: tuple[Cap, ...] = ()
    quiet_hours: tuple[QuietWindow, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Playbook:
    playbook: str
    version: int
    title: str
    topic: str
    enter: Enter
    steps: tuple[Step, ...]
    priority: int = 50
    goal: Goal | None = None
    holdout: Decimal = Decimal(0)
    measures: tuple[str, ...] = ()
    leave: Condition | None = None
    at_any_step: tuple[Route, ...] = ()
    context: tuple[tuple[str, str], ...] = ()
    signals: tuple[FilteredSignal, ...] = ()
    offers: tuple[Offer, ...] = ()
    guardrails: Guardrails = Guardrails()
