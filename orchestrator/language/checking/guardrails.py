"""Checks guardrails: a playbook's own, and the account's in policy.yaml.

A cap, a silence or a hold with a misspelled name would guard nothing, and nobody would notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.language.account.calendar import Calendars
from orchestrator.language.account.policy import AccountPolicy, HoldRule
from orchestrator.language.account.signals import Vocabulary
from orchestrator.language.checking.conditions import check_condition
from orchestrator.language.checking.context import Checking, Keys
from orchestrator.language.checking.retention import check_kept, refuse_longer
from orchestrator.language.conditions.requirements import events_needed
from orchestrator.language.model import Cap, Enter, Playbook, QuietWindow, Reentry
from orchestrator.language.problems import PlacedProblem, did_you_mean, one_of, shown
from orchestrator.language.reading.tree import Node

# A hold's condition is asked about a customer, in whatever playbook: it may use nothing of a playbook's own.
_ANY_PLAYBOOK = Playbook(
    name="any", version=1, title="any", topic="any", enter=Enter(reentry=Reentry()), steps=()
)


def check_guardrails(checking: Checking) -> None:
    """The caps and quiet hours a playbook adds."""
    guardrails = checking.playbook.guardrails
    _check_caps(checking, guardrails.caps, ("guardrails", "caps"), "guardrails")
    _check_windows(checking, guardrails.quiet_hours, ("guardrails", "quiet_hours"), "guardrails")


def check_policy(
    policy: AccountPolicy, *, vocabulary: Vocabulary, tree: Node | None, path: str
) -> list[PlacedProblem]:
    """Every name in policy.yaml that nothing declares, in the order of the file."""
    checking = _of_account(policy, vocabulary, tree, path)
    _check_caps(checking, policy.caps, ("caps",), "caps")
    _check_windows(checking, policy.quiet_hours, ("quiet_hours",), "quiet_hours")
    for rule in policy.holds:
        _check_hold(checking, rule)
    for channel in policy.needs_consent:
        _check_channel(checking, channel, ("needs_consent",), "needs_consent")
    check_kept(checking)
    return checking.problems.sorted()


def check_negative(
    policy: AccountPolicy, playbooks: Iterable[str], *, tree: Node | None, path: str
) -> list[PlacedProblem]:
    """A negative answer must find the playbook that takes it to a person."""
    name, known = policy.negative_starts, sorted(playbooks)
    checking = _of_account(policy, Vocabulary(), tree, path)
    if name is not None and name not in known:
        message = f"feedback: negative: {shown(name)} is no playbook here{_hint(name, known)}"
        checking.error(("feedback", "negative"), message)
    return checking.problems.sorted()


def _of_account(policy: AccountPolicy, vocabulary: Vocabulary, tree: Node | None, path: str) -> Checking:
    return Checking(
        playbook=_ANY_PLAYBOOK,
        vocabulary=vocabulary,
        policy=policy,
        calendars=Calendars(),
        tree=tree,
        path=path,
    )


def _check_caps(checking: Checking, caps: Sequence[Cap], where: Keys, what: str) -> None:
    for number, cap in enumerate(caps):
        if cap.channel is not None:
            _check_channel(checking, cap.channel, (*where, number), what)
        if cap.topic is not None:
            _check_topic(checking, cap.topic, (*where, number), what)


def _check_windows(checking: Checking, windows: Sequence[QuietWindow], where: Keys, what: str) -> None:
    for window in windows:
        _check_channel(checking, window.channel, (*where, window.channel), what)


def _check_hold(checking: Checking, rule: HoldRule) -> None:
    what, where = f"hold '{rule.name}'", ("holds", rule.name)
    for key, events in (("opened_by", rule.opened_by), ("closed_by", rule.closed_by)):
        for event in events:
            if event not in checking.signals:
                hint = _hint(event, checking.signals) or "; declare it under 'events' in signals.yaml"
                checking.error((*where, key), f"{what}: {shown(event)} is no declared event{hint}")
    for topic in rule.topics:
        _check_topic(checking, topic, (*where, "topics"), what)
    if rule.while_ is not None:
        check_condition(checking, rule.while_, (*where, "while"), what)
        refuse_longer(checking, events_needed(rule.while_), (*where, "while"))


def _check_channel(checking: Checking, channel: str, where: Keys, what: str) -> None:
    known = checking.policy.channels
    if channel not in known:
        checking.error(where, f"{what}: {shown(channel)} is no channel{_hint(channel, known)}")


def _check_topic(checking: Checking, topic: str, where: Keys, what: str) -> None:
    known = checking.policy.topic_named
    if known and topic not in known:
        checking.error(where, f"{what}: {shown(topic)} is no topic{_hint(topic, known)}")


def _hint(name: str, known: Iterable[str]) -> str:
    names = tuple(known)
    return did_you_mean(name, names) or (f"; expected {one_of(names)}" if 0 < len(names) < 12 else "")
