"""The model as the plain values an author would have written: what every writer starts from.

Fixed fields are dicts. A mapping whose keys the author chose and whose order counts (steps, words, answers, variants)
is an :class:`OrderedFields`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any as Value
from typing import assert_never

from orchestrator.language.conditions.computed import Computed, CountedEvents, FirstOf, Ratio, Score
from orchestrator.language.model import (
    EVERY_WORD,
    Action,
    All,
    Any,
    Ask,
    AtLeastOf,
    Call,
    Choose,
    Compare,
    Condition,
    Cooldown,
    Counted,
    Dropped,
    End,
    Enter,
    Filter,
    Followed,
    Goal,
    Guardrails,
    Handoff,
    Not,
    Percent,
    Playbook,
    QuietWindow,
    Route,
    SameAs,
    Send,
    Set,
    Split,
    Start,
    Step,
    Wait,
    percent_text,
)
from orchestrator.language.moments import Ago, Anchored, ClockTime, Duration
from orchestrator.language.outcomes import kind_of

Plain = Value


class OrderedFields(tuple[tuple[str, Value], ...]):
    """Pairs of key and value, written as a mapping."""

    __slots__ = ()


def playbook(book: Playbook) -> dict[str, Plain]:
    """Every field that differs from its default, in the order of the reference."""
    return _given(
        playbook=book.playbook,
        version=book.version,
        title=book.title,
        topic=book.topic,
        priority=None if book.priority == 50 else book.priority,
        measures=list(book.measures),
        context=OrderedFields(book.context),
        signals=OrderedFields(
            (one.name, _given(event=one.event, where=where(one.where))) for one in book.signals
        ),
        offers=OrderedFields(
            (
                one.name,
                [
                    OrderedFields((*_given(if_=_asked(row.if_)).items(), *_literals(row.facts)))
                    for row in one.rows
                ],
            )
            for one in book.offers
        ),
        enter=_enter(book.enter),
        goal=_goal(book.goal) if book.goal else None,
        holdout=percent_text(book.holdout) if book.holdout else None,
        guardrails=_guardrails(book.guardrails),
        leave=_asked(book.leave),
        at_any_step=_routes(book.at_any_step),
        steps=OrderedFields((one.name, step(one)) for one in book.steps),
    )


def _given(**fields: Plain) -> dict[str, Plain]:
    """The fields that hold anything; a trailing underscore stands for a name that Python keeps for itself."""
    return {
        key.removesuffix("_"): value
        for key, value in fields.items()
        if value is not None and value not in ([], {}, ())
    }


def _text(value: Plain) -> Plain:
    return None if value is None else str(value)


def scalar(value: Plain) -> Plain:
    """A literal as written: a percent with its sign, the rest as it is."""
    if isinstance(value, SameAs):
        return {"same_as": value.name}
    if isinstance(value, Percent):
        return str(value)
    if isinstance(value, Duration | ClockTime | Anchored | Ago):
        return str(value)
    if isinstance(value, tuple):
        return [scalar(one) for one in value]
    return value


def _literals(pairs: Iterable[tuple[str, Plain]]) -> OrderedFields:
    return OrderedFields((name, scalar(value)) for name, value in pairs)


# --- conditions -----------------------------------------------------------------------------------------------------


def _asked(asked: Condition | None) -> Plain:
    return condition(asked) if asked is not None else None


def condition(asked: Condition) -> dict[str, Plain]:
    """A condition; its ``because`` comes last."""
    return {**_body(asked), **_given(because=asked.because)}


def _body(asked: Condition) -> dict[str, Plain]:
    match asked:
        case All():
            return {"all": [condition(part) for part in asked.parts]}
        case Any():
            return {"any": [condition(part) for part in asked.parts]}
        case Not():
            return {"not": condition(asked.part)}
        case AtLeastOf():
            return {"at_least": asked.count, "of": [condition(part) for part in asked.parts]}
        case Compare():
            return {asked.name: _comparison(asked.op, asked.value)}
        case Counted():
            return {asked.event: _counted(asked)}
        case Dropped():
            return {
                asked.event: _given(
                    down_by=percent_text(asked.down_by),
                    against=str(asked.against),
                    from_=asked.minimum if asked.minimum != 1 else None,
                    where=where(asked.where),
                )
            }
        case Followed():
            key = "then" if asked.followed else "not_then"
            return {
                asked.event: _given(**{key: asked.other}, within=str(asked.within), where=where(asked.where))
            }
        case _:
            assert_never(asked)


def _comparison(op: str, value: Plain) -> Plain:
    if op in ("present", "missing"):
        return op
    if op in ("equals", "in"):
        return scalar(value)
    return {op: scalar(value)}


def _counted(asked: Counted) -> dict[str, Plain]:
    window = _given(within=_text(asked.within), since=_text(asked.since), where=where(asked.where))
    amount = int(asked.value) if asked.value == asked.value.to_integral_value() else asked.value
    if asked.measure == "times":
        return {"times": amount, **window}
    return {asked.measure: asked.field, asked.op: amount, **window}


def where(filters: tuple[Filter, ...]) -> OrderedFields:
    """Filters by property; several on one property share its mapping."""
    made: dict[str, Plain] = {}
    for one in filters:
        spelled = _comparison(one.op, one.value)
        if isinstance(made.get(one.name), dict) and isinstance(spelled, dict):
            made[one.name] = {**made[one.name], **spelled}
        else:
            made[one.name] = spelled
    return OrderedFields(made.items())


# --- entering and goals ---------------------------------------------------------------------------------------------


def _enter(way_in: Enter) -> dict[str, Plain]:
    again = way_in.reentry
    return _given(
        when=list(way_in.when),
        every=way_in.every,
        calendar=list(way_in.calendar),
        ahead=_text(way_in.ahead),
        if_=_asked(way_in.if_),
        because=way_in.because,
        one_per=_one_per(way_in.one_per),
        reentry=_given(per=again.per, after=_text(again.after)) or "never",
    )


def _one_per(roles: tuple[str, ...]) -> Plain:
    if not roles:
        return None
    return "account" if roles == ("*",) else {"account": list(roles)}


def _goal(aim: Goal) -> dict[str, Plain]:
    events = aim.events[0] if len(aim.events) == 1 else list(aim.events)
    return _given(
        event=events, by="account" if aim.by_account else None, within=str(aim.within), value=aim.value
    )


def _guardrails(guard: Guardrails) -> dict[str, Plain]:
    caps = [
        _given(at_most=cap.at_most, within=str(cap.within), channel=cap.channel, topic=cap.topic)
        for cap in guard.caps
    ]
    windows: dict[str, list[Plain]] = {}
    for window in guard.quiet_hours:
        windows.setdefault(window.channel, []).append(_window(window))
    quiet = OrderedFields((channel, rows[0] if len(rows) == 1 else rows) for channel, rows in windows.items())
    return _given(caps=caps, quiet_hours=quiet)


def _window(window: QuietWindow) -> dict[str, Plain]:
    return _given(
        from_=window.from_,
        until=window.until,
        weekdays=list(window.weekdays),
        regions=OrderedFields((code, {"from": start, "until": end}) for code, (start, end) in window.regions),
    )


# --- steps ----------------------------------------------------------------------------------------------------------


def step(one: Step) -> dict[str, Plain]:
    """A step without its name."""
    then = _routes(one.then)
    return _given(
        at=_text(one.at),
        late=_text(one.late),
        **action(one.action),
        wait=_text(one.wait),
        at_most=one.at_most,
        then=then,
    )


def _routes(routes: tuple[Route, ...]) -> Plain:
    if len(routes) == 1 and routes[0].outcome == EVERY_WORD:
        return routes[0].to
    return OrderedFields(
        (route.outcome, route.to if route.to is not None else OrderedFields(route.choices))
        for route in routes
    )


def action(act: Action) -> dict[str, Plain]:
    """The step's one action under its key; nothing for a plain wait."""
    kind = kind_of(act)
    match act:
        case Wait():
            until = act.until
            if until is None:
                return {}
            moment = isinstance(until, Duration | ClockTime | Anchored | Ago)
            return {"wait_until": str(until) if moment else condition(until)}  # type: ignore[arg-type]
        case Send() | Ask():
            return {kind: _message(act)}
        case Handoff():
            return {kind: {"to": act.to, "template": act.template}}
        case Call():
            return {
                kind: _given(
                    function=act.function, webhook=act.webhook, with_=_literals(act.with_), saves=act.saves
                )
            }
        case Choose():
            return {kind: [_given(if_=_asked(row.if_), go=row.go) for row in act.branches]}
        case Split():
            return {kind: OrderedFields((name, percent_text(share)) for name, share in act.shares)}
        case Set():
            return {
                kind: _given(
                    attributes=_literals(act.attributes),
                    add_tags=list(act.add_tags),
                    remove_tags=list(act.remove_tags),
                )
            }
        case Start():
            return {
                kind: _given(playbook=act.playbook, one_of=list(act.one_of), context=_literals(act.context))
            }
        case Cooldown():
            scope = None if act.scope == "everything" else act.scope
            return {kind: {"for": str(act.for_), "scope": scope} if scope else str(act.for_)}
        case End():
            return {kind: act.outcome}
        case _:
            assert_never(act)


def _message(act: Send | Ask) -> dict[str, Plain]:
    channel = act.channel[0] if len(act.channel) == 1 else list(act.channel)
    capped: Plain = {"fallback": act.fallback} if act.fallback else None
    if act.when_capped == "skip":
        capped = "skip"
    shared = _given(as_=act.as_, when_capped=capped, patience=_text(act.patience), keep=_text(act.keep))
    if isinstance(act, Send):
        own = _given(
            channel=channel,
            among=list(act.among),
            template=act.template,
            to=act.to,
            stale_after=_text(act.stale_after),
        )
    else:
        own = _given(
            channel=channel,
            question=act.question,
            answers=OrderedFields(act.answers),
            scale=f"{act.scale[0]}-{act.scale[1]}" if act.scale else None,
            comment=act.comment,
            saves=act.saves,
            negative=list(act.negative),
        )
    return own | shared


def number(value: Decimal) -> str:
    """A decimal without exponent."""
    return format(value, "f")


def computed(one: Computed) -> dict[str, Plain]:
    """A computed value of signals.yaml, without its name."""
    rule = one.rule
    match rule:
        case Ratio():
            return {"type": one.type, "ratio": {"of": rule.of, "to": rule.to}}
        case CountedEvents():
            key = {"times": "count", "sum": "sum", "distinct": "distinct"}[rule.measure]
            subject: Plain = rule.event if key == "count" else {"event": rule.event, "field": rule.field}
            return {
                "type": one.type,
                key: subject,
                **_given(within=_text(rule.within), where=where(rule.where)),
            }
        case FirstOf():
            rows = [_given(if_=_asked(row.if_), value=scalar(row.value)) for row in rule.rows]
            return {"type": one.type, "first": rows}
        case Score():
            points = [
                {"if": condition(row.if_), "points": row.points, **_given(label=row.label)}
                for row in rule.rows
            ]
            return {"type": one.type, "score": points, **_given(start=rule.start or None)}
        case _:
            assert_never(rule)
