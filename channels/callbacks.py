"""What reading a provider's callback gives: facts, and what could not be read, side by side.

One bad event in a batch never costs the good ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from channels.base import Receipt

LONGEST_TEXT = 4000


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackProblem:
    """One item that gave no fact: where it stood, why, and a hash by which it can be recognised.

    It holds nothing of the item itself, so it may be logged.
    """

    index: int
    reason: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """The facts of one callback, in the order in which they stood."""

    receipts: tuple[Receipt, ...] = ()
    problems: tuple[CallbackProblem, ...] = ()


def header(headers: Mapping[str, str], name: str) -> str | None:
    """A header whatever the case of its name."""
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), None)


def clean(value: object, longest: int = LONGEST_TEXT) -> str:
    """Text that any database takes: no zero characters, no halves of characters, bounded."""
    text = str(value).replace("\x00", "")[:longest]
    return text.encode("utf-8", "replace").decode()


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]


def problem(index: int, reason: str, raw: bytes) -> CallbackProblem:
    return CallbackProblem(index=index, reason=clean(reason, 300), digest=digest(raw))
