"""Conditions: what holds for a customer in memory."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from orchestrator.language.account.signals import read_vocabulary
from orchestrator.language.conditions.computed import WithComputed, active_rows, evaluate
from orchestrator.language.conditions.evaluate import holds, reason
from orchestrator.language.conditions.requirements import events_needed, names_needed
from orchestrator.language.model import Filter, FilteredSignal, Not, SameAs
from tests.unit.language.builders import NOON, Somebody, asked, happened


def ago(**span: float) -> Any:
    return NOON - timedelta(**span)


@pytest.mark.parametrize(
    ("text", "values", "answer"),
    [
        ("{plan: pro}", {"plan": "pro"}, True),
        ("{plan: [pro, team]}", {"plan": "team"}, True),
        ("{plan: [pro, team]}", {"plan": "free"}, False),
        ("{plan: present}", {"plan": "free"}, True),
        ("{plan: missing}", {}, True),
        ("{seats: {at_least: 10}}", {"seats": 10}, True),
        ("{seats: {more_than: 10}}", {"seats": 10}, False),
        ("{seats: {at_least: 5, less_than: 10}}", {"seats": 7}, True),
        ("{seats: {at_least: 5, less_than: 10}}", {"seats": 10}, False),
        ("{ratio: {at_least: 80%}}", {"ratio": 0.8}, True),
        ("{ratio: {at_least: 80%}}", {"ratio": 0.7999}, False),
        ("{tags: {contains: vip}}", {"tags": ["vip"]}, True),
        ("{plan: {contains: ro}}", {"plan": "pro"}, True),
        ("{plan: {same_as: wish}}", {"plan": "pro", "wish": "pro"}, True),
        ("{seats: {at_least: {same_as: used}}}", {"seats": 5, "used": 6}, False),
        ("{seats: 1}", {"seats": True}, False),
        ("{flag: true}", {"flag": 1}, False),
        ("{seats: 10}", {"seats": "10"}, False),
        ("{renews: {in_next: 45d}}", {"renews": "2026-07-30"}, True),
        ("{renews: {in_next: 44d}}", {"renews": "2026-07-30"}, False),
        ("{renews: {in_next: 1d}}", {"renews": "2026-06-15"}, True),
        ("{renews: {in_last: 1d}}", {"renews": "2026-06-14T11:00:00Z"}, False),
        ("{renews: {in_last: 2d}}", {"renews": "2026-06-14T11:00:00Z"}, True),
        ("{signed: {before: 60d ago}}", {"signed": "2026-01-01"}, True),
        ("{signed: {after: 60d ago}}", {"signed": "2026-06-01"}, True),
        ("{signed: {before: renews}}", {"signed": "2026-06-01", "renews": "2026-06-02"}, True),
        ("{a: 1, b: 2}", {"a": 1, "b": 2}, True),
        ("{a: 1, b: 2}", {"a": 1, "b": 3}, False),
        ("{any: [{a: 1}, {b: 1}]}", {"b": 1}, True),
        ("{at_least: 2, of: [{a: 1}, {b: 1}, {c: 1}]}", {"a": 1, "c": 1}, True),
        ("{at_least: 2, of: [{a: 1}, {b: 1}, {c: 1}]}", {"c": 1}, False),
        ("{not: {a: 1}}", {"a": 1}, False),
    ],
)  # fmt: skip
def test_values_are_compared_by_their_kind(text: str, values: dict[str, Any], answer: bool) -> None:
    assert holds(asked(text), Somebody(values=values)) is answer


@pytest.mark.parametrize(
    "text",
    ["{x: 1}", "{x: [1, 2]}", "{x: {at_least: 0}}", "{x: {less_than: 9}}", "{x: {contains: a}}", "{x: {in_next: 1d}}",
     "{x: {before: 1d ago}}", "{x: {after: nowhere}}", "{x: {same_as: y}}", "{e: {times: 0, since: nowhere}}"],
)  # fmt: skip
def test_a_comparison_with_something_missing_is_false_and_its_not_true(text: str) -> None:
    condition = asked(text)
    assert holds(condition, Somebody()) is False
    assert holds(Not(part=condition), Somebody()) is True


def test_an_event_is_counted_inside_its_window() -> None:
    five = [happened("opened", ago(days=13)) for _ in range(5)]
    assert holds(asked("{opened: {times: 5, within: 14d}}"), Somebody(events=five))
    assert not holds(asked("{opened: {times: 5, within: 13d}}"), Somebody(events=five))
    assert not holds(asked("{opened: {times: 6, within: 14d}}"), Somebody(events=five))


def test_absence_is_zero_times() -> None:
    quiet = asked("{opened: {times: 0, within: 14d}}")
    assert holds(quiet, Somebody())
    assert not holds(quiet, Somebody(events=[happened("opened", ago(days=1))]))


def test_sums_and_different_values_are_compared() -> None:
    paid = [happened("paid", ago(days=1), amount=4, by="a"), happened("paid", ago(days=2), amount=6.5, by="b"),
            happened("paid", ago(days=3), amount="7", by="b")]  # fmt: skip
    assert holds(asked("{paid: {sum: amount, at_least: 10.5, within: 30d}}"), Somebody(events=paid))
    assert not holds(asked("{paid: {sum: amount, more_than: 10.5, within: 30d}}"), Somebody(events=paid))
    assert holds(asked("{paid: {distinct: by, equals: 2}}"), Somebody(events=paid))


def test_only_what_happened_after_the_entry_counts_since_entry() -> None:
    entered = ago(days=2)
    events = [happened("opened", entered), happened("opened", ago(days=1))]
    customer = Somebody(events=events, entered_at=entered)
    assert holds(asked("{opened: {times: 1, since: entry}}"), customer)
    assert not holds(asked("{opened: {times: 2, since: entry}}"), customer)


def test_a_drop_compares_a_window_with_the_one_before() -> None:
    before = [happened("session", ago(days=40)) for _ in range(10)]
    drop = asked("{session: {down_by: 40%, against: 28d, from: 10}}")
    six = [happened("session", ago(days=3)) for _ in range(6)]
    assert holds(drop, Somebody(events=[*before, *six]))
    assert not holds(drop, Somebody(events=[*before, *six, happened("session", ago(days=1))]))
    assert not holds(drop, Somebody(events=before[:9])), "nine sessions are too few to tell"
    assert not holds(drop, Somebody()), "nothing divided by nothing is no drop"


def test_then_and_not_then_ask_what_followed() -> None:
    started, used = happened("trial", ago(days=10)), happened("used", ago(days=5))
    assert holds(asked("{trial: {then: used, within: 7d}}"), Somebody(events=[started, used]))
    assert not holds(asked("{trial: {then: used, within: 4d}}"), Somebody(events=[started, used]))
    assert holds(asked("{trial: {not_then: used, within: 4d}}"), Somebody(events=[started, used]))
    assert not holds(asked("{trial: {not_then: used, within: 20d}}"), Somebody(events=[started])), (
        "still time"
    )


def test_filters_see_the_events_properties_and_the_runs_context() -> None:
    bought = FilteredSignal(
        name="bought",
        event="upgraded",
        where=(Filter(name="order", op="equals", value=SameAs(name="order")),),
    )
    events = [happened("upgraded", ago(days=1), order="A")]
    mine, other = (
        Somebody(values={"order": "A"}, events=events),
        Somebody(values={"order": "B"}, events=events),
    )
    question = asked("{bought: {times: 1, within: 7d}}")
    assert holds(question, mine, signals={"bought": bought})
    assert not holds(question, other, signals={"bought": bought})


def test_the_reason_is_that_of_the_first_true_way() -> None:
    question = asked('{any: [{a: 1, because: "first"}, {b: 1, because: "second"}], because: "outer"}')
    assert reason(question, Somebody(values={"a": 1, "b": 1})) == "first"
    assert reason(question, Somebody(values={"b": 1})) == "second"
    assert reason(question, Somebody()) is None
    assert (
        reason(asked('{a: 1, b: {at_least: 2}, because: "both"}'), Somebody(values={"a": 1, "b": 2}))
        == "both"
    )


def test_what_must_be_loaded_is_known_before() -> None:
    question = asked(
        "{all: [{a: {times: 1, within: 3d}}, {a: {times: 1, within: 5d}}, {b: {down_by: 10%, against: 7d}},"
        " {c: {same_as: d}}, {e: {before: 3d after f}}]}"
    )
    assert events_needed(question) == {"a": timedelta(days=5), "b": timedelta(days=14), "f": None}
    assert names_needed(question) == {"c", "d", "e", "f"}


COMPUTED = """
attributes: {used: number, limit: number}
events: {paid: {amount: money, by: text}, opened: {}}
computed:
  ratio: {type: percent, ratio: {of: used, to: limit}}
  opens: {type: number, count: opened, within: 7d}
  spend: {type: money, sum: {event: paid, field: amount}}
  payers: {type: number, distinct: {event: paid, field: by}, where: {amount: {at_least: 5}}}
  size: {type: text, first: [{if: {limit: {at_least: 50}}, value: large}, {value: small}]}
  fit: {type: number, start: 10, score: [{if: {ratio: {at_least: 80%}}, points: 60, label: near the limit},
                                         {if: {opens: {at_least: 1}}, points: 50}, {if: {size: small}, points: -5}]}
"""


def test_computed_values_are_worked_out_from_values_and_history() -> None:
    vocabulary, problems = read_vocabulary(COMPUTED)
    assert problems == []
    events = [happened("paid", ago(days=1), amount=4, by="a"), happened("paid", ago(days=2), amount=6, by="b"),
              happened("opened", ago(days=8))]  # fmt: skip
    facts = WithComputed(
        base=Somebody(values={"used": 8, "limit": 10}, events=events), computed=vocabulary.computed_named
    )
    answers = {name: facts.value(name) for name in vocabulary.computed_named}
    assert answers == {
        "ratio": Decimal("0.8"),
        "opens": 0,
        "spend": 10,
        "payers": 1,
        "size": "small",
        "fit": 65,
    }


def test_a_ratio_to_zero_is_missing_and_a_score_stays_within_bounds() -> None:
    vocabulary, _ = read_vocabulary(COMPUTED)
    facts = WithComputed(base=Somebody(values={"used": 8, "limit": 0}), computed=vocabulary.computed_named)
    assert facts.value("ratio") is None
    rich = Somebody(values={"ratio": 1, "opens": 3, "size": "large"})
    fit = vocabulary.computed_named["fit"]
    assert evaluate(fit, rich) == 100
    assert [row.label for row in active_rows(fit.rule, rich)] == ["near the limit", None]  # type: ignore[arg-type]
