"""The playbook as a graph: who leads where, which steps are reached, which form loops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.language.graph.routes import any_hops, branch_trigger, own_hops
from orchestrator.language.model import Choose, Playbook, Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    source: str
    outcome: str  # as a diagram shows it: the word, with the choice after a colon
    to: str


def own_edges(step: Step) -> list[Edge]:
    """What the step itself writes: its ``then`` and its branches."""
    edges = [Edge(source=step.name, outcome=hop.trigger, to=hop.to) for hop in own_hops(step)]
    if isinstance(step.action, Choose):
        edges += [
            Edge(source=step.name, outcome=branch_trigger(n), to=row.go)
            for n, row in enumerate(step.action.branches)
        ]
    return edges


def any_targets(playbook: Playbook) -> tuple[str, ...]:
    """The steps that ``at_any_step`` leads to."""
    return tuple(dict.fromkeys(hop.to for hop in any_hops(playbook.at_any_step)))


def successors(playbook: Playbook) -> Mapping[str, tuple[str, ...]]:
    """Step to the steps its own routes lead to; targets that are no step are left out."""
    names = {step.name for step in playbook.steps}
    return {
        step.name: tuple(dict.fromkeys(edge.to for edge in own_edges(step) if edge.to in names))
        for step in playbook.steps
    }


def reached(starts: Iterable[str], follow: Mapping[str, Iterable[str]]) -> set[str]:
    """Every step that can be come to from ``starts``, themselves included."""
    seen: set[str] = set()
    todo = [start for start in starts if start in follow]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(to for to in follow[name] if to not in seen)
    return seen


def loops(follow: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The groups of steps that lead back to themselves, dependants last (Tarjan, without recursion)."""
    return [
        group for group in components(follow) if len(group) > 1 or group[0] in tuple(follow.get(group[0], ()))
    ]


def components(follow: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Strongly connected groups; each comes after the groups it leads to."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    groups: list[list[str]] = []
    for root in follow:
        if root in index:
            continue
        work = [(root, iter(tuple(follow[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            name, rest = work[-1]
            following = next(rest, None)
            if following is not None:
                if following not in index:
                    index[following] = low[following] = len(index)
                    stack.append(following)
                    on_stack.add(following)
                    work.append((following, iter(tuple(follow[following]))))
                elif following in on_stack:
                    low[name] = min(low[name], index[following])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[name])
            if low[name] == index[name]:
                group = []
                while True:
                    member = stack.pop()
                    on_stack.discard(member)
                    group.append(member)
                    if member == name:
                        break
                groups.append(group)
    return groups
