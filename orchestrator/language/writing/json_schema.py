"""JSON Schemas for editors: completion and early squiggles for playbook.yaml, policy.yaml and signals.yaml.

An editor's schema cannot know what a playbook means; it offers the fields the parser accepts, from the same lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never, get_args

from channels.table import channel_names
from orchestrator.language.account.calendar import CalendarRow, OwnDates
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.language.account.signals import Vocabulary
from orchestrator.language.fields import UNBOUNDED, DeclaredField, alone_in, declared, groups
from orchestrator.language.model import (
    ACTIONS,
    Branch,
    FallbackChannel,
    Playbook,
    QuietWindow,
    Reentry,
    RegionHours,
    Step,
    ValueType,
)
from orchestrator.language.outcomes import END_STATUSES

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
_TYPE: Schema = {"enum": list(get_args(ValueType))}
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


def closed(properties: Mapping[str, Schema], *required: str) -> Schema:
    """An object of exactly these fields."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": dict(properties),
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
    properties = {
        head: _schema(group[""]) if "" in group else closed({key: _schema(one) for key, one in group.items()})
        for head, group in groups(block).items()
    }
    alone = alone_in(block)
    whole = closed(properties, *(one.key for one in declared(block) if one.field.needs is not None))
    if alone is None:
        return whole
    return _schema(alone) if len(properties) == 1 else {"oneOf": [_schema(alone), whole]}


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
        case "kept":
            return {"oneOf": [_DURATION, {"const": "forever"}]}
        case "date":
            return _DATE
        case "value":
            return _SCALAR
        case "texts":
            return _named(_TEXT)
        case "links":
            return _named({"type": "string", "pattern": "^https://"})
        case "moment":
            return _MOMENT
        case "clock":
            return _CLOCK
        case "choice":
            return {"enum": list(one.words)}
        case "channel":
            return {"$ref": "#/$defs/channel"}
        case "ending":
            return {"anyOf": [{"enum": list(END_STATUSES)}, _NAME]}
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
            return {"oneOf": [{"const": "account"}, closed({"account": _NAMES})]}
        case "branches":
            return _rows(block_schema(Branch))
        case "named":
            return _named(block_schema(one.block))
        case "offers":
            row = {"type": "object", "properties": {"if": _CONDITION}, "additionalProperties": _SCALAR}
            return _named(_rows(row))
        case "rows":
            return _rows(block_schema(one.block))
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
    return closed({**actions, **fields})


def playbook_schema() -> Schema:
    """For ``playbook.yaml``."""
    made = block_schema(Playbook)
    return {"$schema": _DRAFT, "title": "Playbook", "$defs": _definitions(), **made}


def policy_schema() -> Schema:
    """For ``policy.yaml``."""
    return {"$schema": _DRAFT, "title": "Policy", "$defs": _definitions(), **block_schema(AccountPolicy)}


def signals_schema() -> Schema:
    """For ``signals.yaml``."""
    return {"$schema": _DRAFT, "title": "Signals", "$defs": _definitions(), **block_schema(Vocabulary)}


def calendar_schema() -> Schema:
    """For ``calendar.yaml``."""
    shared, own = _rows(block_schema(CalendarRow)), block_schema(OwnDates)
    return {
        "$schema": _DRAFT,
        "title": "Calendar",
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": {"oneOf": [shared, own]},
    }
