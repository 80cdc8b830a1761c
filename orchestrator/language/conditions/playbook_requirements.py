"""Gathers, over a whole playbook, the values and the event history that walking it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from orchestrator.language.conditions.requirements import (
    RUN_ANCHORS,
    events_needed,
    filter_names,
    merge,
    names_needed,
    same_as,
)
from orchestrator.language.model import (
    Ask,
    Call,
    Choose,
    Condition,
    Cooldown,
    Playbook,
    Send,
    Set,
    Start,
    Step,
    Wait,
)
from orchestrator.language.moments import Anchored, Moment


def conditions_of(playbook: Playbook) -> Iterator[Condition]:
    """Every condition an enrollment or an entry may ask."""
    if playbook.enter.if_ is not None:
        yield playbook.enter.if_
    if playbook.leave is not None:
        yield playbook.leave
    for offer in playbook.offers:
        yield from (row.if_ for row in offer.rows if row.if_ is not None)
    for step in playbook.steps:
        if isinstance(step.action, Choose):
            yield from (branch.if_ for branch in step.action.branches if branch.if_ is not None)
        if isinstance(step.action, Wait) and step.action.until is not None:
            until = step.action.until
            if not isinstance(until, Moment):
                yield until


def moments_of(step: Step) -> Iterator[Moment]:
    """Every moment a step is timed by."""
    action = step.action
    found: list[object] = [step.wait, step.at, step.late]
    if isinstance(action, Send | Ask):
        found += [action.patience, action.keep]
    if isinstance(action, Cooldown):
        found.append(action.for_)
    if isinstance(action, Wait):
        found.append(action.until)
    yield from (moment for moment in found if isinstance(moment, Moment))


def anchors_of(playbook: Playbook) -> frozenset[str]:
    """The anchors that time steps; each may be an attribute, a context value or a signal."""
    return frozenset(
        moment.anchor
        for step in playbook.steps
        for moment in moments_of(step)
        if isinstance(moment, Anchored) and moment.anchor not in RUN_ANCHORS
    )


def history_needed(playbook: Playbook) -> Mapping[str, timedelta | None]:
    """Event to the longest look-back; None: since entry, or the latest ever (anchors)."""
    own = {signal.name: signal for signal in playbook.signals}
    needed: dict[str, timedelta | None] = {}
    for condition in conditions_of(playbook):
        for event, back in events_needed(condition, signals=own).items():
            merge(needed, event, back)
    for anchor in anchors_of(playbook):
        if "." not in anchor:
            merge(needed, own[anchor].event if anchor in own else anchor, None)
    return needed


def attributes_needed(playbook: Playbook) -> frozenset[str]:
    """Every name that conditions, filters, arguments and anchors look up (templates apart)."""
    own = {signal.name: signal for signal in playbook.signals}
    names: set[str] = set(anchors_of(playbook))
    for condition in conditions_of(playbook):
        names |= names_needed(condition, signals=own)
    for signal in playbook.signals:
        names |= filter_names(signal.where)
    for step in playbook.steps:
        match step.action:
            case Call(with_=pairs) | Set(attributes=pairs) | Start(context=pairs):
                names.update(same_as(value for _, value in pairs))
            case _:
                pass
    return frozenset(names)
