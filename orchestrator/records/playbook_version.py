"""Published content as JSON values: a playbook version, and the account's policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaybookVersion:
    """One checked playbook version with everything it uses, as it is published."""

    name: str
    version: int
    content_hash: str  # SHA-256; equal exactly when all of the below is
    definition: Mapping[str, Any]  # the playbook as plain values
    templates: Mapping[str, str]  # file name to text
    texts: Mapping[str, Mapping[str, str]]  # locale to name to text
    vocabulary: Mapping[str, Any]  # the signals it may name
    functions: tuple[str, ...]  # what its call steps name


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredVersion(PlaybookVersion):
    """A version as it is kept."""

    id: int
    published_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPolicy:
    """The account's policy as it is kept: its files by name, each as text."""

    id: int
    content_hash: str  # SHA-256 of the definition
    definition: Mapping[str, Any]
    published_at: datetime
