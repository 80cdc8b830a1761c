"""How the engine itself is doing, from the tables alone: a process that looks alive proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

# What is parked waits for a person, not for the engine: it is no lag.
_HEALTH = text("""
    SELECT
        (SELECT due_at FROM timers AS t WHERE NOT EXISTS (
            SELECT FROM parked AS p WHERE p.customer_id = t.customer_id AND p.enrollment_id IN (0, t.enrollment_id))
            ORDER BY due_at LIMIT 1) AS timer_due_at,
        (SELECT count(*) FROM (SELECT FROM timers WHERE due_at <= :business LIMIT :most) AS d) AS timers_due,
        (SELECT min(due_at) FROM dispatch AS d WHERE free_at <= :machine AND NOT EXISTS (
            SELECT FROM parked AS p WHERE p.customer_id = d.customer_id AND p.enrollment_id = 0)) AS dispatch_due_at,
        (SELECT count(*) FROM (SELECT FROM dispatch WHERE due_at <= :business AND free_at <= :machine LIMIT :most) AS d)
            AS dispatch_due,
        (SELECT received_at FROM inbox AS i WHERE NOT EXISTS (
            SELECT FROM parked AS p WHERE p.customer_id = i.customer_id AND p.enrollment_id = 0)
            ORDER BY id LIMIT 1) AS inbox_since,
        (SELECT count(*) FROM (SELECT FROM inbox LIMIT :most) AS i) AS inbox_rows,
        (SELECT count(*) FROM dispatch AS d JOIN messages AS m
            ON m.customer_id = d.customer_id AND m.id = d.message_id WHERE m.status = 'uncertain') AS uncertain,
        (SELECT count(*) FROM dispatch AS d JOIN messages AS m
            ON m.customer_id = d.customer_id AND m.id = d.message_id
            WHERE m.status = 'handing_over' AND d.free_at <= :machine) AS stuck_hand_overs,
        (SELECT coalesce(jsonb_object_agg(reason, number), '{}')
            FROM (SELECT reason, count(*) AS number FROM parked GROUP BY reason) AS p) AS parked,
        (SELECT coalesce(jsonb_object_agg(process, extract(epoch FROM CAST(:machine AS timestamptz) - beat_at)), '{}')
            FROM batches_in_hand WHERE cardinality(customer_ids) > 0) AS attempting,
        (SELECT count(*) FROM timers) AS live,
        (SELECT rate FROM clock) AS clock_rate""")


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """Lags are how far behind the oldest due thing is; zero when nothing is due. Counts stop at the asked most."""

    timer_lag: timedelta
    timers_due: int
    dispatch_lag: timedelta
    dispatch_due: int
    inbox_age: timedelta
    inbox_rows: int
    uncertain: int  # messages whose fate is not known yet
    stuck_hand_overs: int  # being handed over, with a lease that has run out
    parked: Mapping[str, int]
    attempting: Mapping[
        str, float
    ]  # process -> seconds since its last beat, for those with customers in hand
    live: int
    clock_rate: float

    @property
    def lag(self) -> timedelta:
        """The one number to watch: the worst of the three."""
        return max(self.timer_lag, self.dispatch_lag, self.inbox_age)

    def to_plain(self) -> dict[str, Any]:
        """As JSON values; lags in seconds."""
        plain = {
            name: value.total_seconds() if isinstance(value, timedelta) else value
            for name, value in asdict(self).items()
        }
        return plain | {"lag": self.lag.total_seconds()}


def health(connection: Connection, *, business: datetime, machine: datetime, most: int = 10_000) -> Health:
    """The state of the queues at both times of one clock reading. One statement."""
    row = connection.execute(_HEALTH, {"business": business, "machine": machine, "most": most}).one()
    return Health(
        timer_lag=_since(row.timer_due_at, business),
        timers_due=row.timers_due,
        dispatch_lag=_since(row.dispatch_due_at, business),
        dispatch_due=row.dispatch_due,
        inbox_age=_since(row.inbox_since, business),
        inbox_rows=row.inbox_rows,
        uncertain=row.uncertain,
        stuck_hand_overs=row.stuck_hand_overs,
        parked=row.parked,
        attempting={process: float(seconds) for process, seconds in row.attempting.items()},
        live=row.live,
        clock_rate=row.clock_rate,
    )


def _since(due: datetime | None, now: datetime) -> timedelta:
    return timedelta(0) if due is None else max(now - due, timedelta(0))
