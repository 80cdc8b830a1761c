"""Checks each step by itself: its words, its obligatory outcomes, its waits and choices."""

from __future__ import annotations

from collections.abc import Iterable

from channels.table import traits_of
from orchestrator.language.checking.context import Checking
from orchestrator.language.graph.compile import GENERATED_ENDS
from orchestrator.language.graph.routes import choice_covers
from orchestrator.language.model import (
    ELSE,
    EVERY_OUTCOME,
    Ask,
    End,
    Handoff,
    Route,
    Send,
    Split,
    Step,
    Wait,
)
from orchestrator.language.moments import Moment
from orchestrator.language.outcomes import (
    END_STATUSES,
    LEDGER_OUTCOME,
    MESSAGE_OUTCOMES,
    NO_RESPONSE,
    SPEAKING,
    channels_of,
    fallback_of,
    kind_of,
    obligatory,
    words_of,
)
from orchestrator.language.problems import did_you_mean, one_of, shown

_CHOICE_OUTCOMES = ("clicked", "answered", "closed")


def check_steps(checking: Checking) -> None:
    for step in checking.playbook.steps:
        _check_end(checking, step)
        _check_words(checking, step)
        _check_timing(checking, step)
        _check_channels(checking, step)
    _check_any_step(checking)


def _check_end(checking: Checking, step: Step) -> None:
    """An end may have a word of its own, but hardly one that differs from a known word by a letter."""
    if isinstance(step.action, End) and step.action.outcome not in END_STATUSES:
        hint = did_you_mean(step.action.outcome, END_STATUSES)
        if hint:
            checking.warning(
                ("steps", step.name, "end"),
                f"step '{step.name}': {shown(step.action.outcome)} is a word of your own{hint}",
            )


def _check_words(checking: Checking, step: Step) -> None:
    kind, what = kind_of(step.action), f"step '{step.name}'"
    where = ("steps", step.name, "then")
    if kind in ("choose", "end"):
        if step.then:
            said = "leads on by 'go'" if kind == "choose" else "is where the walk ends"
            checking.error(where, f"{what}: a {kind} has no 'then': it {said}")
        return
    words = words_of(step.action)
    named = {route.outcome for route in step.then}
    for route in step.then:
        if route.outcome == EVERY_OUTCOME:
            continue
        if route.outcome not in words and route.outcome not in checking.signals:
            _unknown_word(checking, step, route.outcome, words)
        _check_choices(checking, step, route)
    if EVERY_OUTCOME not in named:
        missing = [outcome for outcome in obligatory(step.action) if outcome not in named]
        if missing:
            lead = "then: x" if not step.then else f"{missing[0]}: x"
            checking.error(
                where if step.then else ("steps", step.name),
                f"{what}: {one_of(missing).replace(' or ', ' and ')} must lead somewhere: write '{lead}'",
            )
    if isinstance(step.action, Split):
        variants = {name for name, _ in step.action.shares}
        taken = sorted(variants & (MESSAGE_OUTCOMES | set(checking.signals)))
        if taken:
            checking.error(
                ("steps", step.name, "split", taken[0]),
                f"{what}: {shown(taken[0])} means something else; rename the variant",
            )
    heard_clicks = isinstance(step.action, Send) and "clicked" in words
    if (
        heard_clicks
        and "clicked" not in named
        and not any(r.outcome == "clicked" for r in checking.playbook.at_any_step)
    ):
        checking.warning(("steps", step.name), f"{what}: a click moves nobody; name 'clicked' if it should")


def _unknown_word(checking: Checking, step: Step, outcome: str, words: Iterable[str]) -> None:
    what, kind = f"step '{step.name}'", kind_of(step.action)
    channels = channels_of(step.action)
    owner = one_of(channels) if channels else kind
    known = [*words, *checking.signals]
    where = ("steps", step.name, "then", outcome)
    if outcome in MESSAGE_OUTCOMES:
        checking.error(
            where, f"{what}: {shown(outcome)} is not an outcome of {owner}; its outcomes are {one_of(words)}"
        )
        return
    hint = did_you_mean(outcome, known) or f"; expected {one_of(words)} or a signal of signals.yaml"
    checking.error(
        where, f"{what}: {shown(outcome)} is neither an outcome of {owner} nor a declared signal{hint}"
    )


def _check_choices(checking: Checking, step: Step, route: Route) -> None:
    if not route.choices:
        return
    what, where = f"step '{step.name}'", ("steps", step.name, "then", route.outcome)
    if route.outcome not in _CHOICE_OUTCOMES:
        checking.error(
            where, f"{what}: only {one_of(_CHOICE_OUTCOMES)} tell cases apart, not {shown(route.outcome)}"
        )
        return
    if route.outcome != "answered" or not isinstance(step.action, Ask):
        return
    keys = [key for key, _ in route.choices]
    answers = answer_keys(step.action)
    for key in keys:
        if key != ELSE and not any(choice_covers(key, answer) for answer in answers):
            checking.error((*where, key), f"{what}: {shown(key)} is no answer{did_you_mean(key, answers)}")
    if ELSE not in keys:
        open_ = [answer for answer in answers if not any(choice_covers(key, answer) for key in keys)]
        if open_:
            checking.error(where, f"{what}: nobody says where {one_of(open_)} leads; name it or add 'else'")


def answer_keys(ask: Ask) -> list[str]:
    """Every answer a person can give."""
    if ask.scale is not None:
        return [str(number) for number in range(ask.scale[0], ask.scale[1] + 1)]
    return [key for key, _ in ask.answers]


def _check_timing(checking: Checking, step: Step) -> None:
    kind, what, where = kind_of(step.action), f"step '{step.name}'", ("steps", step.name)
    if kind in ("send", "ask") and step.wait is None:
        checking.error(where, f"{what}: a message listens: say how long with 'wait: 2d'")
    if isinstance(step.action, Wait):
        until = step.action.until
        if until is not None and not isinstance(until, Moment) and step.wait is None:
            checking.error(where, f"{what}: waiting for a condition needs 'wait' as its time-out")
        if isinstance(until, Moment) and step.wait is not None:
            checking.error((*where, "wait"), f"{what}: expected wait or wait_until with a moment, got both")
    elif kind not in ("send", "ask", "handoff") and step.wait is not None:
        checking.error((*where, "wait"), f"{what}: a {kind} does not wait")
    if kind in ("choose", "split", "end") and step.at is not None:
        checking.error((*where, "at"), f"{what}: a {kind} happens at once; put 'at' on the step it leads to")
    if step.late is not None and step.at is None:
        checking.error((*where, "late"), f"{what}: 'late' goes with 'at'")
    if step.at_most is not None and kind not in SPEAKING:
        checking.error(
            (*where, "at_most"), f"{what}: a {kind} may be entered as often as it is led to; remove 'at_most'"
        )
    if isinstance(step.action, Handoff) and step.wait is None:
        dead = [route.outcome for route in step.then if route.outcome == "closed"]
        if dead:
            checking.error(
                (*where, "then", "closed"),
                f"{what}: without 'wait' it moves on at once and hears no 'closed'",
            )
    ends = set(GENERATED_ENDS.values())
    if step.name in ends and kind != "end":
        checking.error(
            where, f"{what}: {shown(step.name)} is the name of an end; only an end step may have it"
        )


def _check_channels(checking: Checking, step: Step) -> None:
    action = step.action
    if not isinstance(action, Send | Ask):
        return
    key = kind_of(action)
    preferred = action.channel == ("preferred",)
    named = [("channel", one) for one in action.channel if not preferred]
    named += [("among", one) for one in (action.among if isinstance(action, Send) else ())]
    fallback = fallback_of(action)
    if fallback:
        named.append(("when_capped", fallback))
    for field, channel in named:
        known = checking.policy.channels
        if channel not in known:
            hint = did_you_mean(channel, (*known, "preferred")) or f"; expected {one_of(known)}"
            checking.error(
                ("steps", step.name, key, field), f"step '{step.name}': {shown(channel)} is no channel{hint}"
            )
    if isinstance(action, Ask) and preferred:
        checking.error(("steps", step.name, key, "channel"), f"step '{step.name}': an ask names its channels")
    if action.as_ is not None and not any(traits_of(one).in_feed for one in channels_of(action)):
        checking.error(("steps", step.name, key, "as"), f"step '{step.name}': 'as' is for in_app messages")


def _check_any_step(checking: Checking) -> None:
    known = {*MESSAGE_OUTCOMES, LEDGER_OUTCOME, *checking.signals}
    for route in checking.playbook.at_any_step:
        where = ("at_any_step", route.outcome)
        if route.outcome not in known:
            hint = (
                did_you_mean(route.outcome, known) or "; expected an outcome, a declared signal or opted_out"
            )
            checking.error(
                where,
                f"at_any_step: {shown(route.outcome)} is neither an outcome nor a declared signal{hint}",
            )
        if route.outcome == NO_RESPONSE:
            checking.error(where, "at_any_step: no_response belongs to each step's own 'then'")
        if route.choices and route.outcome not in _CHOICE_OUTCOMES:
            checking.error(where, f"at_any_step: only {one_of(_CHOICE_OUTCOMES)} tell cases apart")
