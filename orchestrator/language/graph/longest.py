"""How long a walk can take, from entry to the end of the last listening time, by the playbook's own waits.

Rests (cooldowns) are left out: by then the playbook has said what it had to say. ``at_any_step`` is left out too.
"""

from __future__ import annotations

from datetime import timedelta

from orchestrator.language.graph.edges import components, successors
from orchestrator.language.model import Cooldown, Playbook, Step, Wait
from orchestrator.language.moments import ClockTime, Duration, Moment
from orchestrator.language.outcomes import SPEAKING, kind_of

_CLOCK_TIME_AT_MOST = {"any": 1, "tomorrow": 2, "workday": 3}


def longest_path(playbook: Playbook) -> timedelta | None:
    """An upper bound, or None when an anchored moment decides. A loop counts as often as ``at_most`` lets it run."""
    steps = {step.name: step for step in playbook.steps}
    follow = successors(playbook)
    lengths = {name: _length(step) for name, step in steps.items()}
    best: dict[str, timedelta | None] = {}
    for group in components(follow):
        beyond = [best[to] for name in group for to in follow[name] if to not in group]
        visits = sum(steps[name].at_most or 1 for name in group if kind_of(steps[name].action) in SPEAKING)
        total: timedelta | None = max((span for span in beyond if span is not None), default=timedelta())
        if any(span is None for span in beyond):
            total = None
        loop = len(group) > 1 or group[0] in follow[group[0]]
        for name in group:
            one = lengths[name]
            times = _times(steps[name], visits) if loop else 1
            total = None if total is None or one is None else total + one * times
        for name in group:
            best[name] = total
    return best[playbook.steps[0].name] if playbook.steps else None


def _times(step: Step, visits: int) -> int:
    return (step.at_most or 1) if kind_of(step.action) in SPEAKING else max(1, visits)


def _length(step: Step) -> timedelta | None:
    if isinstance(step.action, Cooldown):
        return timedelta()
    until = step.action.until if isinstance(step.action, Wait) else None
    moments = [step.wait, step.at, until if isinstance(until, Moment) else None]
    total = timedelta()
    for moment in moments:
        if moment is None:
            continue
        if isinstance(moment, Duration):
            total += moment.span
        elif isinstance(moment, ClockTime):
            total += timedelta(days=_CLOCK_TIME_AT_MOST.get(moment.day, 7))
        else:
            return None
    return total
