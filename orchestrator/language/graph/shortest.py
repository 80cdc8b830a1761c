"""How soon a walk can come to each step: a lower bound, by the waits that nobody can cut short.

A person may answer at once, a signal may come at any moment, and clock times and anchors may lie just ahead: all of
these count as no time at all. What takes time is a duration that is waited out: a word that is judged when the wait
ends, a ``wait``, a rest.
"""

from __future__ import annotations

import heapq
from datetime import timedelta

from orchestrator.language.graph.compile import Compiled
from orchestrator.language.graph.edges import any_targets, own_edges
from orchestrator.language.model import Cooldown, Step
from orchestrator.language.moments import Duration
from orchestrator.language.outcomes import channels_of, kind_of

_AT_ONCE = timedelta()


def earliest(
    compiled: Compiled, start: str, *, begins: timedelta | None = _AT_ONCE, wait: timedelta | None = None
) -> dict[str, timedelta]:
    """Step to the least time after which a walk that is in ``start`` now may enter it.

    ``begins`` is the time until ``start`` itself acts, None when it has acted already: it is in the answer then only
    if a loop leads back to it. ``wait`` is what is left of its waiting time, None: all of it.
    """
    found: dict[str, timedelta] = {}
    if begins is not None:
        todo = [(begins, start)]
    else:
        todo = [(span, to) for to, span in _leads(compiled, start, wait).items()]
        heapq.heapify(todo)
    while todo:
        span, name = heapq.heappop(todo)
        if name in found or not compiled.has(name):
            continue
        found[name] = span
        left = wait if begins is not None and name == start else None
        for to, more in _leads(compiled, name, left).items():
            if to not in found:
                heapq.heappush(todo, (span + more, to))
    return found


def _leads(compiled: Compiled, name: str, wait: timedelta | None) -> dict[str, timedelta]:
    """The steps one move leads to, each with the least time until then."""
    step = compiled.step(name)
    if kind_of(step.action) == "end":
        return {}
    channels = channels_of(step.action) or (None,)
    at_once = {word for channel in channels for word in compiled.at_once(name, channel)}
    judged = {word for channel in channels for word in compiled.judged(name, channel)} - at_once
    full = _duration(step) if wait is None else max(wait, _AT_ONCE)
    leads = dict.fromkeys(any_targets(compiled.playbook), _AT_ONCE)
    hops = (compiled.route(name, channel, word) for channel in channels for word in at_once)
    leads |= {hop.to: _AT_ONCE for hop in hops if hop is not None}
    for edge in own_edges(step):
        word = edge.outcome.partition(":")[0]
        span = full if word in judged else _AT_ONCE
        leads[edge.to] = min(span, leads.get(edge.to, span))
    return leads


def _duration(step: Step) -> timedelta:
    moment = step.action.for_ if isinstance(step.action, Cooldown) else step.wait
    return moment.span if isinstance(moment, Duration) else _AT_ONCE
