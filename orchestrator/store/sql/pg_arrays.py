"""Python values as PostgreSQL array literals: how a whole column of rows travels as one parameter."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Double, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.types import TypeEngine

from orchestrator.errors import StoreError

Writer = Callable[[Any], str]
"""Writes one value that is not None as one element of an array literal. Raises ValueError or TypeError."""


def array(values: Iterable[Any], write: Writer) -> str:
    """``{1,2,NULL}``: the literal of one array."""
    return "{" + ",".join(["NULL" if value is None else write(value) for value in values]) + "}"


def texts(values: Iterable[str]) -> str:
    """A ``text[]`` literal. Raises StoreError for what PostgreSQL cannot store, without repeating it."""
    try:
        return array(values, _text)
    except (TypeError, ValueError) as problem:
        msg = f"a text cannot be stored: {'it is not valid Unicode' if isinstance(problem, UnicodeError) else problem}"
        raise StoreError(msg) from problem


def to_json(value: Any) -> str:
    """JSON as ``jsonb`` takes it: no NaN, no infinity; instants as ISO 8601, decimals as text to keep every digit."""
    return _JSON.encode(value)


def writer(type_: TypeEngine[Any]) -> Writer:
    """How values of a column of this type are written."""
    if isinstance(type_, JSONB):
        return _json
    if isinstance(type_, ARRAY):
        element = writer(type_.item_type)
        return lambda value: _quoted(array(value, element))
    for known, write in _WRITERS:
        if isinstance(type_, known):
            return write
    msg = f"no way to write {type_!r} in bulk: add it to orchestrator/store/sql/pg_arrays.py"
    raise TypeError(msg)


def carrier(type_: TypeEngine[Any]) -> str:
    """The element type of the array a column travels in. An array of arrays would have to be rectangular and jsonb
    elements would be parsed twice, so both go as text and are cast row by row."""
    return "text" if needs_cast(type_) else sql_type(type_)


def needs_cast(type_: TypeEngine[Any]) -> bool:
    return isinstance(type_, JSONB | ARRAY)


def sql_type(type_: TypeEngine[Any]) -> str:
    """The column type's own name: ``bigint``, ``jsonb``, ``text[]`` ..."""
    if isinstance(type_, ARRAY):
        return sql_type(type_.item_type) + "[]"
    for known, name in _NAMES:
        if isinstance(type_, known):
            return name
    msg = f"no bulk type for {type_!r}: add it to orchestrator/store/sql/pg_arrays.py"
    raise TypeError(msg)


def _quoted(text: str) -> str:
    if "\x00" in text:
        msg = "holds a zero byte, which PostgreSQL cannot store"
        raise ValueError(msg)
    text.encode()  # a lone surrogate fails here, with the row still known
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(value: Any) -> str:
    if value == {}:
        return '"{}"'  # most of them
    written = to_json(value)
    if "\\u0000" in written and _has_zero(value):
        msg = "holds a zero byte, which PostgreSQL cannot store"
        raise ValueError(msg)
    return _quoted(written)


def _has_zero(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_zero(key) or _has_zero(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(map(_has_zero, value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        msg = f"expected text, got {type(value).__name__}"
        raise TypeError(msg)
    return _quoted(value)


def _integer(value: Any) -> str:
    return format(value, "d")


def _double(value: Any) -> str:
    return repr(float(value))


def _boolean(value: Any) -> str:
    if not isinstance(value, bool):
        msg = f"expected true or false, got {type(value).__name__}"
        raise TypeError(msg)
    return "t" if value else "f"


def _instant(value: Any) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        msg = f"expected an instant with a time zone, got {value!r}"
        raise TypeError(msg)
    return _written(value)


@lru_cache(maxsize=4096)
def _written(value: datetime) -> str:
    """A batch writes few instants many times: now, and the same wait after it."""
    return f'"{value.isoformat()}"'


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    msg = f"{type(value).__name__} is no JSON value"
    raise TypeError(msg)


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
_WRITERS: tuple[tuple[type[TypeEngine[Any]], Writer], ...] = (
    (Integer, _integer),  # also BigInteger and SmallInteger
    (Boolean, _boolean),
    (Double, _double),
    (TIMESTAMP, _instant),
    (Text, _text),
)
_NAMES: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (BigInteger, "bigint"),
    (SmallInteger, "smallint"),
    (Integer, "integer"),
    (Boolean, "boolean"),
    (Double, "double precision"),
    (TIMESTAMP, "timestamptz"),
    (Text, "text"),
    (JSONB, "jsonb"),
)
