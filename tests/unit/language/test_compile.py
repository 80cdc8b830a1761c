"""The compiled playbook: where each word leads."""

# ruff: noqa: E501 - rows of a table read best on one line
from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.language.graph.compile import Compiled, CompileError, compile_playbook
from tests.unit.language.builders import book, design_examples, reads

ENDS = """
rest: {cooldown: 21d, then: done}
done: {end: no_conversion}
"""


def compiled(steps: str, more: str = "") -> Compiled:
    return compile_playbook(reads(book(steps + ENDS, more=more)))


def leads(
    walk: Compiled, step: str, outcome: str, detail: str | None = None, channel: str = "email"
) -> str | None:
    hop = walk.route(step, channel, outcome, detail)
    if hop is None:
        return None
    assert walk.move(step, hop.trigger) == hop.to
    return hop.to


def test_a_named_word_leads_where_it_says_and_others_move_nobody() -> None:
    walk = compiled(
        "mail: {send: {channel: email, template: t}, wait: 2d, then: {clicked: done, no_response: rest}}"
    )
    assert leads(walk, "mail", "clicked") == "done"
    assert leads(walk, "mail", "no_response") == "rest"
    assert leads(walk, "mail", "replied") is None
    assert leads(walk, "mail", "opened_no_click") is None


@pytest.mark.parametrize(
    "outcome", ["bounced", "failed", "not_sent", "missed", "exhausted", "closed", "negative", "unknown"]
)
def test_an_unnamed_trouble_becomes_no_response(outcome: str) -> None:
    walk = compiled("mail: {send: {channel: email, template: t}, wait: 2d, then: rest}")
    hop = walk.route("mail", "email", outcome)
    assert hop is not None
    assert (hop.to, hop.outcome_used) == ("rest", "no_response")


def test_bounced_becomes_not_sent_when_that_is_named() -> None:
    walk = compiled(
        "mail: {send: {channel: email, template: t}, wait: 2d, then: {not_sent: done, no_response: rest}}"
    )
    assert leads(walk, "mail", "bounced") == "done"
    assert leads(walk, "mail", "failed") == "done"
    assert leads(walk, "mail", "missed") == "rest"


def test_negative_becomes_replied_or_answered_when_named() -> None:
    walk = compiled(
        "mail: {send: {channel: sms, template: t}, wait: 2d, then: {replied: done, no_response: rest}}"
    )
    assert leads(walk, "mail", "negative") == "done"
    walk = compiled(
        "mail: {send: {channel: sms, template: t}, wait: 2d, then: {answered: done, no_response: rest}}"
    )
    assert leads(walk, "mail", "negative") == "done"


def test_links_and_answers_are_told_apart() -> None:
    walk = compiled(
        "mail: {send: {channel: email, template: t}, wait: 2d, then: {clicked: {book: done, else: rest}, no_response: rest}}\n"
        "ask: {ask: {channel: email, question: q, scale: 0-10}, wait: 2d,"
        " then: {answered: {0-6: rest, 7-8: mail, 9-10: done}, no_response: rest}}\n"
    )  # fmt: skip
    assert leads(walk, "mail", "clicked", "book") == "done"
    assert leads(walk, "mail", "clicked", "prices") == "rest"
    assert [leads(walk, "ask", "answered", answer) for answer in ("0", "6", "7", "10")] == [
        "rest",
        "rest",
        "mail",
        "done",
    ]
    assert leads(walk, "ask", "answered", "11") is None


def test_at_any_step_yields_to_the_steps_own_word_but_not_to_a_fallback() -> None:
    walk = compiled(
        "mail: {send: {channel: email, template: t}, wait: 2d, then: {replied: done, no_response: rest}}\n"
        "brief: {handoff: {to: crm, template: b}, wait: 14d, then: rest}\n",
        more="at_any_step: {replied: brief, negative: brief, call_booked: brief}\n",
    )
    assert leads(walk, "mail", "replied") == "done"
    assert leads(walk, "mail", "negative") == "brief"
    assert leads(walk, "mail", "call_booked") == "brief"
    assert leads(walk, "rest", "call_booked") == "brief"
    assert walk.any_step("brief", "call_booked") is None, "it does not fire in its own target"
    assert walk.any_step("mail", "call_booked", exhausted={"brief"}) is None
    assert walk.any_step("done", "call_booked") is None, "the walk is over"
    assert walk.signals_heard("rest") == {"call_booked"}


def test_then_to_one_step_stands_for_the_obligatory_words() -> None:
    walk = compiled(
        "price: {split: {full: 50%, less: 50%}, then: make}\nmake: {call: {function: f}, then: mark}\n"
        "mark: {set: {add_tags: [seen]}, then: hear}\n"
        "hear: {wait_until: {plan: pro}, wait: 3d, then: rest}\n"
    )
    assert [leads(walk, "price", outcome) for outcome in ("full", "less")] == ["make", "make"]
    assert [leads(walk, "make", outcome) for outcome in ("done", "failed", "exhausted")] == [
        "mark",
        "mark",
        "mark",
    ]
    assert leads(walk, "mark", "go") == "hear"
    assert [leads(walk, "hear", outcome) for outcome in ("met", "no_response")] == ["rest", "rest"]
    assert walk.at_once("hear", None) == ("met",)


def test_words_come_in_the_order_of_the_table() -> None:
    walk = compiled(
        "mail: {send: {channel: [in_app, email], template: t}, wait: 2d,"
        " then: {opened_no_click: rest, trial_started: done, seen_no_action: rest, no_response: rest}}"
    )
    assert walk.at_once("mail", "email") == (
        "negative", "answered", "replied", "clicked", "bounced", "failed", "trial_started",
    )  # fmt: skip
    assert walk.judged("mail", "email") == ("opened_no_click", "no_response")
    assert walk.judged("mail", "in_app") == ("seen_no_action", "no_response")


def test_goal_opt_out_erasure_leave_and_stop_lead_out_of_every_live_step() -> None:
    walk = compiled("mail: {send: {channel: email, template: t}, wait: 2d, then: rest}")
    for step in ("mail", "rest"):
        moved = [walk.move(step, f"engine:{why}") for why in ("goal", "opt_out", "erasure", "leave", "stop")]
        assert moved == ["converted", "opted_out", "erased", "left", "stopped"]
    with pytest.raises(CompileError, match="leads nowhere"):
        walk.move("done", "engine:goal")
    assert walk.is_end("done")
    assert walk.is_end("converted")


def test_a_choose_leads_by_its_rows() -> None:
    walk = compiled("value: {choose: [{if: {plan: pro}, go: rest}, {go: done}]}")
    assert [walk.move("value", walk.branch("value", n).trigger) for n in (0, 1)] == ["rest", "done"]


def test_equal_playbooks_share_one_compiled_form_and_one_and_true_do_not() -> None:
    steps = "value: {choose: [{if: {plan: 1}, go: rest}, {go: done}]}"
    assert compiled(steps) is compiled(steps)
    assert compiled(steps) is not compiled(steps.replace("plan: 1", "plan: true"))


def test_the_longest_walk_counts_a_loop_as_often_as_it_may_run() -> None:
    walk = compiled(
        "mail: {send: {channel: email, template: t}, wait: 2d, at_most: 3, then: {no_response: mail, exhausted: rest}}"
    )
    assert walk.longest_path == timedelta(days=6)
    assert compiled("on: {wait: event_starts, then: rest}").longest_path is None


def test_what_history_and_values_a_walk_needs_is_known() -> None:
    walk = compiled(
        "value: {choose: [{if: {opened: {times: 2, within: 14d}}, go: wait}, {go: done}]}\n"
        "wait: {wait: 3d before renews_at, then: rest}\n"
    )
    assert walk.history_needed == {"opened": timedelta(days=14), "renews_at": None}
    assert walk.attributes_needed == {"renews_at"}


def test_the_reference_examples_walk_from_start_to_an_end() -> None:
    for text in design_examples():
        walk = compile_playbook(reads(text))
        for name in walk.order:
            step, seen = name, 0
            while not walk.is_end(step) and seen < 50:
                seen += 1
                action = walk.kind(step)
                if action == "choose":
                    step = walk.move(
                        step, walk.branch(step, -1 % len(walk.step(step).action.branches)).trigger
                    )  # type: ignore[union-attr]
                    continue
                words = (
                    ("exhausted", "no_response", "done", "full")
                    if seen > 10
                    else ("no_response", "done", "full")
                )
                hop = next(hop for outcome in words if (hop := walk.route(step, None, outcome)))
                step = walk.move(step, hop.trigger)
            assert walk.is_end(step), name
