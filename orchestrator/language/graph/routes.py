"""Finds where a word leads: the step's own ``then``, ``at_any_step``, then the fallback chain of unnamed words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.language.model import ELSE, EVERY_OUTCOME, Route, Step
from orchestrator.language.outcomes import BEFORE_SEND, GO, chain, kind_of, obligatory

# What a step that has no no_response does when it cannot begin.
_INSTEAD: Mapping[str, tuple[str, ...]] = {"call": ("failed",), "set": (GO,), "start": (GO,)}

_RANGE = re.compile(r"(-?[0-9]+)-(-?[0-9]+)")
ANY = "any:"  # how the triggers of at_any_step begin


@dataclass(frozen=True, kw_only=True, slots=True)
class Hop:
    """One transition found. ``outcome_used`` is the word that was named, which the fallback chain may have changed."""

    to: str
    trigger: str
    outcome_used: str


def own_hops(step: Step) -> Iterator[Hop]:
    """Every transition the step's ``then`` (or its branches) writes out."""
    for route in step.then:
        if route.outcome == EVERY_OUTCOME:
            for outcome in obligatory(step.action):
                yield Hop(to=route.to or "", trigger=outcome, outcome_used=outcome)
        else:
            yield from _hops(route, "")


def any_hops(routes: Iterable[Route]) -> Iterator[Hop]:
    """Every transition that ``at_any_step`` writes out."""
    for route in routes:
        yield from _hops(route, ANY)


def own_hop(step: Step, outcome: str, detail: str | None) -> Hop | None:
    """Where the step's own ``then`` leads ``outcome``, without any fallback."""
    for route in step.then:
        if route.outcome == outcome:
            return _pick(route, detail, "")
    every = next((route.to for route in step.then if route.outcome == EVERY_OUTCOME), None)
    if every is not None and outcome in obligatory(step.action):
        return Hop(to=every, trigger=outcome, outcome_used=outcome)
    return None


def any_hop(
    routes: Mapping[str, Route], step: Step, outcome: str, detail: str | None, exhausted: Collection[str]
) -> Hop | None:
    """Where ``at_any_step`` leads ``outcome`` from here.

    It fires neither in its own target nor towards one of ``exhausted``: steps that may not be entered again.
    """
    route = routes.get(outcome)
    if route is None or kind_of(step.action) == "end":
        return None
    hop = _pick(route, detail, ANY)
    if hop is None or hop.to == step.name or hop.to in exhausted:
        return None
    return hop


def find(
    step: Step,
    routes: Mapping[str, Route],
    outcome: str,
    detail: str | None = None,
    exhausted: Collection[str] = (),
) -> Hop | None:
    """Where ``outcome`` leads: each word of its fallback chain is looked for here first, then in ``at_any_step``."""
    kind = kind_of(step.action)
    for name in (outcome, *_INSTEAD[kind]) if kind in _INSTEAD and outcome in BEFORE_SEND else chain(outcome):
        if any(route.outcome == name for route in step.then):
            hop = own_hop(step, name, detail if name == outcome else None)
            if hop is not None or name == outcome:
                return hop
            continue
        hop = own_hop(step, name, None) or any_hop(
            routes, step, name, detail if name == outcome else None, exhausted
        )
        if hop is not None:
            return hop
    return None


def choice_covers(key: str, detail: str) -> bool:
    """Whether a choice key (``boss``, ``9``, ``0-6``) stands for this answer or link."""
    if key == detail:
        return True
    found = _RANGE.fullmatch(key)
    if found is None:
        return False
    try:
        return int(found[1]) <= int(detail) <= int(found[2])
    except ValueError:
        return False


def _pick(route: Route, detail: str | None, prefix: str) -> Hop | None:
    if route.to is not None:
        return Hop(to=route.to, trigger=f"{prefix}{route.outcome}", outcome_used=route.outcome)
    for key, to in route.choices:
        if key != ELSE and detail is not None and choice_covers(key, detail):
            return Hop(to=to, trigger=f"{prefix}{route.outcome}:{key}", outcome_used=route.outcome)
    for key, to in route.choices:
        if key == ELSE:
            return Hop(to=to, trigger=f"{prefix}{route.outcome}:{ELSE}", outcome_used=route.outcome)
    return None


def _hops(route: Route, prefix: str) -> Iterator[Hop]:
    if route.to is not None:
        yield Hop(to=route.to, trigger=f"{prefix}{route.outcome}", outcome_used=route.outcome)
    for key, to in route.choices:
        yield Hop(to=to, trigger=f"{prefix}{route.outcome}:{key}", outcome_used=route.outcome)


def branch_trigger(index: int) -> str:
    """The trigger of the n-th row of a choose, counted from 0."""
    return f"{GO}:{index}"
