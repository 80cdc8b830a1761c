"""What the product needs is what it asks for: no dependency that no file imports, no import that nobody declares."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = ("orchestrator", "channels", "workers")

NOT_IMPORTED = {"python-multipart", "tzdata"}  # pyproject.toml says beside each why it stays
PARTS_OF = {
    "starlette": "fastapi",
    "kombu": "celery",
    "python-http-client": "sendgrid",
}  # each its library's own face


def test_every_dependency_is_imported_by_the_product() -> None:
    assert declared(PROJECT["dependencies"]) - imported() == NOT_IMPORTED


def test_every_import_of_the_product_is_declared() -> None:
    extras = PROJECT["optional-dependencies"]
    known = declared([*PROJECT["dependencies"], *extras["testing"]])
    assert {PARTS_OF.get(name, name) for name in imported()} <= known


def test_whatever_is_asked_for_is_pinned() -> None:
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    groups = PROJECT["optional-dependencies"].values()
    asked = [*PROJECT["dependencies"], *(one for group in groups for one in group)]
    assert declared(asked) <= set(map(canonicalize_name, pinned))


def declared(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(one).name) for one in requirements}


def imported() -> set[str]:
    """The distributions whose modules a product file imports, wherever in the file."""
    providers = packages_distributions()
    modules = {name for folder in OURS for path in (ROOT / folder).rglob("*.py") for name in _modules(path)}
    foreign = modules - set(sys.stdlib_module_names) - set(OURS)
    return {canonicalize_name(name) for module in foreign for name in providers[module]}


def _modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
