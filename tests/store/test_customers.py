"""Customers are found and made by the keys the product uses; erased people are not brought back."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import Connection, Engine, insert, select

from orchestrator.errors import StoreError
from orchestrator.store.customers import PostgresCustomers, find
from orchestrator.store.sql import tables as t
from tests.store.world import World
from tests.support.statements import counted

pytestmark = pytest.mark.contract


def hashed(key: str) -> str:
    return hashlib.blake2b(key.encode(), key=b"test", digest_size=16).hexdigest()


def store(connection: Connection) -> PostgresCustomers:
    return PostgresCustomers(connection=connection, hash_key=hashed)


def test_new_and_known_keys_get_their_ids_in_one_statement(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        known = World(connection, now).customer("known")
    with counted(engine) as statements, engine.begin() as connection:
        ids = store(connection).ensure(["new", "known", "new"], now)
    assert len(statements) == 1
    assert ids["known"] == known
    assert set(ids) == {"new", "known"}
    with engine.begin() as connection:
        assert store(connection).ensure(["new"], now) == {"new": ids["new"]}


def test_an_erased_person_is_not_made_again(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        connection.execute(insert(t.tombstones).values(key_hash=hashed("gone"), erased_at=now))
        assert set(store(connection).ensure(["gone", "here"], now)) == {"here"}
        assert store(connection).forgotten(["gone", "here"]) == {"gone"}
        assert connection.execute(select(t.customers.c.key)).scalars().all() == ["here"]


def test_many_at_once_make_each_key_once(engine: Engine, now: datetime) -> None:
    keys = [f"c{number}" for number in range(60)]

    def make(turn: int) -> dict[str, int]:
        with engine.begin() as connection:
            return store(connection).ensure(keys if turn % 2 else keys[::-1], now)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(make, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert len(answers[0]) == 60


def test_a_key_that_cannot_be_stored_says_so(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection, pytest.raises(StoreError, match="zero byte"):
        PostgresCustomers(connection=connection, hash_key=lambda _: "h").ensure(["a\x00"], now)


def test_a_customer_is_found_with_account_and_addresses(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        account = store(connection).ensure_accounts(["acme", "empty"], now)["acme"]
        assert store(connection).ensure_accounts(["acme"], now) == {"acme": account}
        ann = world.customer("ann", account_id=account, attributes={"plan": "pro"}, tags=["beta"])
        bob = world.customer("bob", account_id=account)
        world.customer("eve", account_id=account, erased_at=now)
        for customer in (bob, ann):
            world.contact(customer, "sms", "+15550100")
        found = find(connection, "ann")
        assert found is not None
        assert (found.id, found.account_key, found.attributes, found.tags) == (
            ann,
            "acme",
            {"plan": "pro"},
            ("beta",),
        )
        assert [point.address for point in found.contact_points] == ["+15550100"]
        assert find(connection, "nobody") is None
        assert find(connection, "eve") is None
        assert store(connection).members(["acme", "empty"]) == {"acme": [ann, bob], "empty": []}
        pairs = [("sms", "+15550100"), ("email", "+15550100")]
        assert store(connection).by_address(pairs) == {("sms", "+15550100"): [ann, bob]}
