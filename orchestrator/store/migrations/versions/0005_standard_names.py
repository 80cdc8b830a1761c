"""Tables, columns and stored JSON get the field's standard names.

**Stop every process first.** A process of the revision before would write to names that are gone; it fails at once
and loses nothing, but moves nothing either. Data is renamed in place: the two JSON rewrites touch each enrollment,
journal line and waiting inbox row once.

Revision: 0005
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

_TABLES = (("places", "cap_slots"), ("attempting", "batches_in_hand"))
_COLUMNS = (
    ("enrollments", "run_key", "reentry_key"),
    ("enrollments", "end_word", "end_status"),
    ("timers", "run_key", "reentry_key"),
    ("journal", "word", "outcome"),
    ("receipts", "word", "kind"),
    ("batches_in_hand", "strikes", "crash_counts"),
)
_STATE_KEYS = (("touched", "any_sent"), ("end_word", "end_status"))


def upgrade() -> None:
    for before, after in _TABLES:
        op.rename_table(before, after)
        _rename_constraints(after, before, after)
    op.execute(
        text("ALTER INDEX ix_places_customer_id_handed_at RENAME TO ix_cap_slots_customer_id_handed_at")
    )
    for table, before, after in _COLUMNS:
        op.alter_column(table, before, new_column_name=after)
        _rename_constraints(table, before, after)
    for before, after in _STATE_KEYS:
        _rename_key("enrollments", "state", before, after)
        _rename_key("journal", "data", before, after)
    _rename_key("inbox", "data", "word", "outcome", where="kind = 'response'")
    _rename_key("inbox", "data", "word", "kind", where="kind = 'receipt'")


def downgrade() -> None:
    _rename_key("inbox", "data", "kind", "word", where="kind = 'receipt'")
    _rename_key("inbox", "data", "outcome", "word", where="kind = 'response'")
    for before, after in _STATE_KEYS:
        _rename_key("journal", "data", after, before)
        _rename_key("enrollments", "state", after, before)
    for table, before, after in reversed(_COLUMNS):
        op.alter_column(table, after, new_column_name=before)
        _rename_constraints(table, after, before)
    op.execute(
        text("ALTER INDEX ix_cap_slots_customer_id_handed_at RENAME TO ix_places_customer_id_handed_at")
    )
    for before, after in reversed(_TABLES):
        op.rename_table(after, before)
        _rename_constraints(before, after, before)


def _rename_constraints(table: str, before: str, after: str) -> None:
    """Constraints carry the names of their table and columns; from PostgreSQL 18 on NOT NULL has one too."""
    op.execute(
        text(f"""
            DO $$ DECLARE name text; BEGIN
                FOR name IN SELECT conname FROM pg_constraint
                             WHERE conrelid = '{table}'::regclass
                               AND position('_{before}_' IN '_' || conname || '_') > 0
                LOOP
                    EXECUTE format('ALTER TABLE {table} RENAME CONSTRAINT %I TO %I', name,
                                   trim(both '_' from replace('_' || name || '_', '_{before}_', '_{after}_')));
                END LOOP;
            END $$""")  # noqa: S608 - constants of this file
    )


def _rename_key(table: str, column: str, before: str, after: str, *, where: str = "true") -> None:
    op.execute(
        text(
            f"UPDATE {table} SET {column} = ({column} - '{before}') "  # noqa: S608 - constants of this file
            f"|| jsonb_build_object('{after}', {column} -> '{before}') "
            f"WHERE jsonb_exists({column}, '{before}') AND {where}"
        )
    )
