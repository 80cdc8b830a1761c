"""Reads the published definitions: compiled once a version and process, one statement a batch to see what is new."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from orchestrator.clock import monotonic
from orchestrator.core.catalogue import Catalogue, PublishedPlaybook, UnreadableVersion
from orchestrator.errors import DefinitionError
from orchestrator.language.account.calendar import read_calendars
from orchestrator.language.account.policy import read_policy
from orchestrator.language.account.signals import Vocabulary, read_vocabulary
from orchestrator.language.conditions.computed import computed_needs
from orchestrator.language.conditions.requirements import LookBack, merge
from orchestrator.language.graph.compile import Compiled, compile_playbook
from orchestrator.language.writing.json_values import from_plain
from orchestrator.store.restoring.restores import LOST_COLUMN, lost_from
from orchestrator.telemetry import emit

FRESH_FOR = 0.5  # seconds of machine time a process may work by what it knows
_STAMP = text(f"""
SELECT (SELECT coalesce(max(id), 0) FROM playbooks) AS newest,
       coalesce((SELECT id FROM account_policies ORDER BY published_at DESC, id DESC LIMIT 1), 0) AS policy,
       (SELECT coalesce(array_agg(name), '{{}}') FROM playbook_states WHERE paused_at IS NOT NULL) AS paused,
       {LOST_COLUMN} AS lost
""")  # noqa: S608 - a constant
_VERSIONS = text("""
SELECT id, name, version, definition, templates, texts, vocabulary, functions FROM playbooks
 WHERE id > :known ORDER BY name, version
""")
_POLICY = text("SELECT definition FROM account_policies WHERE id = :id")


class CatalogueCache:
    """One per process. Shared by threads; a refresh swaps the whole snapshot."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = Catalogue()
        self._fresh_until = 0.0

    def forget(self) -> None:
        """Look at the next refresh: this process has just published."""
        with self._lock:
            self._fresh_until = 0.0

    @property
    def known(self) -> Catalogue:
        """What this process works by, however old."""
        return self._now

    def refresh(self, connection: Connection, *, at_once: bool = False) -> Catalogue:
        """The catalogue as committed within the last :data:`FRESH_FOR` seconds, or now (``at_once``).

        One statement when it looks, more only when something was published.
        """
        with self._lock:
            if not at_once and monotonic() < self._fresh_until:
                return self._now
        row = connection.execute(_STAMP).one()
        with self._lock:
            self._fresh_until = monotonic() + FRESH_FOR
            known = self._now
            stamp = (row.newest, row.policy)
            paused = frozenset(row.paused)
            lost = lost_from(row.lost)
            if known.stamp == stamp and known.paused == paused and known.lost == lost:
                return known
            versions = dict(known.versions)
            policy, calendars = known.policy, known.calendars
            unreadable = dict(known.unreadable)
            if known.stamp[0] != row.newest:
                for added in connection.execute(_VERSIONS, {"known": known.stamp[0]}):
                    made = read_version(added)
                    if isinstance(made, PublishedPlaybook):
                        versions[made.id] = made
                    else:
                        unreadable[made.id] = made
            if known.stamp[1] != row.policy:
                definition = connection.execute(_POLICY, {"id": row.policy}).scalar_one()
                policy, _ = read_policy(definition.get("policy", ""))
                calendars, _ = read_calendars(definition.get("calendar", ""))
            newest: dict[str, PublishedPlaybook] = {}
            for one in sorted(versions.values(), key=lambda one: (one.name, one.version)):
                newest[one.name] = one
            self._now = Catalogue(
                stamp=stamp,
                versions=versions,
                newest=newest,
                unreadable=unreadable,
                paused=paused,
                policy=policy,
                calendars=calendars,
                lost=lost,
            )
            self._tell(known.unreadable, unreadable)
            return self._now

    @property
    def unreadable(self) -> list[int]:
        """The ids of the versions that this process cannot read, as far as it has looked."""
        return list(self._now.unreadable)

    @staticmethod
    def _tell(before: Mapping[int, UnreadableVersion], now: Mapping[int, UnreadableVersion]) -> None:
        for one in now.values():
            if one.id not in before:
                emit("playbook.unreadable", playbook=one.name, version=one.version, why=one.why)


def read_version(row: Any) -> PublishedPlaybook | UnreadableVersion:
    """One row of ``playbooks``. What a newer release wrote, or what does not compile here, costs no other version."""
    try:
        vocabulary, _ = read_vocabulary(row.vocabulary.get("text", ""))
        compiled = compile_playbook(from_plain(row.definition))
        return PublishedPlaybook(
            id=row.id,
            name=row.name,
            version=row.version,
            compiled=compiled,
            templates=row.templates,
            texts=row.texts,
            computed={one.name: one for one in vocabulary.computed},
            look_back=_look_back(compiled, vocabulary),
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, it is about this version alone
        why = str(error.problems[0]) if isinstance(error, DefinitionError) and error.problems else str(error)
        return UnreadableVersion(
            id=row.id, name=row.name, version=row.version, why=f"{type(error).__name__}: {why}"
        )


def _look_back(compiled: Compiled, vocabulary: Vocabulary) -> LookBack:
    """How far back the history must be read for this version, its computed values included."""
    needed: dict[str, timedelta | None] = {}
    for event, span in compiled.history_needed.items():
        merge(needed, event, span)
    computed = {one.name: one for one in vocabulary.computed}
    for one in computed.values():
        events, _ = computed_needs(one)
        for event, span in events.items():
            merge(needed, event, span)
    return needed
