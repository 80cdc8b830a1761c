"""Customers are found and made by the keys the product uses; erased people are not brought back."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import Engine, insert, select

from orchestrator.errors import StoreError
from orchestrator.store import customers
from orchestrator.store.sql import tables as t
from tests.store.world import World
from tests.support.statements import counted


def hashed(key: str) -> str:
    return hashlib.blake2b(key.encode(), key=b"test", digest_size=16).hexdigest()


def test_new_and_known_keys_get_their_ids_in_one_statement(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        known = World(connection, now).customer("known")
    with counted(engine) as statements, engine.begin() as connection:
        ids = customers.ensure(connection, ["new", "known", "new"], now, hash_key=hashed)
    assert len(statements) == 1
    assert ids["known"] == known
    assert set(ids) == {"new", "known"}
    with engine.begin() as connection:
        assert customers.ensure(connection, ["new"], now, hash_key=hashed) == {"new": ids["new"]}


def test_an_erased_person_is_not_made_again(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        connection.execute(insert(t.tombstones).values(key_hash=hashed("gone"), erased_at=now))
        assert set(customers.ensure(connection, ["gone", "here"], now, hash_key=hashed)) == {"here"}
        assert customers.tombstoned(connection, [hashed("gone"), hashed("here")]) == {hashed("gone")}
        assert connection.execute(select(t.customers.c.key)).scalars().all() == ["here"]


def test_many_at_once_make_each_key_once(engine: Engine, now: datetime) -> None:
    keys = [f"c{number}" for number in range(60)]

    def make(turn: int) -> dict[str, int]:
        with engine.begin() as connection:
            return customers.ensure(connection, keys if turn % 2 else keys[::-1], now, hash_key=hashed)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(make, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert len(answers[0]) == 60


def test_a_key_that_cannot_be_stored_says_so(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection, pytest.raises(StoreError, match="zero byte"):
        customers.ensure(connection, ["a\x00"], now, hash_key=lambda _: "h")


def test_a_customer_is_found_with_account_and_addresses(engine: Engine, now: datetime) -> None:
    with engine.begin() as connection:
        world = World(connection, now)
        account = customers.ensure_accounts(connection, ["acme", "empty"], now)["acme"]
        assert customers.ensure_accounts(connection, ["acme"], now) == {"acme": account}
        ann = world.customer("ann", account_id=account, attributes={"plan": "pro"}, tags=["beta"])
        bob = world.customer("bob", account_id=account)
        world.customer("eve", account_id=account, erased_at=now)
        for customer in (bob, ann):
            world.contact(customer, "sms", "+15550100")
        found = customers.find(connection, "ann")
        assert found is not None
        assert (found.id, found.account_key, found.attributes, found.tags) == (
            ann,
            "acme",
            {"plan": "pro"},
            ("beta",),
        )
        assert [point.address for point in found.contact_points] == ["+15550100"]
        assert customers.find(connection, "nobody") is None
        assert customers.find(connection, "eve") is None
        assert customers.members(connection, ["acme", "empty"]) == {"acme": [ann, bob], "empty": []}
        assert customers.by_address(connection, "sms", "+15550100") == [ann, bob]
        assert customers.by_address(connection, "email", "+15550100") == []
