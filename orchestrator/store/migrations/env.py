"""Alembic's entry: runs on the connection that orchestrator.store.migrate opened, inside its transaction."""

from __future__ import annotations

from alembic import context

from orchestrator.store.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
