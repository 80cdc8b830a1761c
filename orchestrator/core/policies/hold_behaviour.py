"""What becomes of a message, and of its walk, that a hold or a rest stops: the account says so under ``waiting``."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from orchestrator.core.policies.request import Defer, Drop
from orchestrator.language.account.policy import Waiting


def as_wished(wish: Waiting, waits: Defer, *, refusal: str) -> Defer | Drop:
    """``waits`` as the account wants it: within its patience, frozen with it, skipped, or the whole walk cancelled.

    ``refusal`` is the reason of a message that is not to wait.
    """
    match wish:
        case "defer":
            return waits
        case "freeze":
            return replace(waits, freezes=True, why=f"{waits.why}; its patience stands still meanwhile")
        case "skip":
            why = f"{refusal}; this account goes on without the message"
            return Drop(policy=waits.policy, why=why, inputs=waits.inputs)
        case "cancel":
            why = f"{refusal}; this account ends the playbook then"
            return Drop(policy=waits.policy, why=why, inputs=waits.inputs, cancels=True)
        case _:
            assert_never(wish)
