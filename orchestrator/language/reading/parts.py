"""Reads a playbook's smaller blocks: context, own signals, offers and guardrails."""

from __future__ import annotations

from orchestrator.language import grammar
from orchestrator.language.model import (
    Cap,
    FilteredSignal,
    Guardrails,
    Offer,
    OfferRow,
    QuietWindow,
    Scalar,
)
from orchestrator.language.problems import Problems, shown
from orchestrator.language.reading import field_reader as read
from orchestrator.language.reading.conditions import condition, filters
from orchestrator.language.reading.field_reader import Fields
from orchestrator.language.reading.tree import Items, Map, Node, came

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def context(node: Node, what: str, problems: Problems) -> tuple[tuple[str, str], ...] | None:
    """``{checkout_id: text}``: what a run is told at its start."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected names with types, got {came(node)}")
        return None
    found = []
    for entry in node.entries:
        kind = read.choice(grammar.VALUE_TYPES)(entry.node, f"{what}: {entry.key}", problems)
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
        elif kind:
            found.append((entry.key, kind))
    return tuple(found)


def signals(node: Node, what: str, problems: Problems) -> tuple[FilteredSignal, ...] | None:
    """The playbook's own names for filtered events."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected names with an event each, got {came(node)}")
        return None
    made = []
    for entry in node.entries:
        found = read.fields(entry.node, f"{what}: {entry.key}", grammar.SIGNAL, problems)
        if not read.NAME.fullmatch(entry.key):
            problems.error(entry.place, f"{what}: expected a name, got {shown(entry.key)}")
        elif found is not None and found.required("event", "the event that is narrowed"):
            event = found.read("event", read.name)
            where = found.read("where", filters) or ()
            if event:
                made.append(FilteredSignal(name=entry.key, event=event, where=where))
    return tuple(made)


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


def guardrails(node: Node, what: str, problems: Problems) -> Guardrails | None:
    """Additions to the account's policy."""
    found = read.fields(node, what, grammar.GUARDRAILS, problems)
    if found is None:
        return None
    limits = found.read("caps", caps)
    silences = found.read("quiet_hours", quiet_hours)
    return Guardrails(caps=limits or (), quiet_hours=silences or ())


def caps(node: Node, what: str, problems: Problems) -> tuple[Cap, ...] | None:
    """``[{at_most: 3, within: 7d, channel: sms}]``."""
    if not isinstance(node, Items):
        problems.error(
            node.place, f"{what}: expected a list such as [{{at_most: 3, within: 7d}}], got {came(node)}"
        )
        return None
    made = []
    for one in node.nodes:
        found = read.fields(one, what, grammar.CAP, problems)
        if found is None:
            continue
        found.required("at_most", "how many messages")
        found.required("within", "a rolling window such as 7d")
        at_most, within = found.read("at_most", read.whole), found.read("within", read.duration)
        channel, topic = found.read("channel", read.name), found.read("topic", read.name)
        if at_most is not None and within is not None:
            made.append(Cap(at_most=at_most, within=within, channel=channel, topic=topic))
    return tuple(made)


def quiet_hours(node: Node, what: str, problems: Problems) -> tuple[QuietWindow, ...] | None:
    """``{sms: {from: "20:00", until: "09:00", weekdays: [...], regions: {DE: {...}}}}``, or a list a channel."""
    if not isinstance(node, Map):
        problems.error(node.place, f"{what}: expected channels with their hours, got {came(node)}")
        return None
    made = []
    for entry in node.entries:
        nodes = entry.node.nodes if isinstance(entry.node, Items) else (entry.node,)
        for one in nodes:
            window = _window(entry.key, one, f"{what}: {entry.key}", problems)
            if window is not None:
                made.append(window)
    return tuple(made)


def _window(channel: str, node: Node, what: str, problems: Problems) -> QuietWindow | None:
    found = read.fields(node, what, grammar.QUIET, problems)
    if found is None:
        return None
    times = _from_until(found)
    weekdays = found.read("weekdays", _weekdays) or ()
    regions: list[tuple[str, tuple[str, str]]] = []
    node_of_regions = found.node_of("regions")
    if isinstance(node_of_regions, Map):
        for entry in node_of_regions.entries:
            inner = read.fields(entry.node, f"{what}: {entry.key}", grammar.QUIET_REGION, problems)
            hours = _from_until(inner) if inner is not None else None
            if hours:
                regions.append((entry.key, hours))
    elif node_of_regions is not None:
        found.error("regions", f"expected regions with their hours, got {came(node_of_regions)}")
    if times is None:
        return None
    return QuietWindow(
        channel=channel, from_=times[0], until=times[1], weekdays=weekdays, regions=tuple(regions)
    )


def _from_until(found: Fields) -> tuple[str, str] | None:
    found.required("from", 'a local time such as "20:00"')
    found.required("until", 'a local time such as "09:00"')
    start, end = found.read("from", read.clock), found.read("until", read.clock)
    if start is None or end is None:
        return None
    return f"{start:%H:%M}", f"{end:%H:%M}"


def _weekdays(node: Node, what: str, problems: Problems) -> tuple[str, ...]:
    nodes = node.nodes if isinstance(node, Items) else (node,)
    days = [read.choice(_WEEKDAYS)(one, what, problems) for one in nodes]
    return tuple(day for day in days if day)
