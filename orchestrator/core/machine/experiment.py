"""Who is held out and who sees which variant: hashes, so that every process and every rerun says the same.

Holdout and variants hash different words, so being held out says nothing about the variant, and one playbook's
holdout says nothing about another's. Raising a share only adds people: nobody who was held out comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256

_DIGITS = 18


def bucket(*parts: str) -> Decimal:
    """A number in [0, 1) that depends on the parts alone; parts are kept apart, ("ab", "c") is not ("a", "bc")."""
    framed = b"".join(len(raw).to_bytes(4) + raw for raw in (part.encode() for part in parts))
    number = int.from_bytes(sha256(framed).digest()) % 10**_DIGITS
    return Decimal(f"0.{number:0{_DIGITS}}")  # from text: exact, whatever the decimal context


def in_holdout(subject: str, playbook: str, share: Decimal) -> bool:
    """Whether the subject (a customer's key, or the account's where enrollments are one per account) is held out."""
    return bucket("holdout", playbook, subject) < share


def variant(subject: str, playbook: str, step: str, shares: Sequence[tuple[str, Decimal]]) -> str:
    """The subject's arm of a split. ``shares`` are (name, fraction) in the written order and add to 1."""
    if not any(share > 0 for _, share in shares):
        raise ValueError(f"a split needs an arm with a share above 0, got {shares!r}")
    spot = bucket("variant", playbook, step, subject)
    reached = Decimal(0)
    chosen = ""
    for name, share in shares:
        if share > 0:
            chosen = name
            reached += share
            if spot < reached:
                break
    return chosen
