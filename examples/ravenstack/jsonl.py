"""Facts as JSON lines, the form that ``orchestrator replay`` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from examples.ravenstack.mapping import Fact
from orchestrator.records.intake import Track


def write_jsonl(facts: Iterable[Fact], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for fact in facts:
            file.write(json.dumps(_plain(fact), ensure_ascii=False) + "\n")


def _plain(fact: Fact) -> dict[str, Any]:
    at = fact.occurred_at.isoformat() if fact.occurred_at else None
    if isinstance(fact, Track):
        told = {"event": fact.event, "properties": dict(fact.properties), "id": fact.source_id}
    else:
        told = {"traits": dict(fact.traits)}
    return {"customer": fact.key, "at": at, **told}
