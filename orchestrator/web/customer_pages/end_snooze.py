"""Ending a break early: the rests a customer asked for herself are lifted, those of playbooks stay."""

from __future__ import annotations

from sqlalchemy import update

from orchestrator.store.batch.claim import lock
from orchestrator.store.sql.tables import cooldowns
from orchestrator.web.ports import Facade


def end_snooze(engine: Facade, customer_id: int) -> None:
    """Under the customer's lock, like every change about her."""
    with engine.engine.begin() as connection:
        lock(connection, [customer_id])
        now = engine.clock.read(connection).business
        connection.execute(
            update(cooldowns)
            .where(
                cooldowns.c.customer_id == customer_id,
                cooldowns.c.reason == "snooze",
                cooldowns.c.lifted_at.is_(None),
                cooldowns.c.ends_at > now,
            )
            .values(lifted_at=now)
        )
    engine.nudge()
