"""The Python face of the language: the same plain spellings as YAML, read by the same parser.

::

    from orchestrator import Cooldown, End, Enter, Playbook, Send, Step

    playbook = Playbook(
        name="nudge", version=1, title="One friendly nudge", topic="upsell",
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

Written by ``python -m orchestrator.language.writing.author_writer`` from the declared fields: change those.
"""

# ruff: noqa: N802 - a builder reads as the value it makes
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, overload

from orchestrator.language import model
from orchestrator.language.author_parts import (
    Names,
    OwnName,
    Question,
    Span,
    SpelledAction,
    SpelledBranch,
    SpelledEntry,
    SpelledGoal,
    SpelledSplit,
    SpelledStep,
    Values,
    all_of,
    any_of,
    at_least_of,
    finished,
    not_,
    part,
    step,
    where,
)

# Written by a program, which puts several short entries on a line.
# fmt: off

__all__ = [
    "Ask", "Branch", "Call", "Choose", "Cooldown", "End", "Enter", "Goal", "Handoff", "OwnName", "Playbook",
    "Send", "Set", "Split", "Start", "Step", "WaitUntil", "all_of", "any_of", "at_least_of", "not_", "where",
]

Channel = Literal[
    "in_app", "email", "sms", "whatsapp", "chat", "webhook",
]

Outcome = Literal[
    "answered", "clicked", "negative", "dismissed", "replied", "closed", "bounced", "failed",
    "seen_no_action", "opened_no_click", "unknown", "no_response", "missed", "exhausted", "not_sent", "done",
    "met", "opted_out",
]

Ending = Literal[
    "no_conversion", "handed_over", "declined", "finished", "stopped", "left",
]

ValueType = Literal[
    "text", "number", "money", "percent", "date", "time", "flag", "list",
]

Channels = Channel | OwnName | Sequence[Channel | OwnName]
Routes = Mapping[Outcome | OwnName, str | Mapping[str, str]]
Variants = Mapping[str, str]  # of a split: variant to step


def Playbook(
    *,
    name: str,
    version: int,
    title: str,
    topic: str,
    priority: int | None = None,
    enter: SpelledEntry,
    goal: SpelledGoal | None = None,
    holdout: str | None = None,
    measures: Names | None = None,
    leave: Question | None = None,
    context: Mapping[str, ValueType] | None = None,
    signals: Mapping[str, Mapping[Literal["event", "where"], object]] | None = None,
    offers: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
    guardrails: Mapping[Literal["caps", "quiet_hours"], object] | None = None,
    at_any_step: Routes | None = None,
    steps: Sequence[SpelledStep],
) -> model.Playbook:
    """A whole playbook; :class:`~orchestrator.errors.PlaybookError` lists everything wrong with it."""
    return finished(
        {
            "playbook": name, "version": version, "title": title, "topic": topic, "priority": priority,
            "enter": enter, "goal": goal, "holdout": holdout, "measures": measures, "leave": leave,
            "context": context, "signals": signals, "offers": offers, "guardrails": guardrails,
            "at_any_step": at_any_step,
        },
        steps,
    )


def Enter(
    *,
    when: Names | None = None,
    every: Literal["day"] | None = None,
    calendar: Names | None = None,
    ahead: Span | None = None,
    if_: Question | None = None,
    because: str | None = None,
    one_per: Literal["account"] | Mapping[Literal["account"], Names] | None = None,
    reentry: Literal["never"] | Mapping[Literal["after", "per"], Span],
) -> SpelledEntry:
    """How customers come in: by signals, a daily look, a calendar, or by the product alone."""
    return part(
        SpelledEntry,
        None,
        {
            "when": when, "every": every, "calendar": calendar, "ahead": ahead, "if": if_, "because": because,
            "one_per": one_per, "reentry": reentry,
        },
    )


def Goal(
    *,
    event: Names,
    within: Span,
    value: str | None = None,
    by: Literal["account", "customer"] | None = None,
) -> SpelledGoal:
    """The event that means success, and how long after entry it counts."""
    return part(SpelledGoal, None, {"event": event, "within": within, "value": value, "by": by})


def Branch(
    *,
    if_: Question | None = None,
    go: str,
) -> SpelledBranch:
    """One row of a choose; the last has no ``if_``."""
    return part(SpelledBranch, None, {"if": if_, "go": go})


@overload
def Step(
    name: str,
    action: SpelledSplit,
    *,
    wait: Span | None = None,
    then: str | Variants | None = None,
    at: Span | None = None,
    late: Span | None = None,
    at_most: int | None = None,
) -> SpelledStep: ...


@overload
def Step(
    name: str,
    action: SpelledAction | None = None,
    *,
    wait: Span | None = None,
    then: str | Routes | None = None,
    at: Span | None = None,
    late: Span | None = None,
    at_most: int | None = None,
) -> SpelledStep: ...


def Step(
    name: str,
    action: SpelledAction | None = None,
    *,
    wait: Span | None = None,
    then: str | Routes | Variants | None = None,
    at: Span | None = None,
    late: Span | None = None,
    at_most: int | None = None,
) -> SpelledStep:
    """One state. Without an action it only waits."""
    return step(
        name,
        action,
        {
            "wait": wait, "then": then, "at": at, "late": late, "at_most": at_most,
        },
    )


def Send(
    *,
    channel: Literal["preferred"] | Channels,
    template: str,
    as_: Literal["modal", "banner", "sidebar", "inbox"] | None = None,
    to: str | None = None,
    among: Channels | None = None,
    when_capped: Literal["defer", "skip"] | Mapping[Literal["fallback"], Channel | OwnName] | None = None,
    patience: Span | None = None,
    keep: Span | None = None,
    stale_after: Span | None = None,
) -> SpelledAction:
    """One message: on one channel, or on the first of several that may speak, or on the ``preferred`` one."""
    return part(
        SpelledAction,
        "send",
        {
            "channel": channel, "template": template, "as": as_, "to": to, "among": among,
            "when_capped": when_capped, "patience": patience, "keep": keep, "stale_after": stale_after,
        },
    )


def Ask(
    *,
    channel: Literal["preferred"] | Channels,
    question: str,
    answers: Mapping[str, str] | None = None,
    scale: str | None = None,
    comment: str | None = None,
    saves: str | None = None,
    negative: str | Sequence[str | int] | None = None,
    as_: Literal["modal", "banner", "sidebar", "inbox"] | None = None,
    when_capped: Literal["defer", "skip"] | Mapping[Literal["fallback"], Channel | OwnName] | None = None,
    patience: Span | None = None,
    keep: Span | None = None,
) -> SpelledAction:
    """A micro-survey with ``answers`` or a ``scale``, carried by a channel."""
    return part(
        SpelledAction,
        "ask",
        {
            "channel": channel, "question": question, "answers": answers, "scale": scale, "comment": comment,
            "saves": saves, "negative": negative, "as": as_, "when_capped": when_capped, "patience": patience,
            "keep": keep,
        },
    )


def Handoff(
    *,
    to: str,
    template: str,
) -> SpelledAction:
    """Over to a person, with a template of context."""
    return part(SpelledAction, "handoff", {"to": to, "template": template})


def Call(
    *,
    function: str | None = None,
    webhook: str | None = None,
    with_: Values | None = None,
    saves: str | None = None,
) -> SpelledAction:
    """A registered Python function or a signed webhook."""
    return part(
        SpelledAction,
        "call",
        {
            "function": function, "webhook": webhook, "with": with_, "saves": saves,
        },
    )


def Choose(*branches: SpelledBranch) -> SpelledAction:
    """The first true branch."""
    return part(SpelledAction, "choose", branches)


def Split(shares: Mapping[str, str]) -> SpelledSplit:
    """Variants with their shares, ``{"full": "50%", "less": "50%"}``."""
    return part(SpelledSplit, "split", shares)


def Set(
    *,
    attributes: Values | None = None,
    add_tags: Names | None = None,
    remove_tags: Names | None = None,
) -> SpelledAction:
    """Attributes and tags to write on the customer."""
    return part(
        SpelledAction,
        "set",
        {
            "attributes": attributes, "add_tags": add_tags, "remove_tags": remove_tags,
        },
    )


def Start(
    *,
    playbook: str,
    one_of: Names | None = None,
    context: Values | None = None,
) -> SpelledAction:
    """Begin another enrollment: the customer's own, or a colleague's with one of these roles."""
    return part(SpelledAction, "start", {"playbook": playbook, "one_of": one_of, "context": context})


def Cooldown(
    for_: Span,
    *,
    scope: Literal["everything", "topic", "playbook"] | None = None,
) -> SpelledAction:
    """A do-not-disturb time of ``everything`` (the default), the ``topic`` or the ``playbook``."""
    return part(SpelledAction, "cooldown", {"for": for_, "scope": scope})


def WaitUntil(until: Span | Question) -> SpelledAction:
    """A moment, or a condition with the step's ``wait`` as its time-out; a plain wait has neither."""
    return part(SpelledAction, "wait_until", until)


def End(outcome: Ending | OwnName) -> SpelledAction:
    """The enrollment is over: no_conversion, handed_over, declined, finished, stopped, left, or your own
    status.
    """
    return part(SpelledAction, "end", outcome)
