"""Why a message is in its state where no guardrail said so: the words kept with the message, and what they mean.

``decide`` and the services keep the words; whoever explains a message reads them here, so that both speak of the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PATIENCE_OVER: Final = "patience is over"
OPTED_OUT: Final = "the customer opted out"
OPTED_OUT_OF_CHANNEL: Final = "the customer opted out of this channel"
PROVED_BY: Final = "proved by "  # and the word the provider reported


def run_ended(outcome: str) -> str:
    return f"the run ended: {outcome}"


def step_left(outcome: str) -> str:
    return f"the step was left by {outcome}"


# The guardrail that would have said so, had the message still been there to be asked about; and its sentence.
_GUARDRAILS: Mapping[str, tuple[str, str]] = {
    OPTED_OUT: ("opted_out", OPTED_OUT),
    OPTED_OUT_OF_CHANNEL: ("opted_out", OPTED_OUT_OF_CHANNEL),
    run_ended("opted_out"): ("opted_out", OPTED_OUT),
    run_ended("erased"): ("erased", "the customer's data was erased"),
    run_ended("converted"): ("goal_met", "the customer already did what the playbook is for"),
    run_ended("left"): (
        "reason_gone",
        "the reason to speak is gone: the playbook's leave condition came true",
    ),
}


def guardrail_behind(reason: str) -> tuple[str | None, str]:
    """The guardrail a kept reason stands for, if any, and a sentence for people."""
    return _GUARDRAILS.get(reason, (None, reason))
