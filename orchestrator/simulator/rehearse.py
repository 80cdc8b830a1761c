"""The two rehearsals: an invented crowd, or recorded signals, through real playbooks on a virtual clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.language.folder import load_folder
from orchestrator.language.model import Start
from orchestrator.records.intake import Identify, Track
from orchestrator.settings import Settings
from orchestrator.simulator.crowd.crowd import Crowd
from orchestrator.simulator.crowd.people import make_crowd
from orchestrator.simulator.expectations import Expectations, story_of
from orchestrator.simulator.recording import Recording
from orchestrator.simulator.run import Source, Watch, play
from orchestrator.simulator.seeded_choice import SeededChoice
from orchestrator.simulator.world import World, open_world
from orchestrator.store.reports.rehearsals.report import Report

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """What is asked for. ``only`` names the playbooks whose figures matter; empty: all of the folder."""

    folder: Path
    start: datetime
    end: datetime
    seed: int = 1
    tick: timedelta = _HOUR


def stories_in(folder: Path) -> dict[str, Expectations]:
    """The stories of a folder. What another playbook or the engine itself begins, the product does not begin."""
    bundles = [bundle for bundle in load_folder(folder) if bundle.playbook]
    steps = [step.action for bundle in bundles if bundle.playbook for step in bundle.playbook.steps]
    begun = {action.playbook for action in steps if isinstance(action, Start)}
    begun |= {bundle.policy.negative_starts for bundle in bundles if bundle.policy.negative_starts}
    stories = [story_of(bundle.playbook) for bundle in bundles if bundle.playbook]
    return {
        story.playbook: replace(story, by_product=False) if story.playbook in begun else story
        for story in stories
    }


def simulate(
    url: str,
    asked: Rehearsal,
    *,
    customers: int,
    settings: Settings | None = None,
    watch: Watch | None = None,
) -> tuple[World, Report]:
    """An invented crowd of ``customers`` from ``start`` to ``end`` in the empty database at ``url``."""
    stories = stories_in(asked.folder)
    fates = SeededChoice(asked.seed)
    people = make_crowd(customers, fates=fates, start=asked.start)
    crowd = Crowd(people, list(stories.values()), fates=fates, start=asked.start, end=asked.end)
    return _run(url, asked, crowd, stories, settings=settings, watch=watch)


def replay(
    url: str,
    asked: Rehearsal,
    facts: Sequence[Identify | Track],
    *,
    react: bool = False,
    settings: Settings | None = None,
    watch: Watch | None = None,
) -> tuple[World, Report]:
    """Recorded facts from ``start`` to ``end``; with ``react`` invented people answer the messages."""
    fates = SeededChoice(asked.seed) if react else None
    recording = Recording(facts, start=asked.start, end=asked.end, fates=fates)
    return _run(url, asked, recording, stories_in(asked.folder), settings=settings, watch=watch)


def _run(
    url: str,
    asked: Rehearsal,
    source: Source,
    stories: dict[str, Expectations],
    *,
    settings: Settings | None,
    watch: Watch | None,
) -> tuple[World, Report]:
    world = open_world(url, start=asked.start, stories=stories, settings=settings)
    world.engine.publish(asked.folder)
    play(world, source, start=asked.start, end=asked.end, tick=asked.tick, watch=watch)
    caps = world.engine.policy.caps
    report = world.engine.reports.rehearsal(seed=asked.seed, start=asked.start, end=asked.end, caps=caps)
    return world, report
