"""Reads a playbook from the plain tree: one parser for YAML and Python, every problem at once."""

from __future__ import annotations

from decimal import Decimal

from orchestrator.language import grammar
from orchestrator.language.model import Guardrails, Playbook
from orchestrator.language.problems import PlacedProblem, Problems, has_errors
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.conditions import condition
from orchestrator.language.reading.enter import enter, goal
from orchestrator.language.reading.parts import context, guardrails, offers, signals
from orchestrator.language.reading.steps import routes, steps
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
    found = read.fields(tree, "playbook", grammar.PLAYBOOK, problems)
    if found is None:
        return None
    for key, expected in (
        ("playbook", "its name, such as power_user_upsell"),
        ("version", "a whole number from 1"),
        ("title", "a line for people"),
        ("topic", "one of policy.yaml's topics"),
        ("enter", "how customers come in, with reentry"),
        ("steps", "at least one step"),
    ):
        found.required(key, expected)
    name, title, topic = (
        found.read("playbook", read.name),
        found.read("title", read.text),
        found.read("topic", read.name),
    )
    version = found.read("version", lambda node, what, into: read.whole(node, what, into, least=1))
    priority = found.read("priority", lambda node, what, into: read.whole(node, what, into, most=1000))
    way_in = found.read("enter", enter)
    aim = found.read("goal", goal)
    holdout = found.read("holdout", read.percent)
    measures = found.read("measures", read.names) or ()
    leave = found.read("leave", condition)
    told = found.read("context", context) or ()
    own = found.read("signals", signals) or ()
    rows = found.read("offers", offers) or ()
    guard = found.read("guardrails", guardrails)
    anywhere = found.read("at_any_step", routes) or ()
    step_node = found.node_of("steps")
    walk = steps(step_node, problems) if step_node is not None else None
    if name is None or title is None or topic is None or version is None or way_in is None or walk is None:
        return None
    return Playbook(
        playbook=name,
        version=version,
        title=title,
        topic=topic,
        enter=way_in,
        steps=walk,
        priority=50 if priority is None else priority,
        goal=aim,
        holdout=Decimal(0) if holdout is None else holdout,
        measures=measures,
        leave=leave,
        at_any_step=anywhere,
        context=told,
        signals=own,
        offers=rows,
        guardrails=guard or Guardrails(),
    )
