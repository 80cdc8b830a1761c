"""Ids of new rows, taken from PostgreSQL's sequences a block at a time.

An id is known before its row is written, so that links to a message can be signed in the transaction that makes it, at
no round trip of their own. A block that a process does not use up leaves a gap, which means nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, text

IdSequence = Literal["enrollment_ids", "message_ids"]
BLOCK = 200

_TAKE = text("SELECT nextval(CAST(:sequence AS regclass)) AS id FROM generate_series(1, :block)")


@dataclass(kw_only=True)
class IdBlocks:
    """What one process holds; shared by its threads."""

    _left: dict[IdSequence, list[int]] = field(default_factory=dict)  # the next one last
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, connection: Connection, sequence: IdSequence) -> int:
        """The next id; a statement on ``connection`` when the block is used up."""
        with self._lock:
            left = self._left.setdefault(sequence, [])
            if not left:
                taken = connection.execute(_TAKE, {"sequence": sequence, "block": BLOCK}).scalars()
                left.extend(sorted(taken, reverse=True))
            return left.pop()
