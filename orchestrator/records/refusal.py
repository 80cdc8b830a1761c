"""Starts that were refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.records.enrollment import StartRefusalReason


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusalRow:
    """One refused start as it is kept: a refusal is no failure, and not nothing."""

    customer_id: int
    playbook: str
    reason: StartRefusalReason | Literal["nobody"]  # nobody: a step wanted a colleague and there is none
    detail: Mapping[str, str]  # why: a sentence
    trigger: str  # the signal, the playbook or the caller that wanted it
    at: datetime
