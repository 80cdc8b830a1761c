"""Asks ``where`` filters of one event's properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.language.conditions.comparing import compare, literal
from orchestrator.language.conditions.facts import Facts
from orchestrator.language.model import Filter


def passes(filters: Iterable[Filter], properties: Mapping[str, Any], facts: Facts) -> bool:
    """Whether every filter holds; ``same_as`` is looked up in ``facts``."""
    return all(
        compare(entry.op, properties.get(entry.name), literal(entry.value, facts)) for entry in filters
    )
