"""What one playbook version did: who came in, how each step was left, what was said or held back, and what it earned.

Conversions compare everyone who entered, by arm, whether a message reached them or not: the held-out arm cannot be
thinned in the same way, so anything else would flatter the playbook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.analytics.lift import Lift, Proportion


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One group of walks: an arm of the holdout, or a variant of a split."""

    entered: int
    live: int
    any_sent: int  # at least one message went out (or would have, in the holdout)
    converted: int
    value: float

    @property
    def rate(self) -> Proportion:
        return Proportion(hits=self.converted, total=self.entered)


@dataclass(frozen=True, kw_only=True, slots=True)
class StepFunnel:
    """``visits`` is how often the step was entered, ``live`` who is in it now, ``outcomes`` how it was left."""

    step: str
    visits: int
    live: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    step: str
    name: str
    arm: Arm


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageCount:
    step: str
    channel: str
    status: str
    messages: int
    clicked: int
    opened: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldBack:
    """``messages`` that one guardrail delayed or dropped; ``example`` is its latest sentence."""

    policy: str
    verdict: str
    messages: int
    times: int
    example: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Funnel:
    playbook: str
    version: int
    contacted: Arm
    held_out: Arm
    lift: Lift
    steps: tuple[StepFunnel, ...]
    variants: tuple[Variant, ...]
    messages: tuple[MessageCount, ...]
    held_back: tuple[HeldBack, ...]
    ended: Mapping[str, int]
    refused: Mapping[str, int]
    opted_out: int

    @property
    def entered(self) -> int:
        return self.contacted.entered + self.held_out.entered

    @property
    def live(self) -> int:
        return self.contacted.live + self.held_out.live

    def to_plain(self) -> dict[str, Any]:
        """As JSON values, rates and intervals included."""
        derived = {
            "contacted": asdict(self.contacted) | _rate(self.contacted.rate),
            "held_out": asdict(self.held_out) | _rate(self.held_out.rate),
            "lift": asdict(self.lift) | {"is_proven": self.lift.is_proven},
            "variants": [
                {"step": one.step, "name": one.name, "arm": asdict(one.arm) | _rate(one.arm.rate)}
                for one in self.variants
            ],
        }
        plain = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
        return {"entered": self.entered, "live": self.live} | plain | derived


def _rate(rate: Proportion) -> dict[str, Any]:
    return {"rate": rate.value, "interval": asdict(rate.interval)}
