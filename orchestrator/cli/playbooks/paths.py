"""What a PATH on the command line means: a folder of playbooks, one playbook's folder, or its file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.errors import NotFound
from orchestrator.language.folder import PlaybookFiles, load_account, load_folder
from orchestrator.language.problems import PlacedProblem
from orchestrator.settings import load_settings

DEFINITIONS = ("playbook.yaml", "playbook.py")
SHARED = ("policy.yaml", "signals.yaml", "calendar.yaml")

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[PATH]...",
        help="Folders of playbooks, folders of one playbook, or their files; default: ORCHESTRATOR_PLAYBOOKS.",
        show_default=False,
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundPlaybooks:
    """The playbooks that paths lead to, and everything wrong with them, each problem once."""

    bundles: tuple[PlaybookFiles, ...]
    problems: tuple[PlacedProblem, ...]

    @property
    def errors(self) -> int:
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors


def find(paths: Iterable[Path] | None) -> FoundPlaybooks:
    """Load and check what the paths lead to. A path that leads nowhere is a problem like any other."""
    bundles: dict[Path, PlaybookFiles] = {}
    problems: dict[PlacedProblem, None] = {}
    for path in paths or [load_settings().playbooks]:
        found, wrong = _load(path)
        bundles |= {bundle.path: bundle for bundle in found}
        problems |= dict.fromkeys([*wrong, *(problem for bundle in found for problem in bundle.problems)])
    ordered = sorted(problems, key=lambda problem: (problem.path, problem.line, problem.column))
    return FoundPlaybooks(bundles=tuple(bundles.values()), problems=tuple(ordered))


def folder_of(path: Path) -> Path:
    """The folder of playbooks, with policy.yaml and the others, that a path belongs to."""
    if path.name in DEFINITIONS:
        return path.parent.parent
    if path.name in SHARED:
        return path.parent
    return path.parent if _is_one(path) else path


def asked_for(path: Path, playbooks: Path) -> tuple[Path, list[str]]:
    """A rehearsal's folder and the names in it that were asked for; none means all. Raises NotFound."""
    chosen = path if path.exists() else playbooks / path
    if not chosen.exists():
        raise NotFound("playbook", str(path))
    folder = folder_of(chosen)
    if folder == chosen:
        return folder, []
    home = chosen.parent if chosen.is_file() else chosen
    return folder, [bundle.name for bundle in load_folder(folder) if bundle.path == home]


def _load(path: Path) -> tuple[list[PlaybookFiles], list[PlacedProblem]]:
    if not path.exists():
        return [], [PlacedProblem(path=str(path), message="no such file or folder")]
    if path.is_file() and path.name not in (*DEFINITIONS, *SHARED):
        wanted = ", ".join((*DEFINITIONS, *SHARED))
        return [], [PlacedProblem(path=str(path), message=f"expected a folder or one of {wanted}")]
    folder = folder_of(path)
    account = load_account(folder)
    bundles = load_folder(folder, account=account)
    if folder != path and path.name not in SHARED:
        home = path.parent if path.is_file() else path
        return [bundle for bundle in bundles if bundle.path == home], []
    if not bundles and path.is_dir():
        message = "no playbooks here: expected folders that hold a playbook.yaml or a playbook.py"
        return [], [*account.problems, PlacedProblem(path=str(path), message=message)]
    return bundles, list(account.problems)


def _is_one(path: Path) -> bool:
    return any((path / name).is_file() for name in DEFINITIONS)
