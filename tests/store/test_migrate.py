"""A database built by migrations is the database the code believes in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from orchestrator.errors import StoreError, Unavailable
from orchestrator.store import migrate
from orchestrator.store.sql.connections import make_engine
from orchestrator.store.sql.tables import metadata

pytestmark = pytest.mark.contract

CATALOG = {
    "columns": """
        SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, is_identity,
               identity_generation
        FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE'""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "storage": """
        SELECT relname, relkind, reloptions FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i', 'S')""",
    "sequences": """
        SELECT sequencename, start_value, increment_by, cache_size
        FROM pg_sequences WHERE schemaname = 'public'""",
}


def catalog(url: str) -> dict[str, set[tuple[object, ...]]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {
                part: {
                    tuple(map(str, row))
                    for row in connection.execute(text(query))
                    if "alembic_version" not in str(row)
                }
                for part, query in CATALOG.items()
            }
    finally:
        engine.dispose()


def test_migrations_build_what_the_tables_say(empty_url: str) -> None:
    engine = create_engine(empty_url)
    metadata.create_all(engine)
    believed = catalog(empty_url)
    metadata.drop_all(engine)
    engine.dispose()

    migrate.upgrade(empty_url)

    built = catalog(empty_url)
    for part in CATALOG:
        assert built[part] == believed[part], part
    assert len(built["columns"]) > 100


def test_up_down_and_up_again(empty_url: str) -> None:
    assert migrate.current(empty_url) is None
    migrate.upgrade(empty_url)
    assert migrate.current(empty_url) == migrate.head()
    first = catalog(empty_url)

    migrate.downgrade(empty_url, "base")
    assert migrate.current(empty_url) is None
    assert not any(catalog(empty_url).values())

    migrate.upgrade(empty_url)
    assert catalog(empty_url) == first


def test_one_revision_at_a_time(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0001")
    assert migrate.current(empty_url) == "0001"
    migrate.upgrade(empty_url)
    assert migrate.current(empty_url) == migrate.head()
    migrate.downgrade(empty_url, "0001")
    assert migrate.current(empty_url) == "0001"


def test_several_processes_may_start_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, [empty_url] * 4))
    assert migrate.current(empty_url) == migrate.head()


def test_the_clock_starts_at_real_time(empty_url: str) -> None:
    engine = make_engine(empty_url)
    with engine.connect() as connection:
        before = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    migrate.upgrade(empty_url)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT *, clock_timestamp() AS after FROM clock")).one()
    engine.dispose()
    assert row.business_anchor == row.machine_anchor
    assert row.rate == 1
    assert before <= row.machine_anchor <= row.after


def test_an_unknown_revision_says_so(empty_url: str) -> None:
    with pytest.raises(StoreError, match="0099"):
        migrate.upgrade(empty_url, "0099")
    assert migrate.current(empty_url) is None


def test_an_unreachable_database_says_so_without_its_password() -> None:
    with pytest.raises(Unavailable) as caught:
        migrate.current("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
