from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.channels.receiver import Receiver
from tests.fakes.provider import FakeProvider


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """A fake provider of this test alone. Whatever a test sends, it must keep to the providers' descriptions."""
    with FakeProvider() as running:
        yield running
    assert running.ledger.violations() == []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()
