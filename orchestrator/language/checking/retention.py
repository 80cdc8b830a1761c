"""Checks that no question looks further back than signals are kept."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.language.account.retention import SHORTEST_SEEN
from orchestrator.language.checking.context import Checking
from orchestrator.language.conditions.computed import computed_needs
from orchestrator.language.conditions.playbook_requirements import history_needed
from orchestrator.language.conditions.requirements import LookBack, merge


def check_retention(checking: Checking) -> None:
    """A window longer than signals are kept would count less and less."""
    needed: dict[str, timedelta | None] = dict(history_needed(checking.playbook))
    for computed in checking.vocabulary.computed:
        events, _ = computed_needs(computed)
        for event, span in events.items():
            merge(needed, event, span)
    refuse_longer(checking, needed, ("enter",))


def refuse_longer(checking: Checking, needed: LookBack, where: tuple[str | int, ...]) -> None:
    """A problem at ``where`` for each event that is looked at further back than signals are kept."""
    kept = checking.policy.retention.signals
    if kept == "forever":
        return
    for event, span in sorted(needed.items()):
        if span is not None and span > kept.span:
            checking.error(
                where,
                f"a window over '{event}' reaches {span.days} days back, but policy.yaml keeps signals for {kept} "
                f"(retention: signals); expected a shorter window, or a longer retention",
            )


def check_kept(checking: Checking) -> None:
    """What repeats itself must still be known: products and providers repeat for days what they got no answer to."""
    kept = checking.policy.retention.seen_sources
    if kept != "forever" and kept.span < SHORTEST_SEEN.span:
        checking.error(
            ("retention", "seen_sources"),
            f"retention: seen_sources: {kept} is too short for what repeats late; expected {SHORTEST_SEEN} at least",
        )
