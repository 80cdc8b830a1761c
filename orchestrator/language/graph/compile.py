"""Makes a playbook walkable: one shared state machine, and answers to "where does this word lead from here?".

The machine holds no run: :meth:`Compiled.move` fires a trigger from a step and says where it ends. Goal, opt-out,
erasure, leave and stop lead out of every live step, written out one by one, by the triggers ``engine:goal`` and so on.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import cached_property
from threading import Lock
from typing import Literal

import transitions

from orchestrator.errors import OrchestratorError
from orchestrator.language.conditions.playbook_requirements import attributes_needed, history_needed
from orchestrator.language.graph.longest import longest_path
from orchestrator.language.graph.routes import Hop, any_hop, any_hops, branch_trigger, find, own_hops
from orchestrator.language.model import Choose, Playbook, Route, Step
from orchestrator.language.outcomes import (
    MET,
    NO_RESPONSE,
    RESERVED_OUTCOMES,
    Kind,
    heard_at_end,
    heard_at_once,
    kind_of,
    obligatory,
)

logging.getLogger("transitions").setLevel(logging.WARNING)

EndTrigger = Literal["goal", "opt_out", "erasure", "leave", "stop"]
"""What ends an enrollment from any live step."""

# The ends the compiler adds: trigger to state.
GENERATED_ENDS: Mapping[EndTrigger, str] = {
    "goal": "converted",
    "opt_out": "opted_out",
    "erasure": "erased",
    "leave": "left",
    "stop": "stopped",
}
_MACHINE_FIELD = "at_step"


class CompileError(OrchestratorError):
    """The playbook was not checked before it was compiled."""


class _Box:
    """The smallest thing the machine can move."""

    __slots__ = (_MACHINE_FIELD,)

    def __init__(self, step: str) -> None:
        self.at_step = step


class Compiled:
    """A playbook ready to be walked. Immutable, shared between enrollments and threads."""

    def __init__(self, playbook: Playbook) -> None:
        if not playbook.steps:
            raise CompileError(f"playbook '{playbook.name}' has no steps; write at least one")
        self.playbook = playbook
        self.order: tuple[str, ...] = tuple(step.name for step in playbook.steps)
        self.first: str = self.order[0]
        self._steps: Mapping[str, Step] = {step.name: step for step in playbook.steps}
        self._any: Mapping[str, Route] = {route.outcome: route for route in playbook.at_any_step}
        self.machine: transitions.Machine = self._build()

    def step(self, name: str) -> Step:
        """The step of that name; :class:`CompileError` if there is none."""
        try:
            return self._steps[name]
        except KeyError:
            raise CompileError(f"playbook '{self.playbook.name}' has no step '{name}'") from None

    def has(self, name: str) -> bool:
        return name in self._steps

    def kind(self, step: str) -> Kind:
        return kind_of(self.step(step).action)

    def is_end(self, state: str) -> bool:
        """Whether an enrollment rests here for good: an ``end`` step or one of the ends the compiler added."""
        return self.kind(state) == "end" if state in self._steps else state in GENERATED_ENDS.values()

    def move(self, step: str, trigger: str) -> str:
        """Fire ``trigger`` in ``step`` and answer the new state; :class:`CompileError` if it leads nowhere."""
        event = self.machine.events.get(trigger)
        box = _Box(step)
        try:
            moved = event is not None and event.trigger(box)
        except transitions.MachineError as refused:
            raise CompileError(self._nowhere(step, trigger)) from refused
        except ValueError as unknown_state:
            raise CompileError(self._nowhere(step, trigger)) from unknown_state
        if not moved:
            raise CompileError(self._nowhere(step, trigger))
        return box.at_step

    def end(self, step: str, trigger: EndTrigger) -> str:
        """The end that one of the compiler's own transitions leads to from ``step``."""
        return self.move(step, f"engine:{trigger}")

    def route(
        self,
        step: str,
        channel: str | None,
        outcome: str,
        detail: str | None = None,
        *,
        exhausted: Collection[str] = (),
    ) -> Hop | None:
        """Where ``outcome`` leads from ``step``, or None when it moves nobody.

        The step's own ``then`` wins over ``at_any_step``, which wins over what an unnamed word becomes. ``channel`` is
        the one that carried the message. ``detail`` tells links, buttons, answers or closing reasons apart.
        """
        return find(self.step(step), self._any, outcome, detail, exhausted)

    def any_step(
        self, step: str, outcome: str, detail: str | None = None, *, exhausted: Collection[str] = ()
    ) -> Hop | None:
        """Where ``at_any_step`` leads ``outcome`` from ``step``: for late responses, signals and opt-outs."""
        return any_hop(self._any, self.step(step), outcome, detail, exhausted)

    def branch(self, step: str, index: int) -> Hop:
        """The transition of the n-th row (from 0) of a ``choose`` step."""
        action = self.step(step).action
        if not isinstance(action, Choose):
            raise CompileError(f"step '{step}' is no choose")
        trigger = branch_trigger(index)
        return Hop(to=action.branches[index].go, trigger=trigger, outcome_used=trigger)

    def at_once(self, step: str, channel: str | None) -> tuple[str, ...]:
        """What moves the step as soon as it is known, in the order that decides between simultaneous words."""
        one = self.step(step)
        words = heard_at_once(kind_of(one.action), channel, tells_condition=MET in obligatory(one.action))
        met = (MET,) if MET in self._named(one) and MET not in words else ()
        return (*words, *met, *sorted(self.signals_heard(step)))

    def judged(self, step: str, channel: str | None) -> tuple[str, ...]:
        """What is asked when the wait ends, most specific first: words named for this step, then no_response."""
        one = self.step(step)
        named = self._named(one) | set(self._any)
        words = heard_at_end(kind_of(one.action), channel)
        return tuple(outcome for outcome in words if outcome in named or outcome == NO_RESPONSE)

    def signals_heard(self, step: str) -> frozenset[str]:
        """The product's events and the playbook's own ``signals:`` that move this step, by the names written."""
        one = self.step(step)
        if kind_of(one.action) == "end":
            return frozenset()
        variants = set(obligatory(one.action))
        names = (self._named(one) - variants) | set(self._any)
        return frozenset(names - RESERVED_OUTCOMES - {"*"})

    @cached_property
    def history_needed(self) -> Mapping[str, timedelta | None]:
        """Event to the longest look-back its conditions ask for; None: since entry or the latest ever.

        An anchor may be a value as well: it is in here and in :attr:`attributes_needed`.
        """
        return history_needed(self.playbook)

    @cached_property
    def attributes_needed(self) -> frozenset[str]:
        """Every name looked up by conditions, filters, arguments and anchors (templates apart)."""
        return attributes_needed(self.playbook)

    @cached_property
    def longest_path(self) -> timedelta | None:
        """The longest time from entry to the last word's wait; None when anchors or clock times decide it."""
        return longest_path(self.playbook)

    def _named(self, step: Step) -> set[str]:
        return {route.outcome for route in step.then}

    def _nowhere(self, step: str, trigger: str) -> str:
        return f"playbook '{self.playbook.name}': '{trigger}' leads nowhere from step '{step}'"

    def _build(self) -> transitions.Machine:
        live = [step.name for step in self.playbook.steps if kind_of(step.action) != "end"]
        taken = sorted(set(GENERATED_ENDS.values()) & set(live))
        if taken:
            raise CompileError(f"step '{taken[0]}' has the name of an end: only an end step may be called so")
        states = [*self.order, *(end for end in GENERATED_ENDS.values() if end not in self._steps)]
        machine = transitions.Machine(
            model=None,
            states=states,
            initial=self.first,
            auto_transitions=False,
            send_event=True,
            model_attribute=_MACHINE_FIELD,
        )
        for name in live:
            for trigger, to in self._edges(self._steps[name]).items():
                if to not in machine.states:
                    raise CompileError(f"step '{name}' leads to '{to}', which is no step")
                machine.add_transition(trigger, name, to)
        return machine

    def _edges(self, step: Step) -> dict[str, str]:
        edges = {hop.trigger: hop.to for hop in own_hops(step)}
        if isinstance(step.action, Choose):
            edges.update({branch_trigger(n): row.go for n, row in enumerate(step.action.branches)})
        for hop in any_hops(self.playbook.at_any_step):
            if hop.to != step.name:
                edges[hop.trigger] = hop.to
        edges.update({f"engine:{trigger}": end for trigger, end in GENERATED_ENDS.items()})
        return edges


_CACHE_SIZE = 512
_by_content: OrderedDict[str, Compiled] = OrderedDict()
_by_identity: OrderedDict[int, Compiled] = OrderedDict()
_lock = Lock()


def compile_playbook(playbook: Playbook) -> Compiled:
    """The compiled form of ``playbook``; equal playbooks share one. Compile only what was checked."""
    known = _by_identity.get(id(playbook))
    if known is not None and known.playbook is playbook:
        return known
    content = repr(playbook)
    with _lock:
        compiled = _by_content.get(content)
    if compiled is None:
        compiled = Compiled(playbook)
    with _lock:
        compiled = _by_content.setdefault(content, compiled)
        if compiled.playbook is playbook:
            _by_identity[id(playbook)] = compiled
        for cache in (_by_content, _by_identity):
            while len(cache) > _CACHE_SIZE:
                cache.popitem(last=False)
    return compiled
