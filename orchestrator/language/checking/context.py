"""What every check is given: the playbook, the names around it, and where each part was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from orchestrator.language.account.calendar import Calendars
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.language.account.signals import Vocabulary
from orchestrator.language.model import Ask, Call, FilteredSignal, Playbook, Step
from orchestrator.language.problems import Problems, SourcePosition
from orchestrator.language.reading.tree import Items, Map, Node

EVENT_FACTS: Mapping[str, str] = {
    "event_key": "text",
    "event_name": "text",
    "event_starts": "date",
    "event_ends": "date",
}


Keys = tuple[str | int, ...]
"""Where something stands in a file: the names and places that lead to it."""


@dataclass(frozen=True, kw_only=True)
class Checking:
    playbook: Playbook
    vocabulary: Vocabulary
    policy: AccountPolicy
    calendars: Calendars
    tree: Node | None
    path: str
    problems: Problems = field(default_factory=Problems)

    @cached_property
    def steps(self) -> Mapping[str, Step]:
        return {step.name: step for step in self.playbook.steps}

    @cached_property
    def own_signals(self) -> Mapping[str, FilteredSignal]:
        return {signal.name: signal for signal in self.playbook.signals}

    @cached_property
    def context(self) -> Mapping[str, str]:
        """The names an enrollment's context holds from its start, with their types."""
        return {**dict(self.playbook.context), **(EVENT_FACTS if self.playbook.enter.calendar else {})}

    @cached_property
    def saved(self) -> frozenset[str]:
        """The names that asks and calls put into the context while walking."""
        actions = (step.action for step in self.playbook.steps)
        return frozenset(
            action.saves for action in actions if isinstance(action, Ask | Call) and action.saves is not None
        )

    @cached_property
    def signals(self) -> tuple[str, ...]:
        """Every event a step may hear, and the playbook's own."""
        return (*self.vocabulary.event_named, *self.own_signals)

    @cached_property
    def values(self) -> tuple[str, ...]:
        return (*self.vocabulary.value_names, *self.context, *self.saved)

    def place(self, *keys: str | int) -> SourcePosition:
        """Where a part was written: as deep as the keys lead, the key itself for a mapping's entry."""
        if self.tree is None:
            return SourcePosition(self.path)
        node, place = self.tree, self.tree.place
        for key in keys:
            if isinstance(node, Map):
                entry = next((one for one in node.entries if one.key == key), None)
                if entry is None:
                    break
                node, place = entry.node, entry.place
            elif isinstance(node, Items) and isinstance(key, int) and key < len(node.nodes):
                node = node.nodes[key]
                place = node.place
            else:
                break
        return place

    def error(self, keys: tuple[str | int, ...], message: str) -> None:
        self.problems.error(self.place(*keys), message)

    def warning(self, keys: tuple[str | int, ...], message: str) -> None:
        self.problems.warning(self.place(*keys), message)
