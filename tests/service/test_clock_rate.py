"""How fast business time passes is what the settings say: also when they no longer say anything."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.bootstrap import build_engine
from orchestrator.engine import Engine
from orchestrator.errors import Unavailable
from orchestrator.store.coordination.clock import PostgresClock
from tests.support.engine import settings_of


def times(engine: Engine) -> tuple[float, datetime]:
    with engine.services.store.begin() as transaction:
        instants = transaction.instants()
    return instants.rate, instants.business


def test_a_rate_that_is_gone_from_the_settings_is_one_again_without_a_jump(database_url: str) -> None:
    rehearsal = build_engine(settings_of(database_url, clock_rate=3600))
    rate, before = times(rehearsal)
    rehearsal.close()
    assert rate == 3600
    engine = build_engine(settings_of(database_url))
    rate, after = times(engine)
    later = times(engine)[1]
    engine.close()
    assert rate == 1
    assert before <= after <= before + timedelta(days=1), "what passed meanwhile passed at the old rate"
    assert later - after < timedelta(minutes=1)


def test_a_database_that_is_away_at_the_start_is_told_by_the_first_sweep(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_engine(settings_of(database_url, clock_rate=60)).close()

    def away(*_: Any) -> float:
        raise Unavailable("not now")

    with monkeypatch.context() as patched:
        patched.setattr(PostgresClock, "set_rate", away)
        engine = build_engine(settings_of(database_url))
        assert times(engine)[0] == 60
    engine.sweep()
    assert times(engine)[0] == 1
    engine.set_clock_rate(60)
    engine.sweep()
    assert times(engine)[0] == 60, "once a process: who sets it by hand is not undone every second"
    engine.close()
