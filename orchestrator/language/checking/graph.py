"""Checks the playbook as a graph: every step is reached, every walk ends, no loop runs without a wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.language.checking.context import Checking
from orchestrator.language.graph.edges import any_targets, loops, reached, successors
from orchestrator.language.graph.longest import longest_path
from orchestrator.language.graph.routes import Hop, find, own_hops
from orchestrator.language.model import Choose, Cooldown, Step, Wait
from orchestrator.language.moments import ClockTime, Duration, Moment
from orchestrator.language.outcomes import LEDGER_OUTCOME, MET, SPEAKING, kind_of
from orchestrator.language.problems import did_you_mean, one_of, shown


def check_graph(checking: Checking) -> None:
    _check_targets(checking)
    follow = successors(checking.playbook)
    anywhere = any_targets(checking.playbook)
    first = checking.playbook.steps[0].name
    seen = reached([first, *anywhere], follow)
    for name in follow:
        if name not in seen:
            checking.error(("steps", name), f"step '{name}': nothing leads here")
    _check_ways_out(checking, follow, seen)
    _check_loops(checking)
    _check_opt_out(checking, follow)
    longest = longest_path(checking.playbook)
    goal = checking.playbook.goal
    if goal is not None and longest is not None and goal.within.span < longest:
        days = -(-longest // Duration(count=1, unit="d").span)
        checking.warning(
            ("goal", "within"), f"goal: within {goal.within} is shorter than the longest walk, {days}d"
        )


def targets(step: Step) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every step named as a target, with where it is written."""
    if isinstance(step.action, Choose):
        for number, row in enumerate(step.action.branches):
            yield ("steps", step.name, "choose", number, "go"), row.go
    for route in step.then:
        if route.to is not None:
            yield ("steps", step.name, "then", route.outcome), route.to
        for key, to in route.choices:
            yield ("steps", step.name, "then", route.outcome, key), to


def _check_targets(checking: Checking) -> None:
    found = [one for step in checking.playbook.steps for one in targets(step)]
    for route in checking.playbook.at_any_step:
        if route.to is not None:
            found.append((("at_any_step", route.outcome), route.to))
        found += [(("at_any_step", route.outcome, key), to) for key, to in route.choices]
    for where, to in found:
        if to not in checking.steps:
            what = f"step '{where[1]}'" if where[0] == "steps" else "at_any_step"
            hint = did_you_mean(to, checking.steps) or f"; the steps are {one_of(list(checking.steps)[:20])}"
            checking.error(where, f"{what}: leads to {shown(to)}, which is no step{hint}")


def _check_ways_out(checking: Checking, follow: Mapping[str, tuple[str, ...]], seen: set[str]) -> None:
    back: dict[str, list[str]] = {name: [] for name in follow}
    for name, targets_ in follow.items():
        for to in targets_:
            back[to].append(name)
    ends = [name for name, step in checking.steps.items() if kind_of(step.action) == "end"]
    if not ends:
        checking.error(("steps",), "no step ends the walk: write 'done: {end: no_conversion}' and lead there")
        return
    leaving = reached(ends, back)
    for name in follow:
        if name in seen and name not in leaving:
            checking.error(("steps", name), f"step '{name}': no way out: nothing leads from here to an end")


def _check_loops(checking: Checking) -> None:
    """A loop that can be gone round for ever without any time passing.

    A message step is entered only so often; after that it is left by ``exhausted``, so that is the edge that counts.
    """
    follow = {
        name: tuple(
            dict.fromkeys(hop.to for hop in _instant_hops(checking, step) if hop.to in checking.steps)
        )
        for name, step in checking.steps.items()
    }
    for group in loops(follow):
        order = [name for name in checking.steps if name in group]
        path = " → ".join([*order, order[0]])
        checking.error(("steps", order[0]), f"step '{order[0]}': a loop without a wait: {path}")


def _instant_hops(checking: Checking, step: Step) -> Iterator[Hop]:
    kind = kind_of(step.action)
    any_step = {route.outcome: route for route in checking.playbook.at_any_step}
    if isinstance(step.action, Choose):
        yield from (Hop(to=row.go, trigger="", outcome_used="") for row in step.action.branches)
    elif kind in SPEAKING:
        hop = find(step, any_step, "exhausted")
        if hop is not None:
            yield hop
    elif kind in ("split", "set", "start"):
        yield from own_hops(step)
    elif isinstance(step.action, Wait | Cooldown):
        until = step.action.until if isinstance(step.action, Wait) else step.action.for_
        moment = until if isinstance(until, Moment) else step.wait
        at_once = {MET} if until is not None and not isinstance(until, Moment) else set()
        if not isinstance(moment, Duration | ClockTime):
            at_once |= {"no_response", "missed"}  # an anchor may lie in the past, or have no value
        yield from (hop for hop in own_hops(step) if hop.outcome_used in at_once)
    if step.at is not None and kind not in SPEAKING:
        hop = find(step, any_step, "missed")
        if hop is not None:
            yield hop


def _check_opt_out(checking: Checking, follow: Mapping[str, tuple[str, ...]]) -> None:
    for route in checking.playbook.at_any_step:
        if route.outcome != LEDGER_OUTCOME or route.to is None or route.to not in checking.steps:
            continue
        speaking = [
            name
            for name in follow
            if name in reached([route.to], follow) and kind_of(checking.steps[name].action) in ("send", "ask")
        ]
        if speaking:
            checking.error(
                ("at_any_step", LEDGER_OUTCOME),
                f"at_any_step: opted_out leads to step '{speaking[0]}', which speaks; lead it to a rest or an end",
            )
