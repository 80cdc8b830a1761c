"""Everything that can be known to be wrong with a playbook before it is published, all at once.

Reading finds what is misspelled; this finds what cannot work: names nobody declared, steps nobody reaches, walks
without an end, loops without a wait, messages without template or opt-out.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.language.calendar_file import Calendars
from orchestrator.language.check_graph import check_graph
from orchestrator.language.check_guardrails import check_guardrails
from orchestrator.language.check_names import check_names
from orchestrator.language.check_retention import check_retention
from orchestrator.language.check_steps import check_steps
from orchestrator.language.check_templates import check_templates, check_texts
from orchestrator.language.checking import Checking
from orchestrator.language.model import Playbook
from orchestrator.language.policy_file import AccountPolicy
from orchestrator.language.problems import Problem
from orchestrator.language.tree import Node
from orchestrator.language.vocabulary import Vocabulary


def check(
    playbook: Playbook,
    *,
    vocabulary: Vocabulary,
    policy: AccountPolicy,
    calendars: Calendars | None = None,
    templates: Mapping[str, str] | None = None,
    tree: Node | None = None,
    path: str = "playbook",
) -> list[Problem]:
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
