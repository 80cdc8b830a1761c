"""Random playbooks that pass the check: every step is reached, every walk ends, every loop has a wait."""

from __future__ import annotations

from hypothesis import strategies as st

from orchestrator.language.model import Playbook
from tests.support.enrollment_driver import playbook

CHANNELS = ("in_app", "email", "sms", "whatsapp", "chat", "webhook")
SIGNALS = ("call_booked", "paid", "mine")
SPANS = ("1h", "1d", "5d", "next 09:00", "tomorrow 10:00", "next monday 08:30", "next workday 12:00")
ANCHORED = (
    "3d before renews_at", "2d after trial_started at 09:00", "renews_at", "12h after trial_ends",
    "4d after arrival at 11:00", "6d after entry", "2h after mine",
)  # fmt: skip
CONDITIONS = (
    "{health: {at_least: 50}}", "{renews_at: {in_next: 10d}}", "{paid: {times: 2, within: 20d}}", "{plan: gold}",
    "{visits.s0: {at_least: 2}}", "{not: {region: DE}}", "{mine: {times: 1, since: entry}}",
    "{offer.discount.percent: 10}", "{tags: {contains: vip}}",
)  # fmt: skip
HEAD = """playbook: nudge
version: 1
title: A nudge
topic: upsell
enter: {because: "you asked", reentry: {after: 30d}}
context: {order_id: text}
signals: {mine: {event: order_cancelled, where: {order_id: {same_as: order_id}}}}
offers: {discount: [{if: {region: DE}, percent: 10}, {percent: 20}]}
"""
HEARD = {
    "in_app": ("answered", "clicked", "negative", "dismissed", "failed", "seen_no_action"),
    "email": ("negative", "replied", "clicked", "bounced", "opened_no_click", "unknown", "failed"),
    "sms": ("negative", "answered", "replied", "clicked", "bounced"),
    "whatsapp": ("negative", "replied", "seen_no_action", "unknown"),
    "chat": ("negative", "replied", "closed", "seen_no_action"),
    "webhook": ("clicked", "failed"),
}


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    """Step ``s<n>`` leads on to ``s<n+1>`` and by other words ahead; a way back always has a wait or an ``at_most``."""
    count = draw(st.integers(1, 6))
    names = [f"s{n}" for n in range(count)]
    lines = [
        f"{name}: {draw(_step(names[n + 1 :], names[: n + 1], CHANNELS))}" for n, name in enumerate(names)
    ]
    lines += ["pause: {cooldown: 5d, then: done}", "done: {end: finished}"]
    return playbook("\n".join(lines), draw(_around(names)), HEAD)


@st.composite
def _around(draw: st.DrawFn, names: list[str]) -> str:
    found = {
        outcome: draw(st.sampled_from([*names, "pause", "done"]))
        for outcome in draw(
            st.sets(st.sampled_from(("call_booked", "mine", "replied", "negative", "clicked")))
        )
    }
    silent = draw(st.sampled_from((None, "pause", "done")))
    if silent:
        found["opted_out"] = silent
    more = (
        [f"at_any_step: {{{', '.join(f'{outcome}: {to}' for outcome, to in found.items())}}}"]
        if found
        else []
    )
    if draw(st.booleans()):
        more.append("goal: {event: [plan_upgraded, order_cancelled], within: 20d, value: mrr_delta}")
    if draw(st.integers(0, 4)) == 0:
        more.append("leave: {health: {at_least: 90}}")
    return "\n".join(more)


@st.composite
def _step(draw: st.DrawFn, later: list[str], earlier: list[str], channels: tuple[str, ...]) -> str:
    ahead = st.sampled_from([*later, "pause", "done"])
    following = (later or ["pause"])[0]
    anywhere = st.sampled_from([*earlier, *later, "done"])
    moment = st.sampled_from(SPANS + ANCHORED)
    at = draw(st.sampled_from(("", "", f", at: {draw(moment)}", f", at: {draw(moment)}, late: 2d")))
    kind = draw(
        st.sampled_from(
            ("send", "send", "ask", "handoff", "call", "wait", "moment", "until", "choose", "split", "set",
             "start", "cooldown")
        )
    )  # fmt: skip
    signals = {name: draw(anywhere) for name in draw(st.sets(st.sampled_from(SIGNALS), max_size=2))}
    often = draw(st.sampled_from(("", ", at_most: 2")))
    match kind:
        case "send" | "ask":
            chosen = draw(st.lists(st.sampled_from(channels), min_size=1, max_size=2, unique=True))
            words = sorted({outcome for channel in chosen for outcome in HEARD[channel]})
            routes = {
                outcome: draw(anywhere) for outcome in draw(st.sets(st.sampled_from(words), max_size=3))
            }
            for outcome in ("exhausted", "missed", "failed", "bounced", "not_sent"):
                routes.pop(outcome, None)
            routes.update(signals)
            keep = draw(
                st.sampled_from(
                    ("", ", keep: 7d", ", patience: next 20:00", ", patience: 2d before renews_at")
                )
            )
            body = (
                f"send: {{channel: [{', '.join(chosen)}], template: m{keep}}}"
                if kind == "send"
                else f"ask: {{channel: [{', '.join(chosen)}], question: Why, answers: {{a: A, b: B}}, "
                f"negative: [b], saves: why{keep}}}"
            )
            return f"{{{body}, wait: {draw(moment)}{at}{often}, {_then(routes, following)}}}"
        case "handoff":
            wait, routes = draw(st.sampled_from((("", {}), (", wait: 3d", {"closed": "done", **signals}))))
            return f"{{handoff: {{to: crm, template: b}}{wait}{at}{often}, {_then(routes, following)}}}"
        case "call":
            body = "call: {function: f, with: {p: {same_as: offer.discount.percent}}, saves: f}"
            return f"{{{body}{at}, then: {{done: {following}, failed: {draw(ahead)}}}}}"
        case "wait":
            span = draw(st.sampled_from(SPANS))
            back = draw(st.booleans()) and not at
            routes = {**signals, **({"paid": draw(anywhere)} if back else {})}
            return f"{{wait: {span}{at}, {_then(routes, following)}}}"
        case "moment":
            field = draw(st.sampled_from(("wait", "wait_until")))
            return f"{{{field}: {draw(st.sampled_from(ANCHORED))}{at}, {_then(signals, following)}}}"
        case "until":
            condition = draw(st.sampled_from(CONDITIONS))
            then = f"then: {{met: {draw(ahead)}, no_response: {following}}}"
            return f"{{wait_until: {condition}, wait: {draw(moment)}{at}, {then}}}"
        case "choose":
            condition = draw(st.sampled_from(CONDITIONS))
            return f"{{choose: [{{if: {condition}, go: {draw(ahead)}}}, {{go: {following}}}]}}"
        case "split":
            return f"{{split: {{x: 30%, y: 70%}}, then: {{x: {draw(ahead)}, y: {following}}}}}"
        case "set":
            return f"{{set: {{attributes: {{plan: gold}}, add_tags: [vip]}}{at}, then: {following}}}"
        case "start":
            return (
                f"{{start: {{playbook: other, context: {{n: {{same_as: seats}}}}}}{at}, then: {following}}}"
            )
        case _:
            scope = draw(st.sampled_from(("everything", "topic", "playbook")))
            return f"{{cooldown: {{for: 3d, scope: {scope}}}{at}, {_then(signals, following)}}}"


def _then(routes: dict[str, str], following: str) -> str:
    told = "".join(f"{outcome}: {to}, " for outcome, to in routes.items())
    return f"then: {{{told}no_response: {following}}}"
