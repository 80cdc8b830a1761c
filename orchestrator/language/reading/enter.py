"""Reads how customers come in, come again, and what counts as success."""

from __future__ import annotations

from orchestrator.language import grammar
from orchestrator.language.model import Enter, Goal, Reentry
from orchestrator.language.problems import Problems
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.conditions import condition
from orchestrator.language.reading.field_reader import Fields
from orchestrator.language.reading.tree import Leaf, Map, Node, came


def enter(node: Node, what: str, problems: Problems) -> Enter | None:
    """The ``enter`` block."""
    found = read.fields(node, what, grammar.ENTER, problems)
    if found is None:
        return None
    before = len(problems.errors)
    found.required("reentry", "never, {after: 90d} or {per: name}")
    again = found.read("reentry", reentry)
    when = found.read("when", read.names) or ()
    every = found.read("every", read.choice(("day",)))
    calendar = found.read("calendar", read.names) or ()
    ahead = found.read("ahead", read.duration)
    if ("calendar" in found) != ("ahead" in found):
        key = "calendar" if "calendar" in found else "ahead"
        found.error(
            key, "calendar and ahead go together: which events, and how long before them the walk begins"
        )
    asked = found.read("if", condition)
    because = found.read("because", read.text)
    one_per = found.read("one_per", _one_per) or ()
    if len(problems.errors) > before or again is None:
        return None
    return Enter(
        reentry=again,
        when=when,
        every="day" if every else None,
        calendar=calendar,
        ahead=ahead,
        if_=asked,
        because=because,
        one_per=one_per,
    )


def reentry(node: Node, what: str, problems: Problems) -> Reentry | None:
    """``never``, or a gap, a key, or both."""
    if isinstance(node, Leaf):
        if node.text == "never":
            return Reentry()
        problems.error(
            node.place, f"{what}: expected never, {{after: 90d}} or {{per: name}}, got {came(node)}"
        )
        return None
    found = read.fields(node, what, grammar.REENTRY, problems)
    if found is None:
        return None
    after, per = found.read("after", read.duration), found.read("per", read.name)
    if not found.node.entries:
        problems.error(node.place, f"{what}: expected after or per, got an empty mapping")
    return Reentry(after=after, per=per) if after or per else None


def _one_per(node: Node, what: str, problems: Problems) -> tuple[str, ...] | None:
    if isinstance(node, Leaf) and node.text == "account":
        return ("*",)
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected account or {{account: [roles]}}, got {came(node)}")
        return None
    found = Fields(node, what, ("account",), problems)
    return (
        found.read("account", read.names) if found.required("account", "a list of preferred roles") else None
    )


def goal(node: Node, what: str, problems: Problems) -> Goal | None:
    """The ``goal`` block."""
    found = read.fields(node, what, grammar.GOAL, problems)
    if found is None:
        return None
    before = len(problems.errors)
    found.required("event", "the event that means success")
    found.required("within", "how long after entry it counts, such as 45d")
    events = found.read("event", read.names)
    within = found.read("within", read.duration)
    value = found.read("value", read.name)
    by = found.read("by", read.choice(("account", "customer")))
    if len(problems.errors) > before or events is None or within is None:
        return None
    return Goal(events=events, within=within, value=value, by_account=by == "account")
