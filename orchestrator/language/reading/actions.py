"""Reads what a step does: one reader an action."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, cast

from orchestrator.language import grammar
from orchestrator.language.model import (
    Action,
    Ask,
    Branch,
    Call,
    Choose,
    Cooldown,
    End,
    Handoff,
    SameAs,
    Scalar,
    Send,
    Set,
    Split,
    Start,
    percent_text,
)
from orchestrator.language.problems import Problems, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.conditions import condition, literal
from orchestrator.language.reading.field_reader import Fields
from orchestrator.language.reading.tree import Items, Leaf, Map, Node, came

_SCALE = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")
_ANSWER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")


def _send(node: Node, what: str, problems: Problems) -> Send | None:
    found = read.fields(node, what, grammar.SEND, problems)
    if found is None:
        return None
    before = len(problems.errors)
    found.required("channel", "a channel, a list of them, or preferred")
    found.required("template", "the base name of a template")
    channel = found.read("channel", read.names)
    among = found.read("among", read.names) or ()
    if among and channel != ("preferred",):
        found.error("among", "'among' goes with 'channel: preferred'")
    template = found.read("template", read.name)
    shared = _delivery(found, problems)
    to = found.read("to", read.name)
    stale_after = found.read("stale_after", read.duration)
    if len(problems.errors) > before or channel is None or template is None:
        return None
    return Send(channel=channel, template=template, to=to, among=among, stale_after=stale_after, **shared)


def _ask(node: Node, what: str, problems: Problems) -> Ask | None:
    found = read.fields(node, what, grammar.ASK, problems)
    if found is None:
        return None
    before = len(problems.errors)
    found.required("channel", "a channel or a list of them")
    found.required("question", "the words of the question")
    channel = found.read("channel", read.names)
    question = found.read("question", read.text)
    answers = found.read("answers", _answers) or ()
    scale = found.read("scale", _scale)
    if ("answers" in found) == ("scale" in found):
        found.error("scale", "expected either answers or scale")
    negative = found.read("negative", _keys) or ()
    keys = [key for key, _ in answers] + ([str(n) for n in range(scale[0], scale[1] + 1)] if scale else [])
    for key in negative:
        if keys and key not in keys:
            found.error("negative", f"negative names {shown(key)}, which is no answer")
    comment = found.read("comment", read.text)
    saves = found.read("saves", read.name)
    shared = _delivery(found, problems)
    if len(problems.errors) > before or channel is None or question is None:
        return None
    return Ask(
        channel=channel, question=question, answers=answers, scale=scale, comment=comment, saves=saves,
        negative=negative, **shared,
    )  # fmt: skip


def _delivery(found: Fields, problems: Problems) -> dict[str, Any]:
    """The fields that send and ask share."""
    shared: dict[str, Any] = {
        "as_": found.read("as", read.choice(grammar.DISPLAYS)),
        "patience": found.read("patience", read.moment),
        "keep": found.read("keep", read.moment),
    }
    node = found.node_of("when_capped")
    if isinstance(node, Map):
        inner = Fields(node, f"{found.what}: when_capped", ("fallback",), problems)
        if inner.required("fallback", "a channel"):
            shared["fallback"] = inner.read("fallback", read.name)
    elif node is not None:
        outcome = read.choice(("defer", "skip"))(node, f"{found.what}: when_capped", problems)
        shared["when_capped"] = outcome or "defer"
    return shared


def _answers(node: Node, what: str, problems: Problems) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(node, Map) or len(node.entries) < 2:
        problems.error(
            node.place,
            f"{what}: expected at least two answers such as {{yes: Gladly, later: Not now}}, got {came(node)}",
        )
        return None
    found = []
    for entry in node.entries:
        words = read.text(entry.node, f"{what}: {entry.key}", problems)
        if not _ANSWER.fullmatch(entry.key) or entry.key == "else":
            problems.error(
                entry.place,
                f"{what}: expected a short key of letters, digits, _ and -, got {shown(entry.key)}",
            )
        elif words is not None:
            found.append((entry.key, words))
    return tuple(found)


def _scale(node: Node, what: str, problems: Problems) -> tuple[int, int] | None:
    match = _SCALE.fullmatch(node.text) if isinstance(node, Leaf) else None
    if match is None or not 1 <= int(match[2]) - int(match[1]) <= 100:
        problems.error(node.place, f"{what}: expected a scale such as 0-10, got {came(node)}")
        return None
    return int(match[1]), int(match[2])


def _keys(node: Node, what: str, problems: Problems) -> tuple[str, ...] | None:
    nodes = node.nodes if isinstance(node, Items) else (node,)
    found = []
    for one in nodes:
        if isinstance(one, Leaf) and _ANSWER.fullmatch(one.text):
            found.append(one.text)
        else:
            problems.error(one.place, f"{what}: expected the key of an answer, got {came(one)}")
    return tuple(found)


def _handoff(node: Node, what: str, problems: Problems) -> Handoff | None:
    found = read.fields(node, what, grammar.HANDOFF, problems)
    if found is None:
        return None
    found.required("to", "who takes over, such as crm or support")
    found.required("template", "the base name of a template with the context")
    to, template = found.read("to", read.name), found.read("template", read.name)
    return Handoff(to=to, template=template) if to and template else None


def _call(node: Node, what: str, problems: Problems) -> Call | None:
    found = read.fields(node, what, grammar.CALL, problems)
    if found is None:
        return None
    before = len(problems.errors)
    if ("function" in found) == ("webhook" in found):
        found.error("webhook", "expected either function or webhook")
    function, webhook = found.read("function", read.dotted), found.read("webhook", read.name)
    with_ = found.read("with", pairs) or ()
    saves = found.read("saves", read.name)
    if len(problems.errors) > before:
        return None
    return Call(function=function, webhook=webhook, with_=with_, saves=saves)


def pairs(node: Node, what: str, problems: Problems) -> tuple[tuple[str, Scalar | SameAs], ...] | None:
    """Names with a literal or ``{same_as: name}`` each."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected names with values, got {came(node)}")
        return None
    found: list[tuple[str, Scalar | SameAs]] = []
    for entry in node.entries:
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
            continue
        value = literal(entry.node, f"{what}: {entry.key}", problems)
        if value is not None:
            found.append((entry.key, value))
    return tuple(found)


def _choose(node: Node, what: str, problems: Problems) -> Choose | None:
    if not isinstance(node, Items) or not node.nodes:
        problems.error(
            node.place, f"{what}: expected a list such as [{{if: ..., go: a}}, {{go: b}}], got {came(node)}"
        )
        return None
    branches: list[Branch] = []
    before = len(problems.errors)
    for number, one in enumerate(node.nodes, start=1):
        found = read.fields(one, f"{what} row {number}", grammar.BRANCH, problems)
        if found is None:
            continue
        found.required("go", "the step it leads to")
        last = number == len(node.nodes)
        if last and "if" in found:
            found.error("if", "the last row has no 'if': it is where everybody else goes")
        if not last and "if" not in found:
            found.error("go", "only the last row may go without 'if'")
        asked, go = found.read("if", condition), found.read("go", read.name)
        if go:
            branches.append(Branch(go=go, if_=asked))
    return None if len(problems.errors) > before else Choose(branches=tuple(branches))


def _split(node: Node, what: str, problems: Problems) -> Split | None:
    if not isinstance(node, Map) or len(node.entries) < 2:
        problems.error(
            node.place, f"{what}: expected at least two variants such as {{a: 50%, b: 50%}}, got {came(node)}"
        )
        return None
    shares = []
    before = len(problems.errors)
    for entry in node.entries:
        share = read.percent(entry.node, f"{what}: {entry.key}", problems)
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a variant's name, got {shown(entry.key)}")
        elif share is not None:
            shares.append((entry.key, share))
    total = sum((share for _, share in shares), start=Decimal(0))
    if len(problems.errors) == before and total != 1:
        problems.error(node.place, f"{what}: the shares add to {percent_text(total)}, expected 100%")
    return None if len(problems.errors) > before else Split(shares=tuple(shares))


def _set(node: Node, what: str, problems: Problems) -> Set | None:
    found = read.fields(node, what, grammar.SET, problems)
    if found is None:
        return None
    before = len(problems.errors)
    attributes = found.read("attributes", pairs) or ()
    add, remove = found.read("add_tags", read.names) or (), found.read("remove_tags", read.names) or ()
    if not (attributes or add or remove) and len(problems.errors) == before:
        problems.error(node.place, f"{what}: expected attributes, add_tags or remove_tags")
    if len(problems.errors) > before:
        return None
    return Set(attributes=attributes, add_tags=add, remove_tags=remove)


def _start(node: Node, what: str, problems: Problems) -> Start | None:
    found = read.fields(node, what, grammar.START, problems)
    if found is None:
        return None
    before = len(problems.errors)
    found.required("playbook", "the playbook to begin")
    playbook = found.read("playbook", read.name)
    one_of = found.read("one_of", read.names) or ()
    context = found.read("context", pairs) or ()
    if len(problems.errors) > before or playbook is None:
        return None
    return Start(playbook=playbook, one_of=one_of, context=context)


def _cooldown(node: Node, what: str, problems: Problems) -> Cooldown | None:
    if not isinstance(node, Map):
        span = read.moment(node, what, problems)
        return Cooldown(for_=span) if span is not None else None
    found = Fields(node, what, grammar.COOLDOWN, problems)
    if not found.required("for", "a duration such as 21d"):
        return None
    before = len(problems.errors)
    span = found.read("for", read.moment)
    scope = found.read("scope", read.choice(grammar.SCOPES))
    if len(problems.errors) > before or span is None:
        return None
    return Cooldown(for_=span, scope=cast("Any", scope) or "everything")


def _end(node: Node, what: str, problems: Problems) -> End | None:
    outcome = read.name(node, what, problems)
    return End(outcome=outcome) if outcome else None


READERS: Mapping[str, Callable[[Node, str, Problems], Action | None]] = {
    "send": _send,
    "ask": _ask,
    "handoff": _handoff,
    "call": _call,
    "choose": _choose,
    "split": _split,
    "set": _set,
    "start": _start,
    "cooldown": _cooldown,
    "end": _end,
}
