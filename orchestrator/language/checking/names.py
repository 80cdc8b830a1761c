"""Checks every name a playbook uses against what signals.yaml, policy.yaml, calendar.yaml and the playbook declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.language.checking.anchors import check_anchor
from orchestrator.language.checking.conditions import check_condition, check_filters, check_name
from orchestrator.language.checking.context import EVENT_FACTS, Checking, Keys
from orchestrator.language.conditions.playbook_requirements import moments_of
from orchestrator.language.conditions.requirements import RUN_ANCHORS, same_as
from orchestrator.language.model import (
    All,
    Any,
    AtLeastOf,
    Call,
    Choose,
    Condition,
    Playbook,
    Set,
    Start,
    Step,
    Wait,
)
from orchestrator.language.moments import Anchored, Moment
from orchestrator.language.outcomes import RESERVED_OUTCOMES
from orchestrator.language.problems import (
    PlacedProblem,
    Problems,
    SourcePosition,
    did_you_mean,
    one_of,
    shown,
)
from orchestrator.language.templates import GIVEN, RUN_FACTS


def check_names(checking: Checking) -> None:
    _check_doubles(checking)
    _check_topic(checking)
    _check_enter(checking)
    _check_goal(checking)
    _check_signals(checking)
    _check_steps(checking)
    if checking.playbook.leave is not None:
        check_condition(checking, checking.playbook.leave, ("leave",), "leave")
    for offer in checking.playbook.offers:
        for number, row in enumerate(offer.rows):
            if row.if_ is not None:
                check_condition(
                    checking, row.if_, ("offers", offer.name, number, "if"), f"offer '{offer.name}'"
                )


def _check_doubles(checking: Checking) -> None:
    """One namespace: a name means one thing."""
    taken = {
        **dict.fromkeys(checking.vocabulary.value_names, "a value of signals.yaml"),
        **dict.fromkeys(checking.vocabulary.event_named, "an event of signals.yaml"),
        **dict.fromkeys((*GIVEN, *RUN_FACTS, *RUN_ANCHORS), "a built-in name"),
        **dict.fromkeys(RESERVED_OUTCOMES, "an outcome"),
    }
    if checking.playbook.enter.calendar:
        taken.update(dict.fromkeys(EVENT_FACTS, "a fact of the calendar"))
    for key, names in (
        ("context", [name for name, _ in checking.playbook.context]),
        ("signals", [signal.name for signal in checking.playbook.signals]),
        ("steps", sorted(checking.saved)),
    ):
        for name in names:
            if name in taken:
                checking.error(
                    (key, name), f"{key}: {shown(name)} is already {taken[name]}; choose another name"
                )
            elif key != "steps":
                taken[name] = f"a name in {key}"


def _check_topic(checking: Checking) -> None:
    topics = checking.policy.topic_named
    if checking.playbook.topic not in topics:
        hint = did_you_mean(checking.playbook.topic, topics) or (
            f"; the topics are {one_of(topics)}" if topics else "; declare it under 'topics' in policy.yaml"
        )
        checking.error(
            ("topic",), f"topic: {shown(checking.playbook.topic)} is no topic of policy.yaml{hint}"
        )


def _event(checking: Checking, name: str, where: Keys, what: str) -> None:
    if name in checking.signals:
        return
    if checking.vocabulary.type_of(name) is not None:
        checking.error(where, f"{what}: {shown(name)} is a value, expected an event")
        return
    hint = did_you_mean(name, checking.signals) or "; declare it under 'events' in signals.yaml"
    checking.error(where, f"{what}: {shown(name)} is no declared event{hint}")


def _check_enter(checking: Checking) -> None:
    enter = checking.playbook.enter
    for number, name in enumerate(enter.when):
        _event(checking, name, ("enter", "when", number), "enter: when")
    for number, name in enumerate(enter.calendar):
        if name not in checking.calendars.named:
            hint = did_you_mean(name, checking.calendars.named) or "; declare it in calendar.yaml"
            checking.error(("enter", "calendar", number), f"enter: {shown(name)} is no calendar{hint}")
    if enter.reentry.per is not None and enter.reentry.per not in checking.context:
        hint = did_you_mean(enter.reentry.per, checking.context) or "; declare it under 'context'"
        checking.error(
            ("enter", "reentry", "per"), f"enter: per {shown(enter.reentry.per)} is not in the context{hint}"
        )
    if enter.if_ is not None:
        check_condition(checking, enter.if_, ("enter", "if"), "enter: if")
        if enter.because is None and not explains(enter.if_):
            checking.error(
                ("enter", "if"),
                "enter: if: every true way needs a 'because', the reason the customer is told",
            )


def explains(condition: Condition) -> bool:
    """Whether every way in which the condition can be true ends in a ``because``."""
    if condition.because is not None:
        return True
    match condition:
        case All():
            return any(explains(part) for part in condition.parts)
        case Any():
            return all(explains(part) for part in condition.parts)
        case AtLeastOf():
            silent = sum(not explains(part) for part in condition.parts)
            return silent < condition.count
        case _:
            return False


def _check_goal(checking: Checking) -> None:
    goal = checking.playbook.goal
    if goal is not None:
        for name in goal.event:
            _event(checking, name, ("goal", "event"), "goal")
        properties = [name for event in goal.event for name, _ in _properties(checking, event)]
        if (
            goal.value is not None
            and properties
            and goal.value not in properties
            and goal.value not in checking.values
        ):
            hint = did_you_mean(goal.value, properties)
            checking.error(
                ("goal", "value"), f"goal: value {shown(goal.value)} is no property of its event{hint}"
            )
    for number, name in enumerate(checking.playbook.measures):
        _event(checking, name, ("measures", number), "measures")


def _properties(checking: Checking, event: str) -> Iterable[tuple[str, str]]:
    own = checking.own_signals.get(event)
    known = checking.vocabulary.event_named.get(own.event if own else event)
    return known.properties if known else ()


def _check_signals(checking: Checking) -> None:
    for signal in checking.playbook.signals:
        where: Keys = ("signals", signal.name)
        if signal.event not in checking.vocabulary.event_named:
            hint = did_you_mean(signal.event, checking.vocabulary.event_named)
            checking.error((*where, "event"), f"signals: {shown(signal.event)} is no declared event{hint}")
        check_filters(checking, signal.event, signal.where, where, f"signals: {signal.name}")


def _check_steps(checking: Checking) -> None:
    for step in checking.playbook.steps:
        what, where = f"step '{step.name}'", ("steps", step.name)
        for inner, asked in conditions_in(step):
            check_condition(checking, asked, (*where, *inner), what)
        match step.action:
            case Call(with_=pairs) | Set(attributes=pairs) | Start(context=pairs):
                for name in same_as(value for _, value in pairs):
                    check_name(checking, name, where, what)
            case _:
                pass
        if isinstance(step.action, Set):
            for name, _ in step.action.attributes:
                if name not in checking.vocabulary.attribute_named:
                    hint = did_you_mean(name, checking.vocabulary.attribute_named)
                    checking.error(
                        (*where, "set", "attributes", name), f"{what}: {shown(name)} is no attribute{hint}"
                    )
        for moment in moments_of(step):
            if isinstance(moment, Anchored):
                check_anchor(checking, moment, where, what)


def conditions_in(step: Step) -> Iterator[tuple[Keys, Condition]]:
    """The conditions a step asks, with where in the step they are written."""
    match step.action:
        case Choose(branches=rows):
            for number, row in enumerate(rows):
                if row.if_ is not None:
                    yield ("choose", number, "if"), row.if_
        case Wait(until=until) if until is not None and not isinstance(until, Moment):
            yield ("wait_until",), until
        case _:
            return


def unknown_starts(playbook: Playbook, known: Iterable[str], path: str) -> list[PlacedProblem]:
    """Start steps that name no playbook of the folder."""
    names, problems = set(known), Problems()
    for step in playbook.steps:
        if isinstance(step.action, Start) and step.action.playbook not in names:
            hint = did_you_mean(step.action.playbook, names)
            problems.error(
                SourcePosition(path),
                f"step '{step.name}': {shown(step.action.playbook)} is no playbook here{hint}",
            )
    return problems.sorted()
