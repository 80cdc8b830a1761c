"""Reads the values that have a shape of their own: answers, scales, shares, literals by name, types, offers."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from orchestrator.language.model import Offer, OfferRow, SameAs, Scalar, ValueType, percent_text
from orchestrator.language.moments import Duration, Weekday
from orchestrator.language.problems import Problems, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.conditions import condition, literal
from orchestrator.language.reading.field_reader import Fields
from orchestrator.language.reading.tree import Items, Leaf, Map, Node, came

_SCALE = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")
_ANSWER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")


def answers(node: Node, what: str, problems: Problems) -> tuple[tuple[str, str], ...] | None:
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


def scale(node: Node, what: str, problems: Problems) -> tuple[int, int] | None:
    match = _SCALE.fullmatch(node.text) if isinstance(node, Leaf) else None
    if match is None or not 1 <= int(match[2]) - int(match[1]) <= 100:
        problems.error(node.place, f"{what}: expected a scale such as 0-10, got {came(node)}")
        return None
    return int(match[1]), int(match[2])


def answer_keys(node: Node, what: str, problems: Problems) -> tuple[str, ...] | None:
    nodes = node.nodes if isinstance(node, Items) else (node,)
    found = []
    for one in nodes:
        if isinstance(one, Leaf) and _ANSWER.fullmatch(one.text):
            found.append(one.text)
        else:
            problems.error(one.place, f"{what}: expected the key of an answer, got {came(one)}")
    return tuple(found)


def shares(node: Node, what: str, problems: Problems) -> tuple[tuple[str, Decimal], ...] | None:
    """``{full: 50%, less: 50%}``, which add to 100%."""
    if not isinstance(node, Map) or len(node.entries) < 2:
        problems.error(
            node.place, f"{what}: expected at least two variants such as {{a: 50%, b: 50%}}, got {came(node)}"
        )
        return None
    found: list[tuple[str, Decimal]] = []
    before = len(problems.errors)
    for entry in node.entries:
        share = read.percent(entry.node, f"{what}: {entry.key}", problems)
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a variant's name, got {shown(entry.key)}")
        elif share is not None:
            found.append((entry.key, share))
    total = sum((share for _, share in found), start=Decimal(0))
    if len(problems.errors) == before and total != 1:
        problems.error(node.place, f"{what}: the shares add to {percent_text(total)}, expected 100%")
    return tuple(found)


def values(node: Node, what: str, problems: Problems) -> tuple[tuple[str, Scalar | SameAs], ...] | None:
    """Names with a literal or ``{same_as: name}`` each."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected names with values, got {came(node)}")
        return None
    found: list[tuple[str, Scalar | SameAs]] = []
    before = len(problems.errors)
    for entry in node.entries:
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
            continue
        value = literal(entry.node, f"{what}: {entry.key}", problems)
        if value is not None:
            found.append((entry.key, value))
    return None if len(problems.errors) > before else tuple(found)


def types(node: Node, what: str, problems: Problems) -> tuple[tuple[str, str], ...] | None:
    """``{checkout_id: text}``: what an enrollment is told at its start."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected names with types, got {came(node)}")
        return None
    found = []
    for entry in node.entries:
        kind = read.choice(get_args(ValueType))(entry.node, f"{what}: {entry.key}", problems)
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
        elif kind:
            found.append((entry.key, kind))
    return tuple(found)


def clock_text(node: Node, what: str, problems: Problems) -> str | None:
    """A time of day, kept as it is written."""
    at = read.clock(node, what, problems)
    return None if at is None else f"{at:%H:%M}"


def day(node: Node, what: str, problems: Problems) -> date | None:
    try:
        if isinstance(node, Leaf) and len(node.text) == 10:
            return date.fromisoformat(node.text)
    except ValueError:
        pass
    problems.error(node.place, f'{what}: expected a date such as "2026-11-27", got {came(node)}')
    return None


def kept(node: Node, what: str, problems: Problems) -> Duration | Literal["forever"] | None:
    """How long something is kept."""
    if isinstance(node, Leaf) and node.text == "forever":
        return "forever"
    return read.duration(node, what, problems)


def texts(node: Node, what: str, problems: Problems) -> tuple[tuple[str, str], ...] | None:
    """``{name: words}``."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected names with a text each, got {came(node)}")
        return None
    found = []
    for entry in node.entries:
        words = read.text(entry.node, f"{what}: {entry.key}", problems)
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
        elif words is not None:
            found.append((entry.key, words))
    return tuple(found)


def links(node: Node, what: str, problems: Problems) -> tuple[tuple[str, str], ...] | None:
    """``{name: https://...}``."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected names with a link each, got {came(node)}")
        return None
    found = []
    for entry in node.entries:
        link = read.text(entry.node, f"{what}: {entry.key}", problems)
        if link is not None and not link.startswith("https://"):
            problems.error(
                entry.node.place, f"{what}: {entry.key}: expected a link that begins with https://"
            )
        elif link is not None:
            found.append((entry.key, link))
    return tuple(found)


def weekdays(node: Node, what: str, problems: Problems) -> tuple[str, ...]:
    nodes = node.nodes if isinstance(node, Items) else (node,)
    days = [read.choice(get_args(Weekday))(one, what, problems) for one in nodes]
    return tuple(day for day in days if day)


def one_per(node: Node, what: str, problems: Problems) -> tuple[str, ...] | None:
    if isinstance(node, Leaf) and node.text == "account":
        return ("*",)
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected account or {{account: [roles]}}, got {came(node)}")
        return None
    found = Fields(node, what, ("account",), problems)
    return (
        found.read("account", read.names) if found.required("account", "a list of preferred roles") else None
    )


def offers(node: Node, what: str, problems: Problems) -> tuple[Offer, ...] | None:
    """Offers whose first true row counts."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected offers by name, got {came(node)}")
        return None
    made = []
    for entry in node.entries:
        where = f"{what}: {entry.key}"
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
            continue
        if not isinstance(entry.node, Items) or not entry.node.nodes:
            problems.error(
                entry.node.place, f"{where}: expected a list of rows such as {{percent: 10, currency: EUR}}"
            )
            continue
        rows = [
            _offer_row(one, f"{where} row {n}", problems) for n, one in enumerate(entry.node.nodes, start=1)
        ]
        made.append(Offer(name=entry.key, rows=tuple(row for row in rows if row is not None)))
    return tuple(made)


def _offer_row(node: Node, what: str, problems: Problems) -> OfferRow | None:
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected a mapping such as {{percent: 10}}, got {came(node)}")
        return None
    facts: list[tuple[str, Scalar]] = []
    asked = None
    for entry in node.entries:
        if entry.key == "if":
            asked = condition(entry.node, f"{what}: if", problems)
        elif not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
        else:
            value = read.scalar(entry.node, f"{what}: {entry.key}", problems)
            if value is not None:
                facts.append((entry.key, value))
    if not facts:
        problems.error(node.place, f"{what}: expected what is offered, such as percent: 10")
    return OfferRow(facts=tuple(facts), if_=asked)
