"""Everything that can be known to be wrong with a playbook before it is published, all at once.

Reading finds what is misspelled; this finds what cannot work: names nobody declared, steps nobody reaches, walks
without an end, loops without a wait, messages without template or opt-out.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.language.account.calendar import Calendars
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.language.account.signals import Vocabulary
from orchestrator.language.checking.context import Checking
from orchestrator.language.checking.graph import check_graph
from orchestrator.language.checking.guardrails import check_guardrails
from orchestrator.language.checking.names import check_names
from orchestrator.language.checking.retention import check_retention
from orchestrator.language.checking.steps import check_steps
from orchestrator.language.checking.templates import check_templates, check_texts
from orchestrator.language.model import Playbook
from orchestrator.language.problems import PlacedProblem
from orchestrator.language.reading.tree import Node


def check(
    playbook: Playbook,
    *,
    vocabulary: Vocabulary,
    policy: AccountPolicy,
    calendars: Calendars | None = None,
    templates: Mapping[str, str] | None = None,
    tree: Node | None = None,
    path: str = "playbook",
) -> list[PlacedProblem]:
    """All problems and warnings, in the order of the file.

    ``tree`` is what the playbook was read from; without it problems carry no line. ``templates`` None: they are not
    looked at.
    """
    checking = Checking(
        playbook=playbook,
        vocabulary=vocabulary,
        policy=policy,
        calendars=calendars or Calendars(),
        tree=tree,
        path=path,
    )
    check_steps(checking)
    check_graph(checking)
    check_names(checking)
    check_guardrails(checking)
    check_retention(checking)
    check_texts(checking)
    if templates is not None:
        check_templates(checking, templates)
    return checking.problems.sorted()
