"""The world of a rehearsal: the real engine on a virtual clock, with sandbox channels and a database of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import select, text, tuple_

from channels.base import OutboundMessage
from orchestrator.bootstrap import build_engine
from orchestrator.clock import VirtualClock
from orchestrator.engine import Engine
from orchestrator.ids import MESSAGE, parse_public_id
from orchestrator.settings import Settings
from orchestrator.simulator.actions import Reached
from orchestrator.simulator.expectations import Expectations
from orchestrator.simulator.outbox import Outbox, Watched
from orchestrator.store.sql.tables import enrollments, messages

_SIGNING_KEY = "rehearsals sign their links with this, always"  # they lead nowhere outside of the rehearsal


@dataclass(kw_only=True)
class World:
    """One rehearsal's engine, and what left it. Nothing here reaches anybody outside."""

    engine: Engine
    clock: VirtualClock
    outbox: Outbox
    stories: Mapping[str, Expectations]

    def reached(self) -> list[Reached]:
        """What was handed over since the last call, in that order, with what the engine knows about each message."""
        taken = self.outbox.take()
        known = self._facts(taken)
        reached = []
        for message in taken:
            row = known[_row_of(message)]
            story = self.stories.get(row.playbook)
            reached.append(
                Reached(
                    message=message,
                    playbook=row.playbook,
                    step=row.step,
                    context=row.context,
                    at=self.clock.now,
                    endings=story.endings.get(row.step, ()) if story else (),
                )
            )
        return reached

    def _facts(self, taken: Sequence[OutboundMessage]) -> dict[tuple[int, int], Any]:
        if not taken:
            return {}
        statement = (
            select(
                messages.c.customer_id,
                messages.c.id,
                messages.c.playbook,
                messages.c.step,
                enrollments.c.context,
            )
            .join(
                enrollments,
                (enrollments.c.customer_id == messages.c.customer_id)
                & (enrollments.c.id == messages.c.enrollment_id),
            )
            .where(tuple_(messages.c.customer_id, messages.c.id).in_([_row_of(one) for one in taken]))
        )
        with self.engine.database.connect() as connection:
            return {(row.customer_id, row.id): row for row in connection.execute(statement)}

    def close(self) -> None:
        """Give the database's connections back."""
        self.engine.close()

    def hand_over_clock(self, *, rate: float = 1.0) -> None:
        """Let the database's own clock go on from here, for processes that serve what was rehearsed.

        Leases and back-offs were written in virtual machine time; they are over, nobody holds one.
        """
        with self.engine.database.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO clock (id, business_anchor, machine_anchor, rate) "
                    "VALUES (1, :now, clock_timestamp(), :rate) ON CONFLICT (id) DO UPDATE SET "
                    "business_anchor = excluded.business_anchor, machine_anchor = excluded.machine_anchor, "
                    "rate = excluded.rate"
                ),
                {"now": self.clock.now, "rate": rate},
            )
            connection.execute(text("UPDATE dispatch SET free_at = least(free_at, clock_timestamp())"))
            connection.execute(text("DELETE FROM batches_in_hand"))


def open_world(
    url: str, *, start: datetime, stories: Mapping[str, Expectations], settings: Settings | None = None
) -> World:
    """The engine over the database at ``url``: one drain at a time, a send pool of one, sandbox channels.

    ``settings`` gives signing keys and the public address, when links are to be followed afterwards.
    """
    base = settings or Settings(secret_keys=(SecretStr(_SIGNING_KEY),))
    quiet = base.model_copy(
        update={"database_url": SecretStr(url), "broker_url": None, "redis_url": None, "send_threads": 1}
    )
    clock = VirtualClock(start)
    outbox = Outbox()
    engine = build_engine(quiet, clock=clock, channels=lambda inner: Watched(inner, outbox))
    return World(engine=engine, clock=clock, outbox=outbox, stories=stories)


def _row_of(message: OutboundMessage) -> tuple[int, int]:
    public = parse_public_id(message.message_id, prefix=MESSAGE)
    return (public.customer_id, public.row_id)
