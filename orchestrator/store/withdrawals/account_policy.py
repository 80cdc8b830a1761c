"""The account's policy alone: who withdraws needs no playbook, so none that cannot be read stands in the way."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from orchestrator.language.account.policy import AccountPolicy, read_policy

_NEWEST = text("""
SELECT id, CASE WHEN id <> :known THEN definition END AS definition
  FROM account_policies ORDER BY published_at DESC, id DESC LIMIT 1
""")


@dataclass(kw_only=True)
class PolicyCache:
    """One per process, shared by threads: the text is read once a version."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: tuple[int, AccountPolicy] = field(
        default_factory=lambda: (0, AccountPolicy())  # not at import: it reads the rows of channels
    )

    def read(self, connection: Connection) -> AccountPolicy:
        """The policy as published now; the default one before any was. One statement."""
        with self._lock:
            known = self._known
        row: Any = connection.execute(_NEWEST, {"known": known[0]}).first()
        if row is None or row.definition is None:
            return known[1]
        policy, _ = read_policy(row.definition.get("policy", ""))
        with self._lock:
            self._known = (row.id, policy)
        return policy
