"""The Python face of the language: the same plain spellings as YAML, read by the same parser.

::

    from orchestrator import Cooldown, End, Enter, Playbook, Send, Step

    playbook = Playbook(
        playbook="nudge", version=1, title="One friendly nudge", topic="upsell",
        enter=Enter(when="limit_reached", reentry={"after": "30d"}, because="you reached your limit"),
        steps=[
            Step("mail", Send(channel="email", template="mail"), wait="2d", then="rest"),
            Step("rest", Cooldown("21d"), then="done"),
            Step("done", End("no_conversion")),
        ],
    )

Python's own words carry an underscore: ``if_``, ``as_``, ``with_``, ``from_``, ``for_``, ``not_``.
:func:`Playbook` gives the same frozen value as YAML does; what is wrong is raised all at once, each problem with the
file and line of the call that wrote it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal

from orchestrator.errors import PlaybookError
from orchestrator.language import model
from orchestrator.language.problems import Problems, SourcePosition
from orchestrator.language.reading.playbook import parse_playbook
from orchestrator.language.reading.python_tree import Spelled, tree_of
from orchestrator.language.reading.tree import Node

__all__ = [
    "Ask", "Branch", "Call", "Choose", "Cooldown", "End", "Enter", "Goal", "Handoff", "Playbook", "Send", "Set",
    "Split", "Start", "Step", "WaitUntil", "all_of", "any_of", "at_least_of", "not_", "where",
]  # fmt: skip

Literal = str | int | float | Decimal | bool
Names = str | Sequence[str]
Condition = Mapping[str, object] | Spelled
Routes = str | Mapping[str, str | Mapping[str, str]]

_made: ContextVar[list[tuple[model.Playbook, Node]] | None] = ContextVar("made playbooks", default=None)


def _here() -> SourcePosition:
    """The file and line of the author's call: two frames up."""
    frame = sys._getframe(2)  # noqa: SLF001 - the only way to name the caller's line
    return SourcePosition(frame.f_code.co_filename, frame.f_lineno)


def _given(**fields: object) -> dict[str, object]:
    return {key.removesuffix("_"): value for key, value in fields.items() if value is not None}


@contextmanager
def collected() -> Iterator[list[tuple[model.Playbook, Node]]]:
    """Gathers the playbooks made inside, each with the tree it was read from."""
    made: list[tuple[model.Playbook, Node]] = []
    token = _made.set(made)
    try:
        yield made
    finally:
        _made.reset(token)


def Playbook(  # noqa: N802 - reads as the value it makes
    *,
    playbook: str,
    version: int,
    title: str,
    topic: str,
    enter: Spelled | Mapping[str, object],
    steps: Sequence[Spelled],
    priority: int | None = None,
    goal: Spelled | Mapping[str, object] | None = None,
    holdout: str | None = None,
    measures: Names | None = None,
    leave: Condition | None = None,
    context: Mapping[str, str] | None = None,
    signals: Mapping[str, object] | None = None,
    offers: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
    guardrails: Mapping[str, object] | None = None,
    at_any_step: Mapping[str, str | Mapping[str, str]] | None = None,
) -> model.Playbook:
    """A whole playbook; :class:`~orchestrator.errors.PlaybookError` lists everything wrong with it."""
    place = _here()
    problems = Problems()
    fields = _given(
        playbook=playbook, version=version, title=title, topic=topic, priority=priority, enter=enter, goal=goal,
        holdout=holdout, measures=measures, leave=leave, context=context, signals=signals, offers=offers,
        guardrails=guardrails, at_any_step=at_any_step,
        steps=[(step.key, step) for step in steps],
    )  # fmt: skip
    tree = tree_of(fields, place, problems, pairs=True)
    made, found = parse_playbook(tree)
    problems.extend(found)
    if made is None or problems.errors:
        raise PlaybookError(problems.errors)
    collector = _made.get()
    if collector is not None:
        collector.append((made, tree))
    return made


def Enter(  # noqa: N802
    *,
    reentry: str | Mapping[str, str],
    when: Names | None = None,
    every: str | None = None,
    calendar: Names | None = None,
    ahead: str | None = None,
    if_: Condition | None = None,
    because: str | None = None,
    one_per: str | Mapping[str, Names] | None = None,
) -> Spelled:
    """How customers come in. ``reentry`` is ``"never"``, ``{"after": "90d"}`` or ``{"per": "order_id"}``."""
    value = _given(
        when=when, every=every, calendar=calendar, ahead=ahead, if_=if_, because=because, one_per=one_per,
        reentry=reentry,
    )  # fmt: skip
    return Spelled(value=value, place=_here())


def Goal(*, event: Names, within: str, value: str | None = None, by: str | None = None) -> Spelled:  # noqa: N802
    """The event that means success, and how long after entry it counts."""
    return Spelled(value=_given(event=event, by=by, within=within, value=value), place=_here())


def Step(  # noqa: N802
    name: str,
    action: Spelled | None = None,
    *,
    wait: str | None = None,
    then: Routes | None = None,
    at: str | None = None,
    late: str | None = None,
    at_most: int | None = None,
) -> Spelled:
    """One state. Without an ``action`` it only waits."""
    place = _here()
    doing = {action.key: action} if action is not None and action.key else {}
    fields = _given(at=at, late=late, wait=wait, at_most=at_most, then=then)
    return Spelled(value={**doing, **fields}, place=place, key=name)


def Send(  # noqa: N802
    *,
    channel: Names,
    template: str,
    as_: str | None = None,
    to: str | None = None,
    among: Names | None = None,
    when_capped: str | Mapping[str, str] | None = None,
    patience: str | None = None,
    keep: str | None = None,
    stale_after: str | None = None,
) -> Spelled:
    """One message; ``channel`` is a name, a list in order of preference, or ``"preferred"``."""
    value = _given(
        channel=channel, template=template, as_=as_, to=to, among=among, when_capped=when_capped, patience=patience,
        keep=keep, stale_after=stale_after,
    )  # fmt: skip
    return Spelled(value=value, place=_here(), key="send")


def Ask(  # noqa: N802
    *,
    channel: Names,
    question: str,
    answers: Mapping[str, str] | None = None,
    scale: str | None = None,
    comment: str | None = None,
    saves: str | None = None,
    negative: Names | None = None,
    as_: str | None = None,
    when_capped: str | Mapping[str, str] | None = None,
    patience: str | None = None,
    keep: str | None = None,
) -> Spelled:
    """A micro-survey with ``answers`` or a ``scale`` such as ``"0-10"``."""
    value = _given(
        channel=channel, question=question, answers=answers, scale=scale, comment=comment, saves=saves,
        negative=negative, as_=as_, when_capped=when_capped, patience=patience, keep=keep,
    )  # fmt: skip
    return Spelled(value=value, place=_here(), key="ask")


def Handoff(*, to: str, template: str) -> Spelled:  # noqa: N802
    """Over to a person, with a template of context."""
    return Spelled(value=_given(to=to, template=template), place=_here(), key="handoff")


def Call(  # noqa: N802
    *,
    function: str | None = None,
    webhook: str | None = None,
    with_: Mapping[str, Literal | Mapping[str, str]] | None = None,
    saves: str | None = None,
) -> Spelled:
    """A registered Python function or a signed webhook."""
    value = _given(function=function, webhook=webhook, with_=with_, saves=saves)
    return Spelled(value=value, place=_here(), key="call")


def Branch(*, go: str, if_: Condition | None = None) -> Spelled:  # noqa: N802
    """One row of a :func:`Choose`; the last has no ``if_``."""
    return Spelled(value=_given(if_=if_, go=go), place=_here())


def Choose(*branches: Spelled | Mapping[str, object]) -> Spelled:  # noqa: N802
    """The first true branch."""
    return Spelled(value=list(branches), place=_here(), key="choose")


def Split(shares: Mapping[str, str]) -> Spelled:  # noqa: N802
    """Variants with their shares, ``{"full": "50%", "less": "50%"}``."""
    return Spelled(value=shares, place=_here(), key="split")


def Set(  # noqa: N802
    *,
    attributes: Mapping[str, Literal | Mapping[str, str]] | None = None,
    add_tags: Names | None = None,
    remove_tags: Names | None = None,
) -> Spelled:
    """Attributes and tags to write on the customer."""
    value = _given(attributes=attributes, add_tags=add_tags, remove_tags=remove_tags)
    return Spelled(value=value, place=_here(), key="set")


def Start(  # noqa: N802
    *,
    playbook: str,
    one_of: Names | None = None,
    context: Mapping[str, Literal | Mapping[str, str]] | None = None,
) -> Spelled:
    """Begin another run: the customer's own, or a colleague's with one of these roles."""
    return Spelled(
        value=_given(playbook=playbook, one_of=one_of, context=context), place=_here(), key="start"
    )


def Cooldown(for_: str, *, scope: str | None = None) -> Spelled:  # noqa: N802
    """A do-not-disturb rest of ``everything`` (the default), the ``topic`` or the ``playbook``."""
    value = {"for": for_, "scope": scope} if scope else for_
    return Spelled(value=value, place=_here(), key="cooldown")


def WaitUntil(until: str | Condition) -> Spelled:  # noqa: N802
    """A moment, or a condition with the step's ``wait`` as its time-out."""
    return Spelled(value=until, place=_here(), key="wait_until")


def End(outcome: str) -> Spelled:  # noqa: N802
    """The walk is over: no_conversion, handed_over, declined, finished, stopped, left, or your own word."""
    return Spelled(value=outcome, place=_here(), key="end")


def any_of(*parts: Condition, because: str | None = None) -> Spelled:
    """At least one of the conditions."""
    return Spelled(value={"any": list(parts), **_given(because=because)}, place=_here())


def all_of(*parts: Condition, because: str | None = None) -> Spelled:
    """Every one of the conditions."""
    return Spelled(value={"all": list(parts), **_given(because=because)}, place=_here())


def not_(part: Condition, *, because: str | None = None) -> Spelled:
    """The condition does not hold, or what it asks about is missing."""
    return Spelled(value={"not": part, **_given(because=because)}, place=_here())


def at_least_of(count: int, *parts: Condition, because: str | None = None) -> Spelled:
    """At least ``count`` of the conditions."""
    return Spelled(value={"at_least": count, "of": list(parts), **_given(because=because)}, place=_here())


def where(name: str, value: object = None, *, because: str | None = None, **questions: object) -> Spelled:
    """One name asked: ``where("plan", "pro")``, ``where("health", less_than=40, because="...")``."""
    asked = value if not questions else {key.removesuffix("_"): inner for key, inner in questions.items()}
    return Spelled(value={name: asked, **_given(because=because)}, place=_here())
