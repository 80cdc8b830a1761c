"""Reads steps: exactly one action each, its waits and its ``then``."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.language import grammar
from orchestrator.language.model import EVERY_WORD, Action, Route, Step, Wait
from orchestrator.language.problems import Problems, one_of, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.actions import READERS
from orchestrator.language.reading.conditions import condition
from orchestrator.language.reading.field_reader import Fields
from orchestrator.language.reading.tree import Items, Leaf, Map, Node, came

MAX_STEPS = 500


def steps(node: Node, problems: Problems) -> tuple[Step, ...] | None:
    """All steps in written order; None, with problems, when any is wrong."""
    if not isinstance(node, Map) or not node.entries:
        problems.error(
            node.place,
            f"steps: expected at least one step such as 'done: {{end: no_conversion}}', got {came(node)}",
        )
        return None
    if len(node.entries) > MAX_STEPS:
        problems.error(
            node.place, f"steps: {len(node.entries)} steps are more than {MAX_STEPS}; split the playbook"
        )
        return None
    found: list[Step | None] = []
    for entry in node.entries:
        if not read.NAME.fullmatch(entry.key) or len(entry.key) > 80:
            problems.error(
                entry.place, f"expected a step's name of letters, digits and _, got {shown(entry.key)}"
            )
            found.append(None)
            continue
        found.append(step(entry.key, entry.node, problems))
    return None if None in found else tuple(one for one in found if one is not None)


def step(name: str, node: Node, problems: Problems) -> Step | None:
    """One step from its mapping."""
    what = f"step '{name}'"
    found = read.fields(node, what, grammar.STEP, problems)
    if found is None:
        return None
    before = len(problems.errors)
    action = _action(found, what, problems)
    wait = found.read("wait", read.moment)
    at = found.read("at", read.moment)
    late = found.read("late", read.moment)
    at_most = found.read("at_most", lambda one, where, into: read.whole(one, where, into, least=1, most=100))
    then = found.read("then", then_routes) or ()
    if len(problems.errors) > before or action is None:
        return None
    return Step(name=name, action=action, wait=wait, then=then, at=at, late=late, at_most=at_most)


def _action(found: Fields, what: str, problems: Problems) -> Action | None:
    present = [key for key in grammar.ACTIONS if key in found]
    if len(present) > 1:
        entry = found.entry(present[1])
        place = entry.place if entry else found.place
        problems.error(
            place, f"{what}: a step does one thing, got {one_of(present).replace(' or ', ' and ')}"
        )
        return None
    if not present:
        if "wait" in found:
            return Wait()
        problems.error(found.place, f"{what}: expected one of {one_of((*grammar.ACTIONS, 'wait'))}")
        return None
    if present[0] == "wait_until":
        return found.read("wait_until", _wait_until)
    reader: Callable[[Node, str, Problems], Action | None] = READERS[present[0]]
    return found.read(present[0], reader)


def _wait_until(node: Node, what: str, problems: Problems) -> Wait | None:
    if isinstance(node, Map):
        asked = condition(node, what, problems)
        return Wait(until=asked) if asked is not None else None
    moment = read.moment(node, what, problems)
    return Wait(until=moment) if moment is not None else None


def then_routes(node: Node, what: str, problems: Problems) -> tuple[Route, ...] | None:
    """``then: step``, or words (and signals) with where each leads."""
    if isinstance(node, Leaf):
        to = read.name(node, what, problems)
        return (Route(outcome=EVERY_WORD, to=to),) if to else None
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
