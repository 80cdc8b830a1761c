"""An engine that walks customers through expansion playbooks.

The product calls ``start_playbook``, ``identify``, ``track``, ``respond``, ``opt_out`` and ``opt_in``; authors of
playbooks write ``Playbook``, ``Step`` and their kin. Both are loaded when first asked for: a playbook file needs no
database library, and a product no YAML reader.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.client import connect, identify, opt_in, opt_out, respond, start_playbook, track
    from orchestrator.errors import InputError, NotFound, OrchestratorError, StartRefused
    from orchestrator.language.author import (
        Ask,
        Branch,
        Call,
        Choose,
        Cooldown,
        End,
        Enter,
        Goal,
        Handoff,
        OwnName,
        Playbook,
        Send,
        Set,
        Split,
        Start,
        Step,
        WaitUntil,
        all_of,
        any_of,
        at_least_of,
        not_,
        where,
    )

__all__ = [
    "Ask",
    "Branch",
    "Call",
    "Choose",
    "Cooldown",
    "End",
    "Enter",
    "Goal",
    "Handoff",
    "InputError",
    "NotFound",
    "OrchestratorError",
    "OwnName",
    "Playbook",
    "Send",
    "Set",
    "Split",
    "Start",
    "StartRefused",
    "Step",
    "WaitUntil",
    "all_of",
    "any_of",
    "at_least_of",
    "connect",
    "identify",
    "not_",
    "opt_in",
    "opt_out",
    "respond",
    "start_playbook",
    "track",
    "where",
]

_HOMES = {  # everything else is a word of authors
    "orchestrator.client": (
        "connect",
        "identify",
        "opt_in",
        "opt_out",
        "respond",
        "start_playbook",
        "track",
    ),
    "orchestrator.errors": ("InputError", "NotFound", "OrchestratorError", "StartRefused"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        msg = f"module 'orchestrator' has no attribute {name!r}"
        raise AttributeError(msg)
    home = next((home for home, names in _HOMES.items() if name in names), "orchestrator.language.author")
    return getattr(import_module(home), name)
