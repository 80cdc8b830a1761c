"""The world of a rehearsal: the real engine on a virtual clock, with sandbox channels and a database of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from channels.recording import Outbox
from orchestrator.bootstrap import build_rehearsal_engine
from orchestrator.clock import VirtualClock
from orchestrator.engine import Engine
from orchestrator.settings import Settings
from orchestrator.simulator.actions import Reached
from orchestrator.simulator.expectations import Expectations


@dataclass(kw_only=True)
class World:
    """One rehearsal's engine, and what left it. Nothing here reaches anybody outside."""

    engine: Engine
    clock: VirtualClock
    outbox: Outbox
    stories: Mapping[str, Expectations]

    def reached(self) -> list[Reached]:
        """What was handed over since the last call, in that order, with what the engine knows about each message."""
        taken = [one.message for one in self.outbox.take() if one.sent]
        origins = self.engine.reports.message_origins([one.message_id for one in taken])
        reached = []
        for message in taken:
            origin = origins[message.message_id]
            story = self.stories.get(origin.playbook)
            reached.append(
                Reached(
                    message=message,
                    playbook=origin.playbook,
                    step=origin.step,
                    context=origin.context,
                    at=self.clock.now,
                    endings=story.endings.get(origin.step, ()) if story else (),
                )
            )
        return reached

    def close(self) -> None:
        """Give the database's connections back."""
        self.engine.close()

    def hand_over_clock(self) -> None:
        """Let the database's own clock go on from here, for processes that serve what was rehearsed."""
        self.engine.start_clock_at(self.clock.now)


def open_world(
    url: str, *, start: datetime, stories: Mapping[str, Expectations], settings: Settings | None = None
) -> World:
    """The engine over the database at ``url``: one drain at a time, a send pool of one, sandbox channels.

    ``settings`` gives signing keys and the public address, when links are to be followed afterwards.
    """
    clock = VirtualClock(start)
    outbox = Outbox(lambda: clock.now)
    engine = build_rehearsal_engine(url, clock=clock, outbox=outbox, settings=settings)
    return World(engine=engine, clock=clock, outbox=outbox, stories=stories)
