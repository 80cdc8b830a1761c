"""Channels by name: entry points of the group ``orchestrator.channels``, the built-in ones among them.

A package adds a channel with two lines in its pyproject::

    [project.entry-points."orchestrator.channels"]
    push = "acme_push:from_settings"

where ``from_settings(settings)`` takes the engine's settings as a mapping and returns a
:class:`~channels.base.Channel`. A foreign entry point may take the name of a built-in one and replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from channels.base import Channel
from channels.errors import BadChannelError

GROUP = "orchestrator.channels"

BUILT_IN = tuple(
    EntryPoint(name=name, value=value, group=GROUP)
    for name, value in (
        ("call", "channels.function:from_settings"),
        ("chat", "channels.twilio.conversations:from_settings"),
        ("email", "channels.sendgrid.adapter:from_settings"),
        ("in_app", "channels.in_app:from_settings"),
        ("sandbox", "channels.sandbox:from_settings"),
        ("sms", "channels.twilio.messages:from_settings"),
        ("webhook", "channels.webhook:from_settings"),
        ("whatsapp", "channels.twilio.messages:whatsapp_from_settings"),
    )
)


def available(installed: Iterable[EntryPoint] | None = None) -> dict[str, EntryPoint]:
    """All channels by name. Two foreign packages that claim one name are refused: neither can be meant."""
    found = {point.name: point for point in BUILT_IN}
    foreign: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP) if installed is None else installed:
        own = found.get(point.name)
        if own is not None and own.value == point.value:
            continue  # our own package, installed
        rival = foreign.get(point.name)
        if rival is not None and rival.value != point.value:
            raise BadChannelError(
                f"two packages offer the channel {point.name!r}: {rival.value} and {point.value}; "
                "uninstall one of them"
            )
        foreign[point.name] = point
    return found | foreign


def build(
    name: str, settings: Mapping[str, Any], *, installed: Iterable[EntryPoint] | None = None
) -> Channel:
    """Load the factory of ``name``, call it with the settings and check what it gives back."""
    points = available(installed)
    point = points.get(name)
    if point is None:
        close = get_close_matches(name, points, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise BadChannelError(f"no channel {name!r}; known are {', '.join(sorted(points))}{hint}")
    try:
        factory = point.load()
    except (ImportError, AttributeError) as error:
        raise BadChannelError(
            f"channel {name!r}: expected an importable 'module:factory', got {point.value!r} ({error})"
        ) from error
    if not callable(factory):
        raise BadChannelError(
            f"channel {name!r}: expected {point.value!r} to be a factory taking the settings, "
            f"got a {type(factory).__name__}"
        )
    try:
        channel = factory(settings)
    except BadChannelError:
        raise
    except Exception as error:
        raise BadChannelError(
            f"channel {name!r}: its factory {point.value!r} failed with {type(error).__name__}: {error}"
        ) from error
    return _checked(name, point, channel)


def _checked(name: str, point: EntryPoint, channel: object) -> Channel:
    missing = [member for member in ("name", "provider", "send") if getattr(channel, member, None) is None]
    if missing or not isinstance(channel, Channel):
        raise BadChannelError(
            f"channel {name!r}: {point.value!r} gave a {type(channel).__name__} without "
            f"{', '.join(missing)}; expected an object with name, provider and send(message) -> Handed"
        )
    for member in ("name", "provider"):
        value = getattr(channel, member)
        if not isinstance(value, str) or not value:
            raise BadChannelError(f"channel {name!r}: expected {member} to be a text, got {value!r}")
    return channel
