"""Waits live in PostgreSQL: nothing is ever scheduled in the broker, and tasks carry nothing."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from workers import tasks
from workers.app import app

ROOT = Path(__file__).parents[2]
SCHEDULING = {"eta", "countdown", "expires", "retry_backoff", "default_retry_delay", "autoretry_for"}


def programs() -> Iterator[Path]:
    for package in ("workers", "orchestrator", "channels"):
        yield from (ROOT / package).rglob("*.py")


def test_nothing_is_scheduled_in_the_broker() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.value.lineno}: {node.arg}"
        for path in programs()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.keyword) and node.arg in SCHEDULING
    ]
    assert found == []


def test_no_task_retries_itself() -> None:
    text = "".join(path.read_text() for path in (ROOT / "workers").rglob("*.py"))
    assert not re.search(r"\.retry\(|apply_async\(.*(eta|countdown)", text)


def test_tasks_take_nothing_and_give_nothing() -> None:
    app.loader.import_default_modules()
    ours = [task for name, task in app.tasks.items() if name.startswith("orchestrator.")]
    assert len(ours) == 4
    for task in ours:
        signature = inspect.signature(inspect.unwrap(getattr(tasks, task.name.removeprefix("orchestrator."))))
        assert list(signature.parameters) == [], task.name
        assert signature.return_annotation in (None, "None"), task.name
