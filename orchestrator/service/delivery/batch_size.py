"""How many customers a process takes at once: as many as it gets done in the time it may hold their locks.

Who is locked and read and then not reached costs time that the others lack: a machine that is busy would do ever
fewer of ever as many, down to one customer a transaction.
"""

from __future__ import annotations

LEAST = 8
FIRST = 128


class BatchSize:
    """One per process. It halves when a batch is cut short and doubles when a full one is done in time."""

    def __init__(self) -> None:
        self._most = FIRST

    def most(self, limit: int) -> int:
        """Customers of the next batch; never more than ``limit``."""
        return min(limit, self._most)

    def learn(self, *, taken: int, reached: int) -> None:
        """What became of one batch."""
        if reached < taken:
            self._most = max(LEAST, min(taken // 2, 2 * reached))
        elif taken >= self._most:
            self._most *= 2
