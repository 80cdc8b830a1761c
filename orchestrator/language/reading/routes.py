"""Reads where outcomes lead: ``then`` and ``at_any_step``."""

from __future__ import annotations

from orchestrator.language.model import EVERY_OUTCOME, Route
from orchestrator.language.problems import Problems, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.tree import Items, Leaf, Map, Node, came


def then_routes(node: Node, what: str, problems: Problems) -> tuple[Route, ...] | None:
    """``then: step``, or words (and signals) with where each leads."""
    if isinstance(node, Leaf):
        to = read.name(node, what, problems)
        return (Route(outcome=EVERY_OUTCOME, to=to),) if to else None
    return routes(node, what, problems)


def routes(node: Node, what: str, problems: Problems) -> tuple[Route, ...] | None:
    """A mapping of words to steps, some with choices."""
    if isinstance(node, Items) or not isinstance(node, Map) or not node.entries:
        problems.error(
            node.place, f"{what}: expected {{word: step}} such as {{no_response: done}}, got {came(node)}"
        )
        return None
    found: list[Route] = []
    before = len(problems.errors)
    for entry in node.entries:
        where = f"{what}: {entry.key}"
        if not read.DOTTED.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a word or signal, got {shown(entry.key)}")
        elif isinstance(entry.node, Map):
            choices = _choices(entry.node, where, problems)
            found.append(Route(outcome=entry.key, choices=choices))
        else:
            to = read.name(entry.node, where, problems)
            found.append(Route(outcome=entry.key, to=to))
    return None if len(problems.errors) > before else tuple(found)


def _choices(node: Map, what: str, problems: Problems) -> tuple[tuple[str, str], ...]:
    if not node.entries:
        problems.error(node.place, f"{what}: expected {{link or answer: step}}, got an empty mapping")
    if any(entry.key == "else" for entry in node.entries[:-1]):
        problems.error(node.place, f"{what}: 'else' comes last")
    found: list[tuple[str, str]] = []
    for entry in node.entries:
        to = read.name(entry.node, f"{what}: {entry.key}", problems)
        if to is not None:
            found.append((entry.key, to))
    return tuple(found)
