"""Small worlds for the stories about the language: facts, vocabulary and playbooks named by meaning."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orchestrator.language.account.policy import AccountPolicy, read_policy
from orchestrator.language.account.signals import Vocabulary, read_vocabulary
from orchestrator.language.checking.playbook import check
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.model import Condition, Playbook
from orchestrator.language.problems import PlacedProblem, Problems
from orchestrator.language.reading.conditions import condition
from orchestrator.language.reading.playbook import read_playbook
from orchestrator.language.reading.yaml_tree import read_yaml

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


@dataclass(kw_only=True)
class Somebody:
    """One customer's facts, written down by hand."""

    now: datetime = NOON
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Berlin"))
    entered_at: datetime | None = None
    values: dict[str, Any] = field(default_factory=dict)
    events: Sequence[SignalOccurrence] = ()

    def value(self, name: str) -> Any | None:
        return self.values.get(name)

    def history(self, event: str) -> Sequence[SignalOccurrence]:
        return [one for one in self.events if one.name == event]


def happened(name: str, at: datetime, **properties: Any) -> SignalOccurrence:
    return SignalOccurrence(name=name, occurred_at=at, properties=properties)


def asked(text: str) -> Condition:
    """A condition from YAML text."""
    problems = Problems()
    tree = read_yaml(text, "condition", problems)
    assert tree is not None
    made = condition(tree, "condition", problems)
    assert made is not None, [str(one) for one in problems.sorted()]
    return made


SIGNALS = """
attributes:
  plan: text
  seats: {type: number, always: true}
  seats_used: {type: number, always: true}
  usage_ratio: percent
  health: number
  region: text
  lifetime_value: money
  trial: flag
  renews_at: date
  account.renews_at: date
events:
  usage_reported: {}
  premium_module_opened: {module: text}
  plan_upgraded: {mrr_delta: money, checkout_id: text}
  trial_started: {}
  support_ticket_opened: {doubts_value: flag}
  health_changed: {}
  session_started: {}
  contract_renewed: {arr: money}
  account_churned: {}
  nps_score: {score: number}
  call_booked: {}
  checkout_started: {checkout_id: text, target_plan: text, list_price: money}
  checkout_cancelled: {checkout_id: text}
  limit_reached: {}
"""

POLICY = """
topics:
  upsell: {title: Upgrades}
  win_back: {title: Win back}
  service: {title: Service notices, promotional: false}
booking: {call: https://book.example/call}
"""


def vocabulary() -> Vocabulary:
    made, problems = read_vocabulary(SIGNALS)
    assert problems == []
    return made


def policy() -> AccountPolicy:
    made, problems = read_policy(POLICY)
    assert problems == []
    return made


HEAD = """playbook: nudge
version: 1
title: One friendly nudge
topic: upsell
enter: {when: limit_reached, because: "you reached your limit", reentry: {after: 30d}}
"""


def book(steps: str, *, head: str = HEAD, more: str = "") -> str:
    """A playbook's YAML around the steps a story is about."""
    return f"{head}{more}steps:\n{indent(steps.strip(chr(10)), '  ')}\n"


def reads(text: str) -> Playbook:
    playbook, problems = read_playbook(text)
    assert playbook is not None, [str(problem) for problem in problems]
    return playbook


def checked(text: str, templates: dict[str, str] | None = None) -> list[PlacedProblem]:
    """Every problem of reading and checking a text."""
    playbook, found = read_playbook(text)
    problems = Problems()
    problems.extend(found)
    if playbook is not None:
        problems.extend(
            check(
                playbook,
                vocabulary=vocabulary(),
                policy=policy(),
                templates=templates,
                tree=read_yaml(text, "playbook.yaml", Problems()),
                path="playbook.yaml",
            )
        )
    return problems.sorted()


def messages(text: str, templates: dict[str, str] | None = None) -> list[str]:
    return [str(problem) for problem in checked(text, templates)]


def design_examples() -> list[str]:
    """The complete playbooks of the language's reference, where that reference is at hand."""
    root = Path(__file__).parents[3]
    shared = Path(os.environ.get("ORCHESTRATOR_SHARED", root.parent / "shared"))
    reference = shared / "design" / "language.md"
    if not reference.exists():
        pytest.skip("the reference of the language is not here")
    return re.findall(r"```yaml\n(.*?)```", reference.read_text(encoding="utf-8"), re.DOTALL)
