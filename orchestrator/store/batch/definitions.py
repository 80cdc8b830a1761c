"""Reads the published definitions: compiled once a version and process, one statement a batch to see what is new."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from orchestrator.clock import monotonic
from orchestrator.core.catalogue import Catalogue, PublishedPlaybook
from orchestrator.language.account.calendar import read_calendars
from orchestrator.language.account.policy import read_policy
from orchestrator.language.account.signals import Vocabulary, read_vocabulary
from orchestrator.language.conditions.computed import computed_needs
from orchestrator.language.conditions.requirements import LookBack, merge
from orchestrator.language.graph.compile import Compiled, compile_playbook
from orchestrator.language.writing.json_values import from_plain

FRESH_FOR = 0.5  # seconds of machine time a process may work by what it knows
_STAMP = text("""
SELECT (SELECT coalesce(max(id), 0) FROM playbooks) AS newest,
       coalesce((SELECT id FROM account_policies ORDER BY published_at DESC, id DESC LIMIT 1), 0) AS policy,
       (SELECT coalesce(array_agg(name), '{}') FROM playbook_states WHERE paused_at IS NOT NULL) AS paused
""")
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
            if known.stamp == stamp and known.paused == paused:
                return known
            versions = dict(known.versions)
            policy, calendars = known.policy, known.calendars
            if known.stamp[0] != row.newest:
                added = connection.execute(_VERSIONS, {"known": known.stamp[0]})
                versions.update((made.id, made) for made in _published(added))
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
                paused=paused,
                policy=policy,
                calendars=calendars,
            )
            return self._now


def _published(rows: Iterable[Any]) -> list[PublishedPlaybook]:
    made = []
    for row in rows:
        vocabulary, _ = read_vocabulary(row.vocabulary.get("text", ""))
        compiled = compile_playbook(from_plain(row.definition))
        made.append(
            PublishedPlaybook(
                id=row.id,
                name=row.name,
                version=row.version,
                compiled=compiled,
                templates=row.templates,
                texts=row.texts,
                computed={one.name: one for one in vocabulary.computed},
                look_back=_look_back(compiled, vocabulary),
            )
        )
    return made


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
