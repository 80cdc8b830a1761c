"""JSON Schemas for editors: completion and early squiggles for playbook.yaml, policy.yaml and signals.yaml.

An editor's schema cannot know what a playbook means; it offers the fields the parser accepts, from the same lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_never, get_args

from channels.table import channel_names
from orchestrator.language.account.calendar import CALENDAR_OWN, CALENDAR_ROW
from orchestrator.language.account.policy import (
    CONSENT,
    FEEDBACK,
    HOLD,
    POLICY,
    REACHABLE,
    RESTS,
    TOPIC,
    WAITING,
    ZONES,
    Waiting,
)
from orchestrator.language.account.retention import RETENTION
from orchestrator.language.account.signals import (
    ATTRIBUTE,
    COMPUTED,
    FIRST_ROW,
    RATIO,
    SCORE_ROW,
    TALLY,
    VALUE_TYPES,
    VOCABULARY,
)
from orchestrator.language.fields import UNBOUNDED, DeclaredField, alone_in, declared, keys_of
from orchestrator.language.model import (
    ACTIONS,
    Branch,
    Cap,
    FallbackChannel,
    FilteredSignal,
    Playbook,
    QuietWindow,
    Reentry,
    RegionHours,
    Step,
)
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
_TYPE: Schema = {"enum": list(VALUE_TYPES)}
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


# --- what the classes of the model declare --------------------------------------------------------------------------


def block_schema(block: type[object]) -> Schema:
    """A block as its class declares it: its fields, or the one value that may stand for them."""
    fields = declared(block)
    alone = alone_in(block)
    whole = closed(
        keys_of(block),
        {one.key: _schema(one) for one in fields},
        *(one.key for one in fields if one.field.needs is not None),
    )
    if alone is None:
        return whole
    return _schema(alone) if len(fields) == 1 else {"oneOf": [_schema(alone), whole]}


def _schema(one: DeclaredField) -> Schema:  # noqa: C901, PLR0912 - the closed list of spellings
    """What a declared field accepts."""
    match one.field.spelling:
        case "name":
            return _NAME
        case "dotted" | "text":
            return _TEXT
        case "whole":
            most = {"maximum": one.field.most} if one.field.most < UNBOUNDED else {}
            return {"type": "integer", "minimum": one.field.least, **most}
        case "flag":
            return _FLAG
        case "percent":
            return _PERCENT
        case "duration":
            return _DURATION
        case "moment":
            return _MOMENT
        case "clock":
            return _CLOCK
        case "choice":
            return {"enum": list(one.words)}
        case "channel":
            return {"$ref": "#/$defs/channel"}
        case "ending":
            return {"anyOf": [{"enum": list(END_WORDS)}, _NAME]}
        case "channels" | "channel_list":
            return _CHANNELS
        case "names" | "events" | "weekdays":
            return _NAMES
        case "answer_keys":
            return {"type": ["string", "array"]}
        case "types":
            return _named(_TYPE)
        case "values":
            return _VALUES
        case "filters":
            return _WHERE
        case "answers":
            return _named(_SCALAR)
        case "shares":
            return _named(_PERCENT)
        case "regions":
            return _named(block_schema(RegionHours))
        case "condition":
            return _CONDITION
        case "until":
            return {"oneOf": [_MOMENT, _CONDITION]}
        case "scale":
            return {"type": "string", "pattern": "^[0-9]+-[0-9]+$"}
        case "capped":
            return {"oneOf": [{"enum": ["defer", "skip"]}, block_schema(FallbackChannel)]}
        case "then":
            return {"oneOf": [_NAME, _ROUTES]}
        case "routes":
            return _ROUTES
        case "reentry":
            return {"oneOf": [{"const": "never"}, block_schema(Reentry)]}
        case "one_per":
            return {"oneOf": [{"const": "account"}, closed(("account",), {"account": _NAMES})]}
        case "branches":
            return _rows(block_schema(Branch))
        case "signals":
            return _named(block_schema(FilteredSignal))
        case "offers":
            row = {"type": "object", "properties": {"if": _CONDITION}, "additionalProperties": _SCALAR}
            return _named(_rows(row))
        case "caps":
            return _rows(block_schema(Cap))
        case "quiet_hours":
            window = block_schema(QuietWindow)
            return _named({"oneOf": [window, _rows(window)]})
        case "steps":
            return {**_named(_step()), "minProperties": 1}
        case "block":
            return block_schema(one.block)
        case _:
            assert_never(one.field.spelling)


def _step() -> Schema:
    actions = {key: block_schema(action) for key, action in ACTIONS.items()}
    fields = {one.key: _schema(one) for one in declared(Step)}
    return closed((*actions, *fields), {**actions, **fields})


def playbook_schema() -> Schema:
    """For ``playbook.yaml``."""
    made = block_schema(Playbook)
    return {"$schema": _DRAFT, "title": "Playbook", "$defs": _definitions(), **made}


def policy_schema() -> Schema:
    """For ``policy.yaml``."""
    switches = {"promotional": _FLAG, "obeys_caps": _FLAG, "counts_toward_caps": _FLAG}
    topic = closed(TOPIC, {"title": _TEXT, **switches})
    hold = closed(
        HOLD,
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
        POLICY,
        {
            "topics": _named({"oneOf": [_TEXT, topic]}),
            "caps": _rows(block_schema(Cap)),
            "quiet_hours": _named({"oneOf": [block_schema(QuietWindow), _rows(block_schema(QuietWindow))]}),
            "holds": _named(hold),
            "zones": closed(ZONES, {"default": _TEXT}),
            "day_starts": _CLOCK,
            "holdout": _PERCENT,
            "booking": _named({"type": "string", "pattern": "^https://"}),
            "reachable": closed(REACHABLE, {"in_app": _DURATION}),
            "rests": closed(RESTS, {"ignored": _DURATION}),
            "feedback": closed(FEEDBACK, {"negative": _NAME}),
            "patience": _DURATION,
            "waiting": closed(WAITING, {"holds": outcome, "cooldowns": outcome}),
            "needs_consent": _CHANNELS,
            "channels": _NAMES,
            "consent": closed(CONSENT, dict.fromkeys(CONSENT, _DURATION)),
            "retention": closed(RETENTION, dict.fromkeys(RETENTION, kept)),
            "sender": _named(_TEXT),
        },
    )
    return {"$schema": _DRAFT, "title": "Policy", "$defs": _definitions(), **made}


def signals_schema() -> Schema:
    """For ``signals.yaml``."""
    tally = closed(TALLY, {"event": _NAME, "field": _TEXT}, "event", "field")
    computed = closed(
        COMPUTED,
        {
            "type": _TYPE,
            "ratio": closed(RATIO, {"of": _TEXT, "to": _TEXT}, "of", "to"),
            "count": _NAME,
            "sum": tally,
            "distinct": tally,
            "within": _DURATION,
            "where": _WHERE,
            "first": _rows(closed(FIRST_ROW, {"if": _CONDITION, "value": _SCALAR}, "value")),
            "score": _rows(
                closed(
                    SCORE_ROW,
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
    attribute = closed(ATTRIBUTE, {"type": _TYPE, "always": _FLAG}, "type")
    made = closed(
        VOCABULARY,
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
    shared = _rows(closed(CALENDAR_ROW, row, "key", "name", "starts"))
    own = closed(CALENDAR_OWN, {"starts": _TEXT, "ends": _TEXT, "name": _TEXT}, "starts")
    return {
        "$schema": _DRAFT,
        "title": "Calendar",
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": {"oneOf": [shared, own]},
    }
