"""How long a column takes to become one parameter: our array literals beside psycopg's own dumpers.

    python -m benchmarks.array_literals [--rows 500] [--rounds 200]

Microseconds a row, the middle of the rounds, without a database: what is measured is the processor time that a batch
spends before its statement leaves. Both are checked to mean the same to PostgreSQL by ``tests/store/test_bulk.py``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from psycopg.adapt import PyFormat, Transformer
from psycopg.types.json import Jsonb
from sqlalchemy import BigInteger, Boolean, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeEngine

from orchestrator.store.sql.pg_arrays import array, writer

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def columns(rows: int) -> dict[str, tuple[TypeEngine[Any], list[Any]]]:
    """A column of each kind that the hot tables hold."""
    return {
        "bigint": (BigInteger(), list(range(10**12, 10**12 + rows))),
        "text": (Text(), [f"step_{number % 7}" for number in range(rows)]),
        "timestamptz": (TIMESTAMP(timezone=True), [NOON + timedelta(seconds=n) for n in range(rows)]),
        "boolean": (Boolean(), [number % 2 == 0 for number in range(rows)]),
        "jsonb": (JSONB(), [{"step": "say", "visit": number, "outcome": None} for number in range(rows)]),
    }


def main() -> int:
    asked = argparse.ArgumentParser(description="Array literals beside psycopg's dumpers.")
    asked.add_argument("--rows", type=int, default=500)
    asked.add_argument("--rounds", type=int, default=200)
    wanted = asked.parse_args()
    print(f"{'column':<14}{'ours':>8}{'psycopg text':>15}{'psycopg binary':>17}   µs a row")
    for name, (type_, values) in columns(wanted.rows).items():
        write = writer(type_)
        given = [Jsonb(value) for value in values] if name == "jsonb" else values
        taken = [
            _taken(lambda: array(values, write), wanted.rounds),  # noqa: B023 - called at once
            _taken(lambda: _dumped(given, PyFormat.TEXT), wanted.rounds),  # noqa: B023
            _taken(lambda: _dumped(given, PyFormat.BINARY), wanted.rounds),  # noqa: B023
        ]
        ours, as_text, as_binary = (1e6 * seconds / wanted.rows for seconds in taken)
        print(f"{name:<14}{ours:>8.2f}{as_text:>15.2f}{as_binary:>17.2f}")
    return 0


def _taken(call: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        began = perf_counter()
        call()
        seconds.append(perf_counter() - began)
    return statistics.median(seconds)


def _dumped(values: Sequence[Any], format_: PyFormat) -> Any:
    return Transformer().dump_sequence([values], [format_])


if __name__ == "__main__":
    sys.exit(main())
