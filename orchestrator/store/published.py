"""Published playbook versions and account policies: written once, never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from orchestrator.errors import Conflict
from orchestrator.language.writing.json_values import canonical
from orchestrator.records.playbook_version import PlaybookVersion, StoredPolicy, StoredVersion
from orchestrator.store.base_scans import ask_anew
from orchestrator.store.sql.tables import account_policies, playbook_states, playbooks


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresPlaybooks:
    """What is published, on one connection. ``forget`` lets this process look anew at what it knows of it."""

    connection: Connection
    forget: Callable[[], None]

    def publish(self, version: PlaybookVersion, now: datetime) -> bool:
        """Store a version as :func:`store_version` does; True if it was not stored before."""
        self.forget()
        before = self.connection.execute(select(func.max(playbooks.c.id))).scalar() or 0
        return store_version(self.connection, version, now) > before

    def publish_policy(self, definition: Mapping[str, str], now: datetime) -> None:
        """Make this the account's policy; if it is another one, whatever waits is asked by it."""
        self.forget()
        before = newest_policy(self.connection)
        made = store_policy(self.connection, digest(definition), definition, now)
        if before is not None and before.id != made:
            ask_anew(self.connection, now)

    def is_published(self, playbook: str) -> bool:
        """Whether a playbook of this name has any version."""
        wanted = select(playbooks.c.id).where(playbooks.c.name == playbook).limit(1)
        return self.connection.execute(wanted).first() is not None

    def pause(self, playbook: str, *, reason: str, now: datetime) -> None:
        """Let nobody in until :meth:`resume`; pausing twice keeps the first instant and reason."""
        pause(self.connection, playbook, reason, now)

    def resume(self, playbook: str) -> None:
        """Let people in again."""
        resume(self.connection, playbook)


def store_version(connection: Connection, bundle: PlaybookVersion, now: datetime) -> int:
    """Store a version and give its id; the same content again gives the same id.

    Raises Conflict when the version exists with other content, or is older than the newest one.
    """
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('playbook:' || :name, 0))"), {"name": bundle.name}
    )
    known = connection.execute(
        select(playbooks.c.id, playbooks.c.version, playbooks.c.content_hash)
        .where(playbooks.c.name == bundle.name)
        .order_by(playbooks.c.version.desc())
    ).all()
    for row in known:
        if row.version == bundle.version:
            if row.content_hash == bundle.content_hash:
                return int(row.id)
            msg = (
                f"playbook '{bundle.name}' version {bundle.version} is published with other content; "
                f"a published version never changes: write `version: {known[0].version + 1}` and publish that"
            )
            raise Conflict(msg)
    if known and bundle.version < known[0].version:
        msg = (
            f"playbook '{bundle.name}' is published up to version {known[0].version}, and {bundle.version} is older; "
            f"write `version: {known[0].version + 1}`"
        )
        raise Conflict(msg)
    made = connection.execute(
        insert(playbooks)
        .values(
            name=bundle.name,
            version=bundle.version,
            content_hash=bundle.content_hash,
            definition=dict(bundle.definition),
            templates=dict(bundle.templates),
            texts=dict(bundle.texts),
            vocabulary=dict(bundle.vocabulary),
            functions=list(bundle.functions),
            published_at=now,
        )
        .returning(playbooks.c.id)
    )
    return int(made.scalar_one())


def newest(connection: Connection) -> list[StoredVersion]:
    """The newest version of every playbook, by name."""
    statement = (
        select(playbooks)
        .ext(distinct_on(playbooks.c.name))
        .order_by(playbooks.c.name, playbooks.c.version.desc())
    )
    return [_published(row) for row in connection.execute(statement)]


def versions(connection: Connection, name: str) -> list[StoredVersion]:
    """Every version of one playbook, newest first."""
    statement = select(playbooks).where(playbooks.c.name == name).order_by(playbooks.c.version.desc())
    return [_published(row) for row in connection.execute(statement)]


def paused(connection: Connection) -> dict[str, str]:
    """The playbooks that operators have paused, with the reason."""
    rows = connection.execute(select(playbook_states).where(playbook_states.c.paused_at.is_not(None)))
    return {row.name: row.paused_reason or "" for row in rows}


def pause(connection: Connection, name: str, reason: str, now: datetime) -> None:
    """Let nobody in until :func:`resume`; pausing twice keeps the first instant."""
    statement = upsert(playbook_states).values(name=name, paused_at=now, paused_reason=reason)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"paused_at": now, "paused_reason": reason},
            where=playbook_states.c.paused_at.is_(None),
        )
    )


def resume(connection: Connection, name: str) -> None:
    connection.execute(playbook_states.delete().where(playbook_states.c.name == name))


def digest(definition: Mapping[str, Any]) -> str:
    """SHA-256 of a definition, equal exactly when its values are."""
    return hashlib.sha256(canonical(dict(definition)).encode()).hexdigest()


def store_policy(
    connection: Connection, content_hash: str, definition: Mapping[str, Any], now: datetime
) -> int:
    """Make this the account's policy; going back to an earlier content makes that the newest again."""
    statement = upsert(account_policies).values(
        content_hash=content_hash, definition=dict(definition), published_at=now
    )
    made = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["content_hash"], set_={"published_at": statement.excluded.published_at}
        ).returning(account_policies.c.id)
    )
    return int(made.scalar_one())


def newest_policy(connection: Connection) -> StoredPolicy | None:
    row = connection.execute(
        select(account_policies)
        .order_by(account_policies.c.published_at.desc(), account_policies.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else _policy(row)


def _policy(row: Row[Any]) -> StoredPolicy:
    return StoredPolicy(
        id=row.id, content_hash=row.content_hash, definition=row.definition, published_at=row.published_at
    )


def _published(row: Row[Any]) -> StoredVersion:
    return StoredVersion(
        id=row.id,
        name=row.name,
        version=row.version,
        content_hash=row.content_hash,
        definition=row.definition,
        templates=row.templates,
        texts=row.texts,
        vocabulary=row.vocabulary,
        functions=tuple(row.functions),
        published_at=row.published_at,
    )
