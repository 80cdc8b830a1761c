"""Who may open a transaction, and where SQL may stand: what import rules alone cannot say."""

from __future__ import annotations

import ast
import pkgutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import orchestrator

ROOT = Path(__file__).resolve().parents[2]
WITH_SQL = {"orchestrator.store", "orchestrator.embedded_postgres"}
OPENERS = {"begin", "begin_nested", "commit", "connect", "raw_connection"}
HANDLES = {"connection", "database", "engine", "transaction"}
# The store's own verbs that commit: a transaction of the services, reads for people, a request's idempotency key, the
# seat, the schema, marks of the withdrawal log, scratch databases, and the readiness check.
COMMITTING = {
    "orchestrator/store/coordination/api_requests.py",
    "orchestrator/store/coordination/runner_seat.py",
    "orchestrator/store/migrate.py",
    "orchestrator/store/migrations/env.py",
    "orchestrator/store/monitoring/readiness.py",
    "orchestrator/store/reports/reader.py",
    "orchestrator/store/restoring/log_keeper.py",
    "orchestrator/store/scratch.py",
    "orchestrator/store/transactions.py",
}


def opened(path: Path) -> Iterator[str]:
    """Each call in a file that opens a connection or a transaction, or ends one: ``self.database.begin``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in OPENERS:
            handle = ast.unparse(node.func.value).rpartition(".")[2].lstrip("_")
            if handle in HANDLES:
                yield ast.unparse(node.func)


def test_nobody_but_the_store_opens_a_transaction_or_commits() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {call}"
        for package in ("orchestrator", "workers", "channels")
        for path in (ROOT / package).rglob("*.py")
        if path.relative_to(ROOT).as_posix() not in COMMITTING
        for call in opened(path)
    }
    assert found == set()


def test_the_rule_about_sql_names_every_other_room() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = next(one for one in contracts if one["name"] == "SQL lives in the store alone")["source_modules"]
    rooms = {f"orchestrator.{room.name}" for room in pkgutil.iter_modules(orchestrator.__path__)}
    assert set(named) == rooms - WITH_SQL | {"workers", "channels"}
