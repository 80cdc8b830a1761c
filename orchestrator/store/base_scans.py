"""Scans over the customer base: a question to everybody, a page at a time, as background takes them up.

A scan is a row that says how far it came. It appends its next page when there is room among the background rows of the
inbox, so that a base of a million is never a million rows that wait, whoever asks and however often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, TextClause, text

from orchestrator.records.inbox import Lane
from orchestrator.store.sql.pg_arrays import to_json
from orchestrator.store.sql.pipeline import PipelinedQuery, ask_all

POLICY = "policy"
_PLAYBOOK = "playbook:"
PAGE = 1000  # customers, or waiting messages, in one transaction
ROOM = 5000  # background rows that may wait before a scan does

_BEGIN = text("""
INSERT INTO base_scans AS s (name, mark, after_id, open)
SELECT name, mark, 0, true FROM unnest(CAST(:names AS text[]), CAST(:marks AS text[])) AS given(name, mark)
 ORDER BY name
    ON CONFLICT (name) DO UPDATE
   SET mark = EXCLUDED.mark, open = true, after_id = CASE WHEN s.mark = EXCLUDED.mark THEN s.after_id ELSE 0 END
""")
_END_OTHERS = text("""
UPDATE base_scans SET open = false WHERE open AND starts_with(name, :kind) AND name <> ALL(CAST(:names AS text[]))
""")
_TAKE = text("""
SELECT name, after_id FROM base_scans WHERE open ORDER BY name = :first DESC, after_id, name LIMIT 1
   FOR UPDATE SKIP LOCKED
""")
_WAITING = text("""
SELECT count(*) AS rows FROM (
       SELECT FROM inbox WHERE (lane, id) >= (CAST(:lane AS smallint), CAST(-1 AS bigint))
          AND (lane, id) <= (CAST(:lane AS smallint), CAST(9223372036854775807 AS bigint))
        ORDER BY lane, id LIMIT :most) AS waiting
""")
_RESTART = text("UPDATE base_scans SET after_id = 0 WHERE name = :name")
_MOVE = text("UPDATE base_scans SET after_id = :after, open = :open WHERE name = :name")
_ASK_CUSTOMERS = text("""
WITH page AS MATERIALIZED (
    SELECT id, erased_at FROM customers WHERE id > :after ORDER BY id LIMIT :page
), asked AS (
    INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data, lane)
    SELECT id, nextval('inbox_ids'), 'consider', :now, :now, CAST(:data AS jsonb), :lane
      FROM page WHERE erased_at IS NULL ORDER BY page.id
    RETURNING 1
)
SELECT (SELECT count(*) FROM asked) AS asked, (SELECT max(id) FROM page) AS after,
       (SELECT count(*) FROM page) < :page AS ended
""")
# A customer whose messages go on behind the page is left to the next one, but for one who fills a page alone.
_ASK_WAITING = text("""
WITH page AS MATERIALIZED (
    SELECT customer_id, due_at, handed FROM dispatch WHERE customer_id > :after
     ORDER BY customer_id, message_id LIMIT :page
), edge AS MATERIALIZED (
    SELECT CASE WHEN count(*) < :page OR min(customer_id) = max(customer_id) THEN max(customer_id)
                ELSE max(customer_id) - 1 END AS last, count(*) < :page AS ended
      FROM page
), asked AS (
    INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data, lane)
    SELECT customer_id, nextval('inbox_ids'), 'policy', :now, :now, '{}', :lane
      FROM (SELECT DISTINCT customer_id FROM page, edge
             WHERE customer_id <= edge.last AND NOT handed AND due_at > :now ORDER BY customer_id) AS waiting
    RETURNING 1
)
SELECT (SELECT count(*) FROM asked) AS asked, edge.last AS after, edge.ended FROM edge
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresBaseScans:
    """:class:`~orchestrator.service.ports.intake.BaseScanStore`, on one connection."""

    connection: Connection

    def begin_playbooks(self, marks: Mapping[str, str]) -> None:
        names = [_PLAYBOOK + name for name in marks]
        self.connection.execute(_END_OTHERS, {"kind": _PLAYBOOK, "names": names})
        if names:
            self.connection.execute(_BEGIN, {"names": names, "marks": list(marks.values())})

    def ask_page(self, now: datetime) -> int | None:
        taken = self._ask(_TAKE, {"first": POLICY})
        if not taken:
            return None
        (waiting,) = self._ask(_WAITING, {"lane": int(Lane.BACKGROUND), "most": ROOM})
        if waiting.rows >= ROOM:
            return None
        scan = taken[0]
        values = {"after": scan.after_id, "page": PAGE, "now": now, "lane": int(Lane.BACKGROUND)}
        if scan.name == POLICY:
            (page,) = self._ask(_ASK_WAITING, values)
        else:
            question = {"playbook": scan.name.removeprefix(_PLAYBOOK), "event": "scan"}
            (page,) = self._ask(_ASK_CUSTOMERS, values | {"data": to_json(question)})
        after = scan.after_id if page.after is None else page.after
        self.connection.execute(_MOVE, {"name": scan.name, "after": after, "open": not page.ended})
        return int(page.asked)

    def _ask(self, statement: TextClause, values: Mapping[str, Any]) -> list[Any]:
        (rows,) = ask_all(self.connection, [PipelinedQuery(statement, values)])
        return rows


def ask_anew(connection: Connection, now: datetime) -> None:
    """Tell everybody for whom a message waits that the account has another policy: the first of them at once."""
    connection.execute(_BEGIN, {"names": [POLICY], "marks": [now.isoformat()]})
    connection.execute(_RESTART, {"name": POLICY})
    PostgresBaseScans(connection=connection).ask_page(now)
