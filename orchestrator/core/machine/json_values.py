"""Values as JSON keeps them: what a context, a saved answer or a frozen offer may hold."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any


def as_json_value(value: Any) -> Any:
    """``value`` as JSON keeps it: a date as ISO 8601 text, a Decimal as a number."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [as_json_value(item) for item in value]
    return value
