"""What the signed ids in links lead to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedMessage:
    """What the page of an answer link shows of its message."""

    customer_locale: str | None
    step: str
    definition: Mapping[str, Any]  # of the playbook's version, as stored
    texts: Mapping[str, Mapping[str, str]]  # by language: the playbook's words and what they are there


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickFacts:
    """What tells a person's click from a machine's, beside the request itself."""

    at: datetime  # business time
    channel: str
    just_sent: bool  # handed over too short a time ago to have been read
    another_link: bool  # of the same message was followed at almost the same moment
