"""Reading one value out of settings, whatever wraps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def text(settings: Mapping[str, Any], name: str) -> str:
    """The value as text, empty when it is not set. Secrets that hide themselves are opened here, at their use."""
    value = settings.get(name)
    opened = getattr(value, "get_secret_value", None)
    return str(opened() if opened is not None else value or "")


def texts(settings: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of values as texts."""
    return tuple(text({name: value}, name) for value in settings.get(name) or ())
