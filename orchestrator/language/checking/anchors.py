"""Checks what moments are measured from."""

from __future__ import annotations

from orchestrator.language.checking.context import Checking, Keys
from orchestrator.language.conditions.requirements import RUN_ANCHORS
from orchestrator.language.moments import Anchored
from orchestrator.language.problems import did_you_mean, shown


def check_anchor(checking: Checking, moment: Anchored, where: Keys, what: str) -> None:
    """An anchor is a date or time value, a context value, a signal, ``entry`` or ``arrival``."""
    name = moment.anchor
    if name in RUN_ANCHORS or name in checking.signals or name in checking.saved:
        return
    kind = checking.context.get(name) or checking.vocabulary.type_of(name)
    if kind is None:
        known = (*RUN_ANCHORS, *checking.values, *checking.signals)
        checking.error(
            where,
            f"{what}: {shown(str(moment))} is no moment: {shown(name)} is not declared{did_you_mean(name, known)}",
        )
    elif kind not in ("date", "time"):
        checking.error(
            where, f"{what}: {shown(str(moment))}: {shown(name)} is a {kind}, expected a date or time"
        )
