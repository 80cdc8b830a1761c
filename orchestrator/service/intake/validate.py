"""Checks what callers send: contact points, zones, times and sizes, with what was expected and what came."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, assert_never

import phonenumbers

from channels.table import channel_table, traits_of
from channels.traits import AddressKind
from orchestrator.core.consent.scope import ANY, TRACKING
from orchestrator.core.zones import zone
from orchestrator.errors import InputError
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.language.problems import did_you_mean, one_of
from orchestrator.records.intake import Identify, Track

LONGEST_KEY = 200
LONGEST_NAME = 100
MOST_BYTES = 32_768  # of one item's traits or properties, as JSON
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,253}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_scope(policy: AccountPolicy, channel: str, topic: str) -> None:
    """Refuse a channel or topic that there is not: a slip would stop nothing. Raises InputError."""
    checked_word(channel, (ANY, *policy.consent_channels), "$.channel")
    if policy.topics:
        checked_word(topic, (ANY, *policy.topic_named, TRACKING), "$.topic")


def checked_word(outcome: str, known: Sequence[str], path: str) -> None:
    """One of a closed list. Raises InputError."""
    if outcome not in known:
        hint = did_you_mean(outcome, known) or ""
        raise InputError(path, f"expected {one_of(known)}, got {outcome[:40]!r}{hint}")


def problem_with_key(key: object) -> str | None:
    """What is wrong with a customer's or account's key, or None."""
    if not isinstance(key, str) or not key.strip():
        return "expected the key of a customer or account, got nothing"
    if len(key) > LONGEST_KEY:
        return f"expected a key of at most {LONGEST_KEY} characters, got {len(key)}"
    if _CONTROL.search(key) or not _is_unicode(key):
        return "expected a key without control characters"
    return None


def checked_id(value: object, path: str) -> str:
    """An idempotency key or source id that can be stored. Raises InputError."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_KEY:
        got = len(value) if isinstance(value, str) else type(value).__name__
        raise InputError(path, f"expected a key of 1 to {LONGEST_KEY} characters, got {got}")
    if _CONTROL.search(value) or not _is_unicode(value):
        raise InputError(path, "expected a key without control characters")
    return value


def checked_context(values: Mapping[str, Any]) -> dict[str, Any]:
    """An enrollment's context as plain JSON values. Raises InputError."""
    return _sized(values, "$.context")


def checked_text(value: str | None, path: str) -> str | None:
    """A word or a comment of a person that can be stored. Raises InputError."""
    if value is not None:
        _sized({"text": value}, path)
    return value


def checked_address(channel: str, value: str, path: str) -> str:
    """An address as it is compared and hashed: lower case, E.164. Raises InputError."""
    kind = traits_of(channel).address
    if kind is None:
        raise InputError(path, f"expected no address for the channel {channel!r}: it names none of them")
    return _address(kind, value, path)


def checked_traits(item: Identify) -> Identify:
    """The item with normalised traits. Raises InputError with the JSON path."""
    values: dict[str, Any] = {}
    for name, value in _sized(item.traits, "$.traits").items():
        path = f"$.traits.{name}"
        channel = channel_table().of_trait(name)
        if channel is not None and channel.address is not None and value is not None:
            values[name] = _address(channel.address, value, path)
            continue
        match name:
            case "timezone" if value is not None:
                values[name] = _zone(value, path)
            case "locale" | "region" | "account" if value is not None:
                values[name] = _short(value, path)
            case "tags" if value is not None:
                if not isinstance(value, list | tuple):
                    raise InputError(path, f"expected a list of words, got {type(value).__name__}")
                values[name] = [_short(tag, f"{path}[{index}]") for index, tag in enumerate(value)]
            case _:
                values[name] = value
    _check_source(item)
    return replace(item, traits=values)


def checked_event(item: Track) -> Track:
    """The item if it can be stored. Raises InputError with the JSON path."""
    if not item.event.strip():
        raise InputError("$.event", "expected the name of an event, got nothing")
    if len(item.event) > LONGEST_NAME or _CONTROL.search(item.event) or not _is_unicode(item.event):
        raise InputError("$.event", f"expected a name of at most {LONGEST_NAME} characters on one line")
    _check_source(item)
    return replace(item, properties=_sized(item.properties, "$.properties"))


def _sized(values: Mapping[str, Any], path: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise InputError(path, f"expected an object, got {type(values).__name__}")
    try:
        text = json.dumps(values, default=_plain, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(path, "expected plain JSON values") from error
    if not _is_unicode(text):
        raise InputError(path, "expected text of whole characters, got half of a surrogate pair")
    size = len(text.encode())
    if size > MOST_BYTES:
        raise InputError(path, f"expected at most {MOST_BYTES} bytes, got {size}")
    plain: dict[str, Any] = json.loads(text)
    if "\\u0000" in text and _has_zero(plain):
        raise InputError(path, "expected text without zero bytes, got one: PostgreSQL cannot store it")
    return plain


def _check_source(item: Identify | Track) -> None:
    if item.source_id is not None:
        checked_id(item.source_id, "$.source_id")
    if item.occurred_at is not None and item.occurred_at.tzinfo is None:
        raise InputError("$.occurred_at", "expected an instant with a time zone, got one without")


def _is_unicode(text: str) -> bool:
    """No half of a surrogate pair: that is no character, and cannot be stored."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _has_zero(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_zero(key) or _has_zero(item) for key, item in value.items())
    return isinstance(value, list) and any(_has_zero(item) for item in value)


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    msg = f"{type(value).__name__} is no JSON value"
    raise TypeError(msg)


def _address(kind: AddressKind, value: object, path: str) -> str:
    match kind:
        case "email":
            return _email(value, path)
        case "phone":
            return _phone(value, path)
        case "opaque":
            return _short(value, path)
        case _:
            assert_never(kind)


def _email(value: object, path: str) -> str:
    if not isinstance(value, str) or not _EMAIL.fullmatch(value.strip()):
        raise InputError(path, "expected an email address like name@host")
    name, _, host = value.strip().rpartition("@")
    return f"{name.lower()}@{host.lower()}"


def _phone(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise InputError(path, "expected a phone number as text, with its country code (+49 ...)")
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException as error:
        raise InputError(path, "expected a phone number with its country code (+49 ...)") from error
    if not phonenumbers.is_possible_number(number):
        raise InputError(path, "expected a phone number of a possible length for its country")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _zone(value: object, path: str) -> str:
    if not isinstance(value, str) or zone(value) is None:
        raise InputError(path, "expected a time zone of the IANA database like Europe/Berlin")
    return value


def _short(value: object, path: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_KEY or _CONTROL.search(value):
        raise InputError(path, f"expected a text of at most {LONGEST_KEY} characters")
    return value
