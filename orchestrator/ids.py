"""Ids: the public ones that carry their customer, and the few random ones.

A public id reads ``m_<customer>-<row>``: every unique key of a customer's rows starts with the customer, so an id
that comes back from a provider or in a URL leads to the one customer to lock, without a search. It is short,
case-sensitive, safe in URLs, headers and provider arguments, and carries no personal data. It is not a secret: what
may be done with it is decided by a signature or a login, never by knowing it.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import Literal, cast, get_args

from orchestrator.errors import InputError

Prefix = Literal["m", "e"]
MESSAGE: Prefix = "m"
ENROLLMENT: Prefix = "e"

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_LARGEST = 2**63 - 1  # a PostgreSQL bigint
_LONGEST = 11  # digits of the largest


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicId:
    """A parsed public id: which table, whose row, which row."""

    prefix: Prefix
    customer_id: int
    row_id: int

    def __str__(self) -> str:
        return f"{self.prefix}_{_encode(self.customer_id)}-{_encode(self.row_id)}"


def public_id(prefix: Prefix, customer_id: int, row_id: int) -> str:
    """``public_id("m", 42, 7)`` is ``"m_g-7"``."""
    return str(PublicId(prefix=prefix, customer_id=customer_id, row_id=row_id))


def parse_public_id(text: str, *, prefix: Prefix | None = None) -> PublicId:
    """Read a public id back; ``prefix`` demands one kind. Every id has exactly one spelling.

    Raises InputError for anything that :func:`public_id` would not have written.
    """
    kind, underscore, rest = text.partition("_")
    customer, dash, row = rest.partition("-")
    if not (underscore and dash) or kind not in get_args(Prefix) or (prefix is not None and kind != prefix):
        wanted = f"{prefix}_..." if prefix else " or ".join(f"{known}_..." for known in get_args(Prefix))
        raise InputError("$.id", f"expected an id like {wanted}, got {text[:40]!r}")
    return PublicId(prefix=cast(Prefix, kind), customer_id=_decode(customer, text), row_id=_decode(row, text))


def new_key() -> str:
    """A random key for a caller who brought none (idempotency, source ids)."""
    return uuid.uuid4().hex


def new_secret() -> str:
    """256 random bits for signing, as URL-safe text."""
    return secrets.token_urlsafe(32)


def _encode(number: int) -> str:
    if not 0 < number <= _LARGEST:
        msg = f"a row id is a positive bigint, got {number}"
        raise ValueError(msg)
    digits = ""
    while number:
        number, rest = divmod(number, len(_DIGITS))
        digits = _DIGITS[rest] + digits
    return digits


def _decode(digits: str, whole: str) -> int:
    number = 0
    well_formed = (
        0 < len(digits) <= _LONGEST and digits[0] != "0" and all(digit in _VALUES for digit in digits)
    )
    if well_formed:
        for digit in digits:
            number = number * len(_DIGITS) + _VALUES[digit]
    if not 0 < number <= _LARGEST:
        raise InputError("$.id", f"not a well-formed id: {whole[:40]!r}")
    return number
