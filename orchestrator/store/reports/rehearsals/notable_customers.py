"""Who is worth looking at after a rehearsal: the people whose story shows most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, TextClause, text

_MOST_TOLD = text("""
    SELECT c.id, c.key, count(DISTINCT s.channel) AS channels, count(*) AS messages
    FROM customers AS c JOIN sandbox_inbox AS s ON s.customer_id = c.id
    WHERE NOT EXISTS (SELECT FROM consents AS n WHERE n.customer_id = c.id AND NOT n.granted)
    GROUP BY c.id, c.key ORDER BY 3 DESC, 4 DESC, c.key LIMIT 1""")
_IN_PRODUCT = text("""
    SELECT c.id, c.key FROM feed_items AS f JOIN customers AS c ON c.id = f.customer_id
    WHERE f.withdrawn_at IS NULL AND f.dismissed_at IS NULL AND f.clicked_at IS NULL
      AND (f.expires_at IS NULL OR f.expires_at > :now)
    ORDER BY f.shown_at DESC, c.key LIMIT 1""")
_OPTED_OUT = text("""
    SELECT c.id, c.key FROM consent_ledger AS l JOIN customers AS c ON c.id = l.customer_id
    WHERE l.action = 'revoked' ORDER BY l.recorded_at DESC, c.key LIMIT 1""")
_BUSIEST = text("SELECT playbook FROM enrollments GROUP BY playbook ORDER BY count(*) DESC, playbook LIMIT 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class NotableCustomer:
    id: int
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotableCustomers:
    """``reader`` got the most; ``in_product`` sees something now; ``gone`` opted out."""

    reader: NotableCustomer | None
    in_product: NotableCustomer | None
    gone: NotableCustomer | None
    playbook: str | None


def notable_customers(connection: Connection, now: datetime) -> NotableCustomers:
    def somebody(query: TextClause, **values: datetime) -> NotableCustomer | None:
        row = connection.execute(query, values).first()
        return NotableCustomer(id=row.id, key=row.key) if row else None

    return NotableCustomers(
        reader=somebody(_MOST_TOLD),
        in_product=somebody(_IN_PRODUCT, now=now),
        gone=somebody(_OPTED_OUT),
        playbook=connection.execute(_BUSIEST).scalar_one_or_none(),
    )
