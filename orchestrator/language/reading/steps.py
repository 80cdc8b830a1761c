"""Reads steps: exactly one action each, its waits and its ``then``."""

from __future__ import annotations

from functools import partial

from orchestrator.language.fields import keys_of
from orchestrator.language.model import ACTIONS, Action, Step, Wait
from orchestrator.language.problems import Problems, one_of, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.blocks import attributes_of, block
from orchestrator.language.reading.field_reader import Fields
from orchestrator.language.reading.tree import Map, Node, came

MAX_STEPS = 500
STEP = (*ACTIONS, *keys_of(Step))  # everything a step may say


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
    found = read.fields(node, what, STEP, problems)
    if found is None:
        return None
    before = len(problems.errors)
    action = _action(found)
    attributes = attributes_of(Step, found)
    if len(problems.errors) > before or action is None:
        return None
    return Step(name=name, action=action, **attributes)


def _action(found: Fields) -> Action | None:
    present = [key for key in ACTIONS if key in found]
    if len(present) > 1:
        entry = found.entry(present[1])
        place = entry.place if entry else found.place
        said = one_of(present).replace(" or ", " and ")
        found.problems.error(place, f"{found.what}: a step does one thing, got {said}")
        return None
    if not present:
        if "wait" in found:
            return Wait()
        found.problems.error(found.place, f"{found.what}: expected one of {one_of((*ACTIONS, 'wait'))}")
        return None
    into: type[Action] = ACTIONS[present[0]]
    return found.read(present[0], partial(block, into))
