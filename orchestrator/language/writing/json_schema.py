"""JSON Schemas for editors: completion and early squiggles for playbook.yaml, policy.yaml and signals.yaml.

An editor's schema cannot know what a playbook means; it offers the fields the parser accepts, from the same lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from channels.table import channel_names
from orchestrator.language import grammar
from orchestrator.language.account.policy import Waiting
from orchestrator.language.outcomes import END_WORDS

Schema = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string"}
_NAME: Schema = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}
_NAMES: Schema = {"oneOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}]}
_DURATION: Schema = {"type": "string", "pattern": "^[0-9]+(min|h|d|w)$", "description": "30min, 12h, 2d, 3w"}
_MOMENT: Schema = {
    "type": "string",
    "description": "12h, next 09:00, next workday 09:00, 30d before event_starts",
}
_PERCENT: Schema = {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?%$"}
_CLOCK: Schema = {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"}
_DATE: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_FLAG: Schema = {"type": "boolean"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_TYPE: Schema = {"enum": list(grammar.VALUE_TYPES)}
_CONDITION: Schema = {"$ref": "#/$defs/condition"}
_WHERE: Schema = {"type": "object"}
_VALUES: Schema = {
    "type": "object",
    "additionalProperties": {"oneOf": [_SCALAR, {"type": "object", "properties": {"same_as": _TEXT}}]},
}
_ROUTES: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"oneOf": [_NAME, {"type": "object", "additionalProperties": _NAME}]},
}
_CHANNEL: Schema = {"$ref": "#/$defs/channel_or_preferred"}
_CHANNELS: Schema = {"oneOf": [_CHANNEL, {"type": "array", "items": _CHANNEL, "minItems": 1}]}
_CAPPED: Schema = {
    "oneOf": [{"enum": ["defer", "skip"]}, {"type": "object", "properties": {"fallback": _CHANNEL}}]
}


def closed(known: Sequence[str], properties: Mapping[str, Schema], *required: str) -> Schema:
    """An object of exactly the parser's fields; one that is described nowhere accepts anything."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: properties.get(name, {}) for name in known},
        **({"required": list(required)} if required else {}),
    }


def _rows(row: Schema) -> Schema:
    return {"type": "array", "items": row, "minItems": 1}


def _named(inner: Schema) -> Schema:
    return {"type": "object", "additionalProperties": inner}


_CAPS = _rows(
    closed(
        grammar.CAP,
        {
            "at_most": _WHOLE,
            "within": _DURATION,
            "channel": {"$ref": "#/$defs/channel"},
            "topic": _NAME,
        },
        "at_most",
        "within",
    )
)
_REGION = closed(grammar.QUIET_REGION, {"from": _CLOCK, "until": _CLOCK}, "from", "until")
_WINDOW = closed(
    grammar.QUIET,
    {"from": _CLOCK, "until": _CLOCK, "weekdays": _NAMES, "regions": _named(_REGION)},
    "from",
    "until",
)
_QUIET_HOURS = _named({"oneOf": [_WINDOW, _rows(_WINDOW)]})
_DELIVERY: Mapping[str, Schema] = {
    "channel": _CHANNELS,
    "as": {"enum": list(grammar.DISPLAYS)},
    "when_capped": _CAPPED,
    "patience": _MOMENT,
    "keep": _MOMENT,
}


def _definitions() -> dict[str, Schema]:
    """What is named in several places. A channel may be one that only policy.yaml names."""
    return {
        "channel": {"anyOf": [{"enum": list(channel_names())}, _NAME]},
        "channel_or_preferred": {"anyOf": [{"enum": [*channel_names(), "preferred"]}, _NAME]},
        "condition": {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "any": _rows(_CONDITION),
                "all": _rows(_CONDITION),
                "of": _rows(_CONDITION),
                "not": _CONDITION,
                "because": _TEXT,
            },
        },
    }


def _step() -> Schema:
    send = closed(
        grammar.SEND,
        {**_DELIVERY, "template": _NAME, "to": _NAME, "among": _CHANNELS, "stale_after": _DURATION},
        "channel",
        "template",
    )
    ask = closed(
        grammar.ASK,
        {
            **_DELIVERY,
            "question": _TEXT,
            "answers": _named(_SCALAR),
            "scale": {"type": "string", "pattern": "^[0-9]+-[0-9]+$"},
            "comment": _TEXT,
            "saves": _NAME,
            "negative": {"type": ["string", "array"]},
        },
        "channel",
        "question",
    )
    call = closed(grammar.CALL, {"function": _TEXT, "webhook": _NAME, "with": _VALUES, "saves": _NAME})
    choose = _rows(closed(grammar.BRANCH, {"if": _CONDITION, "go": _NAME}, "go"))
    rest = closed(grammar.COOLDOWN, {"for": _MOMENT, "scope": {"enum": list(grammar.SCOPES)}}, "for")
    return closed(
        grammar.STEP,
        {
            "send": send,
            "ask": ask,
            "handoff": closed(grammar.HANDOFF, {"to": _NAME, "template": _NAME}, "to", "template"),
            "call": call,
            "choose": choose,
            "split": _named(_PERCENT),
            "set": closed(grammar.SET, {"attributes": _VALUES, "add_tags": _NAMES, "remove_tags": _NAMES}),
            "start": closed(
                grammar.START, {"playbook": _NAME, "one_of": _NAMES, "context": _VALUES}, "playbook"
            ),
            "cooldown": {"oneOf": [_MOMENT, rest]},
            "wait_until": {"oneOf": [_MOMENT, _CONDITION]},
            "end": {"anyOf": [{"enum": list(END_WORDS)}, _NAME]},
            "wait": _MOMENT,
            "then": {"oneOf": [_NAME, _ROUTES]},
            "at": _MOMENT,
            "late": _MOMENT,
            "at_most": {"type": "integer", "minimum": 1, "maximum": 100},
        },
    )


def playbook_schema() -> Schema:
    """For ``playbook.yaml``."""
    again = closed(grammar.REENTRY, {"after": _DURATION, "per": _NAME})
    enter = closed(
        grammar.ENTER,
        {
            "when": _NAMES,
            "every": {"const": "day"},
            "calendar": _NAMES,
            "ahead": _DURATION,
            "if": _CONDITION,
            "because": _TEXT,
            "one_per": {"oneOf": [{"const": "account"}, closed(("account",), {"account": _NAMES})]},
            "reentry": {"oneOf": [{"const": "never"}, again]},
        },
        "reentry",
    )
    goal = closed(
        grammar.GOAL,
        {"event": _NAMES, "within": _DURATION, "value": _NAME, "by": {"enum": ["account", "customer"]}},
        "event",
        "within",
    )
    offer_row = {"type": "object", "properties": {"if": _CONDITION}, "additionalProperties": _SCALAR}
    made = closed(
        grammar.PLAYBOOK,
        {
            "playbook": _NAME,
            "version": {"type": "integer", "minimum": 1},
            "title": _TEXT,
            "topic": _NAME,
            "priority": {"type": "integer", "minimum": 0, "maximum": 1000},
            "enter": enter,
            "goal": goal,
            "holdout": _PERCENT,
            "measures": _NAMES,
            "leave": _CONDITION,
            "context": _named(_TYPE),
            "signals": _named(closed(grammar.SIGNAL, {"event": _NAME, "where": _WHERE}, "event")),
            "offers": _named(_rows(offer_row)),
            "guardrails": closed(grammar.GUARDRAILS, {"caps": _CAPS, "quiet_hours": _QUIET_HOURS}),
            "at_any_step": _ROUTES,
            "steps": {**_named(_step()), "minProperties": 1},
        },
        "playbook",
        "version",
        "title",
        "topic",
        "enter",
        "steps",
    )
    return {"$schema": _DRAFT, "title": "Playbook", "$defs": _definitions(), **made}


def policy_schema() -> Schema:
    """For ``policy.yaml``."""
    switches = {"promotional": _FLAG, "obeys_caps": _FLAG, "counts_toward_caps": _FLAG}
    topic = closed(grammar.TOPIC, {"title": _TEXT, **switches})
    hold = closed(
        grammar.HOLD,
        {
            "opened_by": _NAMES,
            "closed_by": _NAMES,
            "longest": _DURATION,
            "while": _CONDITION,
            "topics": _NAMES,
            "title": _TEXT,
        },
    )
    outcome: Schema = {"enum": list(get_args(Waiting))}
    kept: Schema = {"oneOf": [_DURATION, {"const": "forever"}]}
    made = closed(
        grammar.POLICY,
        {
            "topics": _named({"oneOf": [_TEXT, topic]}),
            "caps": _CAPS,
            "quiet_hours": _QUIET_HOURS,
            "holds": _named(hold),
            "zones": closed(grammar.ZONES, {"default": _TEXT}),
            "day_starts": _CLOCK,
            "holdout": _PERCENT,
            "booking": _named({"type": "string", "pattern": "^https://"}),
            "reachable": closed(grammar.REACHABLE, {"in_app": _DURATION}),
            "rests": closed(grammar.RESTS, {"ignored": _DURATION}),
            "feedback": closed(grammar.FEEDBACK, {"negative": _NAME}),
            "patience": _DURATION,
            "waiting": closed(grammar.WAITING, {"holds": outcome, "cooldowns": outcome}),
            "needs_consent": _CHANNELS,
            "channels": _NAMES,
            "consent": closed(grammar.CONSENT, dict.fromkeys(grammar.CONSENT, _DURATION)),
            "retention": closed(grammar.RETENTION, dict.fromkeys(grammar.RETENTION, kept)),
            "sender": _named(_TEXT),
        },
    )
    return {"$schema": _DRAFT, "title": "Policy", "$defs": _definitions(), **made}


def signals_schema() -> Schema:
    """For ``signals.yaml``."""
    tally = closed(grammar.TALLY, {"event": _NAME, "field": _TEXT}, "event", "field")
    computed = closed(
        grammar.COMPUTED,
        {
            "type": _TYPE,
            "ratio": closed(grammar.RATIO, {"of": _TEXT, "to": _TEXT}, "of", "to"),
            "count": _NAME,
            "sum": tally,
            "distinct": tally,
            "within": _DURATION,
            "where": _WHERE,
            "first": _rows(closed(grammar.FIRST_ROW, {"if": _CONDITION, "value": _SCALAR}, "value")),
            "score": _rows(
                closed(
                    grammar.SCORE_ROW,
                    {
                        "if": _CONDITION,
                        "points": {"type": "integer", "minimum": -100, "maximum": 100},
                        "label": _TEXT,
                    },
                    "if",
                    "points",
                )
            ),
            "start": {"type": "integer", "minimum": 0, "maximum": 100},
        },
        "type",
    )
    attribute = closed(grammar.ATTRIBUTE, {"type": _TYPE, "always": _FLAG}, "type")
    made = closed(
        grammar.VOCABULARY,
        {
            "attributes": _named({"oneOf": [_TYPE, attribute]}),
            "events": _named(_named(_TYPE)),
            "computed": _named(computed),
        },
    )
    return {"$schema": _DRAFT, "title": "Signals", "$defs": _definitions(), **made}


def calendar_schema() -> Schema:
    """For ``calendar.yaml``."""
    row = {"key": _TEXT, "name": _TEXT, "starts": _DATE, "ends": _DATE}
    shared = _rows(closed(grammar.CALENDAR_ROW, row, "key", "name", "starts"))
    own = closed(grammar.CALENDAR_OWN, {"starts": _TEXT, "ends": _TEXT, "name": _TEXT}, "starts")
    return {
        "$schema": _DRAFT,
        "title": "Calendar",
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": {"oneOf": [shared, own]},
    }
