"""The published definitions as values: what a batch walks by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from channels.table import channel_names
from orchestrator.core.policies.request import OpenHold
from orchestrator.errors import NotFound, Unavailable
from orchestrator.language.account.calendar import Calendars
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.language.conditions.computed import Computed
from orchestrator.language.conditions.requirements import LookBack, events_needed, merge
from orchestrator.language.graph.compile import Compiled
from orchestrator.language.model import Playbook, Send, Start
from orchestrator.language.templates import template_name
from orchestrator.records.restore import LostTime

RESTORED_BACKUP = "restored_backup"
"""The hold on everybody while withdrawals may be missing."""


@dataclass(frozen=True, kw_only=True)
class PublishedPlaybook:
    """One version, ready to walk."""

    id: int
    name: str
    version: int
    compiled: Compiled
    templates: Mapping[str, str]
    texts: Mapping[str, Mapping[str, str]]
    computed: Mapping[str, Computed]
    look_back: Mapping[str, timedelta | None]

    @property
    def playbook(self) -> Playbook:
        return self.compiled.playbook

    @property
    def needs_members(self) -> bool:
        """Whether an enrollment may have to know the customer's colleagues."""
        starts = (step.action for step in self.playbook.steps if isinstance(step.action, Start))
        return bool(self.playbook.enter.one_per) or any(action.one_of for action in starts)

    @property
    def needs_answer_rates(self) -> bool:
        """Whether a step asks for the channel the customer answers on best."""
        return any(
            isinstance(step.action, Send) and step.action.channel == ("preferred",)
            for step in self.playbook.steps
        )

    def channels_with(self, template: str) -> tuple[str, ...]:
        """The channels that this template has words for."""
        names = [parts for file in self.templates if (parts := template_name(file)) is not None]
        have = {parts.channel for parts in names if parts.base == template}
        return tuple(channel for channel in channel_names() if channel in have)


@dataclass(frozen=True, kw_only=True)
class UnreadableVersion:
    """A stored version that this process cannot read: a newer release's, or one whose compiling fails here.

    Its enrollments wait for a process that can.
    """

    id: int
    name: str
    version: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Every version by id, the newest by name, the account's policy: one consistent snapshot."""

    stamp: tuple[int, int] = (0, 0)
    versions: Mapping[int, PublishedPlaybook] = field(default_factory=dict)
    newest: Mapping[str, PublishedPlaybook] = field(default_factory=dict)  # of those that can be read
    unreadable: Mapping[int, UnreadableVersion] = field(default_factory=dict)
    paused: frozenset[str] = frozenset()
    policy: AccountPolicy = field(default_factory=AccountPolicy)
    calendars: Calendars = field(default_factory=Calendars)
    lost: LostTime | None = None  # what a restored backup does not know

    def named(self, name: str) -> PublishedPlaybook:
        """The newest version that can be read; :class:`NotFound` if nothing of that name was published,
        :class:`Unavailable` if another process has to be asked."""
        if name in self.newest:
            return self.newest[name]
        if any(one.name == name for one in self.unreadable.values()):
            raise Unavailable(f"no version of playbook {name!r} can be read by this release")
        raise NotFound("playbook", name)

    def started_by(self, event: str) -> list[PublishedPlaybook]:
        """The playbooks an event may start, by priority."""
        found = [one for one in self.newest.values() if event in trigger_events(one.playbook)]
        return sorted(found, key=lambda one: (-one.playbook.priority, one.name))

    @property
    def cap_window(self) -> timedelta:
        """The longest window any cap of the account or of a playbook counts over."""
        caps = [*self.policy.caps]
        for one in self.versions.values():
            caps.extend(one.playbook.guardrails.caps)
        return max((cap.within.span for cap in caps), default=timedelta(0))

    @property
    def needs_history_of(self) -> timedelta:
        """The longest stretch of the past that any version, a hold or a cap looks back over."""
        spans = [self.cap_window, *(span for span in self.holds_look_back.values() if span is not None)]
        for one in self.versions.values():
            spans.extend(span for span in one.look_back.values() if span is not None)
            if one.playbook.goal is not None:
                spans.append(one.playbook.goal.within.span)
        return max(spans)

    @property
    def holds_look_back(self) -> LookBack:
        """How far back the history must be read for the conditions on which holds stand."""
        needed: dict[str, timedelta | None] = {}
        for rule in self.policy.holds:
            if rule.while_ is not None:
                for event, span in events_needed(rule.while_).items():
                    merge(needed, event, span)
        return needed

    @property
    def promotion_held(self) -> bool:
        """Whether nobody is pitched to, because who opted out was forgotten with a restored backup."""
        return self.lost is not None and self.lost.promotion_held

    @property
    def account_holds(self) -> tuple[OpenHold, ...]:
        """Holds on everybody at once."""
        if self.lost is None or not self.lost.promotion_held:
            return ()
        return (OpenHold(name=RESTORED_BACKUP, opened_at=self.lost.until, ends_at=None, topics=frozenset()),)

    @property
    def account_goals(self) -> frozenset[str]:
        """Goal events that count for every member of the account."""
        return frozenset(
            event
            for one in self.versions.values()
            if one.playbook.goal is not None and one.playbook.goal.by == "account"
            for event in one.playbook.goal.event
        )


def trigger_events(playbook: Playbook) -> frozenset[str]:
    """The raw events behind ``enter.when``: the playbook's own signals stand for the event they narrow."""
    own = {signal.name: signal.event for signal in playbook.signals}
    return frozenset(own.get(name, name) for name in playbook.enter.when)
