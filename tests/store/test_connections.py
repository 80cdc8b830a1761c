"""Connections are opened one way: limits on waiting, UTC, READ COMMITTED, and no parameters in errors."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import bindparam

from orchestrator.errors import SettingsError
from orchestrator.store.sql.connections import make_engine, normalize_url

pytestmark = pytest.mark.contract


@pytest.fixture
def engine(database_url: str) -> Engine:
    return make_engine(database_url, application_name="tests")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TimeZone", "UTC"),
        ("transaction_isolation", "read committed"),
        ("statement_timeout", "15s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("jit", "off"),
        ("application_name", "tests"),
    ],
)
def test_every_session_is_set_up(engine: Engine, name: str, value: str) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one() == value
    engine.dispose()


def test_an_error_does_not_show_what_was_bound(engine: Engine) -> None:
    with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
        connection.execute(text("SELECT 1 / (length(:address) - 12)"), {"address": "ann@mail.org"})
    assert "ann@mail.org" not in str(caught.value)
    engine.dispose()


def test_a_connection_cut_while_idle_is_replaced(engine: Engine) -> None:
    with engine.begin() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other = make_engine(engine.url)
    with other.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": backend})
    with engine.begin() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != backend
    other.dispose()
    engine.dispose()


def test_money_in_json_keeps_its_digits(engine: Engine) -> None:
    statement = text("SELECT (:facts)->>'price'").bindparams(bindparam("facts", type_=JSONB))
    with engine.connect() as connection:
        assert connection.execute(statement, {"facts": {"price": Decimal("19.90")}}).scalar_one() == "19.90"
    engine.dispose()


@pytest.mark.parametrize(
    "given", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"]
)
def test_every_spelling_of_a_postgresql_url_is_understood(given: str) -> None:
    assert normalize_url(given).render_as_string(hide_password=False) == "postgresql+psycopg://u:p@h/d"


@pytest.mark.parametrize("given", ["mysql://u:hidden@h/d", "sqlite:///x.db", "hidden"])
def test_any_other_url_is_refused_without_showing_it(given: str) -> None:
    with pytest.raises(SettingsError, match="must read postgresql://") as caught:
        normalize_url(given)
    assert "hidden" not in str(caught.value)
