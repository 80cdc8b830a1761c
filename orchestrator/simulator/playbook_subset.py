"""A folder with some of a folder's playbooks: what a rehearsal of one playbook publishes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.errors import DefinitionError, NotFound
from orchestrator.language.folder import PlaybookFiles, load_folder
from orchestrator.language.model import Start


@contextmanager
def staged(folder: Path, names: Iterable[str] = ()) -> Iterator[Path]:
    """A folder of these playbooks (all of them when none is named), with those they start and what they share.

    Raises DefinitionError when one of them may not be published, NotFound for a name nothing has.
    """
    bundles = {bundle.name: bundle for bundle in load_folder(folder)}
    chosen = _with_started(bundles, list(names) or list(bundles))
    problems = [problem for bundle in chosen if not bundle.ok for problem in bundle.problems]
    if problems:
        raise DefinitionError(problem for problem in problems if problem.severity == "error")
    if len(chosen) == len(bundles):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="orchestrator-") as place:
        for path in folder.iterdir():
            if path.is_file():
                shutil.copy2(path, place)
        for bundle in chosen:
            shutil.copytree(bundle.path, Path(place) / bundle.path.name)
        yield Path(place)


def _with_started(bundles: dict[str, PlaybookFiles], names: list[str]) -> list[PlaybookFiles]:
    chosen: dict[str, PlaybookFiles] = {}
    while names:
        name = names.pop()
        if name not in bundles:
            raise NotFound("playbook", name)
        if name not in chosen:
            chosen[name] = bundle = bundles[name]
            steps = bundle.playbook.steps if bundle.playbook else ()
            names.extend(step.action.playbook for step in steps if isinstance(step.action, Start))
            if bundle.policy.negative_starts in bundles:
                names.append(bundle.policy.negative_starts or name)
    return [chosen[name] for name in sorted(chosen)]
