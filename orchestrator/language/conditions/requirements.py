"""What must be loaded before a condition can be asked: names of values, and how far back each event is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from orchestrator.language.model import (
    All,
    Any,
    AtLeastOf,
    Compare,
    Condition,
    Counted,
    Dropped,
    Filter,
    FilteredSignal,
    Followed,
    Not,
    SameAs,
)
from orchestrator.language.moments import Anchored

LookBack = Mapping[str, timedelta | None]
RUN_ANCHORS = frozenset({"entry", "arrival"})


def leaves(condition: Condition) -> Iterator[Compare | Counted | Dropped | Followed]:
    """Every single question a condition is made of, in written order."""
    match condition:
        case All() | Any() | AtLeastOf():
            for part in condition.parts:
                yield from leaves(part)
        case Not():
            yield from leaves(condition.part)
        case _:
            yield condition


def events_needed(condition: Condition, *, signals: Mapping[str, FilteredSignal] | None = None) -> LookBack:
    """Event name to the longest look-back; None means everything remembered (since entry, or the latest ever).

    An anchor may be an event or a value; it is listed here and in :func:`names_needed`.
    """
    own = signals or {}
    needed: dict[str, timedelta | None] = {}
    for leaf in leaves(condition):
        for event, back in _leaf_events(leaf):
            merge(needed, own[event].event if event in own else event, back)
        for anchor in anchors(leaf):
            if anchor not in RUN_ANCHORS and "." not in anchor:
                merge(needed, own[anchor].event if anchor in own else anchor, None)
    return needed


def names_needed(
    condition: Condition, *, signals: Mapping[str, FilteredSignal] | None = None
) -> frozenset[str]:
    """Every attribute, computed value, context field and dotted run fact the condition asks for."""
    own = signals or {}
    names: set[str] = set()
    for leaf in leaves(condition):
        names.update(name for name in anchors(leaf) if name not in RUN_ANCHORS)
        if isinstance(leaf, Compare):
            names.add(leaf.name)
            names.update(same_as([leaf.value]))
            continue
        names.update(same_as(entry.value for entry in leaf.where))
        events = [leaf.event, leaf.other] if isinstance(leaf, Followed) else [leaf.event]
        for event in events:
            if event in own:
                names.update(same_as(entry.value for entry in own[event].where))
    return frozenset(names)


def filter_names(filters: Iterable[Filter]) -> set[str]:
    """The names that ``same_as`` looks up in these filters."""
    return set(same_as(entry.value for entry in filters))


def same_as(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, SameAs):
            yield value.name


def merge(needed: dict[str, timedelta | None], event: str, back: timedelta | None) -> None:
    """Keep the longer look-back; None is the longest."""
    if event not in needed:
        needed[event] = back
        return
    known = needed[event]
    needed[event] = None if back is None or known is None else max(back, known)


def anchors(leaf: Compare | Counted | Dropped | Followed) -> Iterator[str]:
    """Names that a moment inside the question is measured from."""
    moment = leaf.value if isinstance(leaf, Compare) else leaf.since if isinstance(leaf, Counted) else None
    if isinstance(moment, Anchored):
        yield moment.anchor


def _leaf_events(
    leaf: Compare | Counted | Dropped | Followed,
) -> Iterator[tuple[str, timedelta | None]]:
    match leaf:
        case Counted():
            yield leaf.event, leaf.within.span if leaf.within else None
        case Dropped():
            yield leaf.event, 2 * leaf.against.span
        case Followed():
            yield leaf.event, None
            yield leaf.other, None
        case Compare():
            return
