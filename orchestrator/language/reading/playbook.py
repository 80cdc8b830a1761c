"""Reads a playbook from the plain tree: one parser for YAML and Python, every problem at once."""

from __future__ import annotations

from orchestrator.language.fields import keys_of
from orchestrator.language.model import Playbook
from orchestrator.language.problems import PlacedProblem, Problems, has_errors
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.blocks import attributes_of
from orchestrator.language.reading.steps import steps
from orchestrator.language.reading.tree import Node
from orchestrator.language.reading.yaml_tree import read_yaml


def parse_playbook(tree: Node) -> tuple[Playbook | None, list[PlacedProblem]]:
    """The playbook a tree describes, or None, and everything wrong with it."""
    problems = Problems()
    playbook = _playbook(tree, problems)
    found = problems.sorted()
    return (None if has_errors(found) else playbook), found


def read_playbook(text: str, path: str = "playbook.yaml") -> tuple[Playbook | None, list[PlacedProblem]]:
    """A playbook from YAML text. ``path`` is what problems call the text."""
    problems = Problems()
    return _finish(read_yaml(text, path, problems), path, problems)


def _finish(tree: Node | None, path: str, problems: Problems) -> tuple[Playbook | None, list[PlacedProblem]]:
    if tree is None:
        if not problems.errors:
            problems.extend(
                [PlacedProblem(path=path, line=1, column=1, message="expected a playbook, got an empty file")]
            )
        return None, problems.sorted()
    playbook, more = parse_playbook(tree)
    problems.extend(more)
    found = problems.sorted()
    return (None if has_errors(found) else playbook), found


def _playbook(tree: Node, problems: Problems) -> Playbook | None:
    found = read.fields(tree, "playbook", keys_of(Playbook), problems)
    if found is None:
        return None
    attributes = attributes_of(Playbook, found)
    step_node = found.node_of("steps")
    walk = steps(step_node, problems) if step_node is not None else None
    if walk is None or problems.errors:
        return None
    return Playbook(steps=walk, **attributes)
