"""No table grows without end: each has a bound or a time for which it is kept; what is older goes in short steps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from orchestrator.errors import DefinitionError, StartRefused
from orchestrator.language.account.retention import Retention
from orchestrator.language.fields import keys_of
from orchestrator.records.intake import Track
from orchestrator.store.history import prune
from orchestrator.store.history.bounds import BOUNDS
from orchestrator.store.sql.tables import metadata
from tests.support.engine import Scene, one_message, open_scene

ON_LIMIT = "enter: {when: limit_reached, because: x, reentry: {after: 90d}}\n"
SHORT = "retention: {enrollments: 30d, signals: 30d}\n"


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    opened = open_scene(database_url, tmp_path / "playbooks")
    yield opened
    assert opened.violations() == []
    opened.close()


# --- what there is ---


def test_every_table_says_what_bounds_it() -> None:
    assert set(BOUNDS) == set(metadata.tables)


def test_every_retention_lets_rows_of_some_table_go_and_none_is_missing() -> None:
    kept = {bound.kept for bound in BOUNDS.values() if bound.kept is not None}
    assert kept == set(keys_of(Retention))
    assert set(prune.KINDS) == kept


# --- what goes ---


def test_years_of_refusals_and_unmet_conditions_leave_a_handful_of_rows(scene: Scene) -> None:
    unmet = one_message(
        "unmet", more="enter: {when: limit_reached, if: {plan: never, because: x}, reentry: {after: 1h}}\n"
    )
    scene.publish_playbooks(one_message("offer", wait="60d", more=ON_LIMIT), unmet)
    scene.person()
    for _ in range(10):
        scene.engine.track([Track(key="anna", event="limit_reached") for _ in range(10)])
        scene.drain()
        scene.skip(hours=1)
    assert scene.value("SELECT count(*) FROM refusals") == 1
    assert scene.value("SELECT count(*) FROM not_entered") == 1
    scene.let_pass(days=401)
    scene.engine.prune()
    assert scene.value("SELECT count(*) FROM refusals") == 0
    assert scene.value("SELECT count(*) FROM not_entered") == 0


def test_cooldowns_and_holds_go_when_they_are_long_over(scene: Scene) -> None:
    holds = "holds:\n  open: {title: a ticket, opened_by: ticket_opened, closed_by: ticket_closed, longest: 30d}\n"
    scene.publish_playbooks(one_message("offer"), policy=holds)
    scene.person()
    scene.engine.snooze("anna", scene.now + timedelta(days=2))
    scene.engine.track([Track(key="anna", event="ticket_opened")])
    scene.drain()
    assert scene.value("SELECT count(*) FROM cooldowns") == 1
    scene.skip(days=405)
    scene.engine.track([Track(key="anna", event="ticket_opened")])
    scene.drain()
    scene.skip(days=10)
    scene.engine.prune()
    assert scene.value("SELECT count(*) FROM cooldowns") == 0
    assert scene.value("SELECT count(*) FROM holds") == 2, "the first was over 385 days ago"
    scene.skip(days=20)
    scene.engine.prune()
    assert scene.value("SELECT count(*) FROM holds") == 1, "the one that is open stays"


def sizes(scene: Scene) -> dict[str, int]:
    tables = [name for name, bound in BOUNDS.items() if bound.kept == "enrollments"]
    tables += ["journal", "verdicts", "receipts", "sandbox_inbox"]
    return {name: scene.value(f"SELECT count(*) FROM {name}") for name in tables}


def test_an_enrollment_goes_with_all_that_belongs_to_it(scene: Scene) -> None:
    goal = "goal: {event: plan_upgraded, within: 20d, value: mrr_delta}\n"
    scene.publish_playbooks(one_message("offer", more=goal), one_message("modal", "in_app"), policy=SHORT)
    scene.person()

    def once() -> None:
        for name in ("offer", "modal"):
            scene.start("anna", name)
        scene.drain()
        scene.engine.track([Track(key="anna", event="plan_upgraded", properties={"mrr_delta": 9})])
        scene.let_pass(days=3)

    once()
    one = sizes(scene)
    assert one["enrollments"] == 2
    assert {"messages", "cap_slots", "feed_items", "conversions", "journal", "verdicts"} <= {
        name for name, rows in one.items() if rows
    }
    scene.let_pass(days=35)
    scene.engine.prune()
    assert sizes(scene)["enrollments"] == 2, "the newest of each playbook stays"
    once()
    once()
    scene.let_pass(days=35)
    scene.engine.prune()
    left = sizes(scene)
    left.pop("sandbox_inbox")
    assert left == {name: rows for name, rows in one.items() if name != "sandbox_inbox"}


def test_who_may_never_enter_again_may_not_when_history_is_gone(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("never", more="enter: {because: x, reentry: never}\n"),
        policy="retention: {enrollments: 1d}\n",
    )
    scene.person()
    scene.start("anna", "never")
    scene.let_pass(days=60)
    scene.engine.prune()
    with pytest.raises(StartRefused):
        scene.start("anna", "never")


def test_a_customer_in_hand_keeps_everything_until_another_day(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"), policy=SHORT)
    scene.person()
    for _ in range(2):
        scene.start("anna", "offer")
        scene.let_pass(days=20)
    scene.skip(days=40)
    with scene.engine.database.begin() as held:
        held.execute(text("SELECT id FROM customers FOR NO KEY UPDATE"))
        assert scene.engine.prune()["enrollments"] == 0
    assert scene.engine.prune()["enrollments"] == 1


def test_what_an_earlier_version_looks_back_over_stays(scene: Scene) -> None:
    often = "enter:\n  if: {limit_reached: {times: 2, within: 60d}, because: often}\n  reentry: {after: 1h}\n"
    scene.publish_playbooks(one_message("offer", more=often))
    scene.person()
    scene.engine.track([Track(key="anna", event="limit_reached") for _ in range(3)])
    scene.drain()
    plain = one_message("offer").replace("version: 1", "version: 2")
    scene.publish_playbooks(plain, policy="retention: {signals: 30d}\n")
    scene.skip(days=40)
    scene.engine.prune()
    assert scene.value("SELECT count(*) FROM signals WHERE name = 'limit_reached'") == 3
    scene.skip(days=25)
    scene.engine.prune()
    assert scene.value("SELECT count(*) FROM signals WHERE name = 'limit_reached'") == 1


def test_ids_of_facts_are_kept_for_a_month_at_least(scene: Scene) -> None:
    with pytest.raises(DefinitionError, match="30d at least"):
        scene.publish_playbooks(one_message("offer"), policy="retention: {seen_sources: 29d}\n")
    scene.publish_playbooks(one_message("offer"), policy="retention: {seen_sources: 30d}\n")
    fact = Track(key="anna", event="limit_reached", source_id="once")
    scene.engine.track([fact])
    scene.skip(days=29)
    scene.engine.prune()
    assert scene.engine.track([fact]).repeated == 1


def test_rows_go_a_stretch_at_a_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.execute(
        "INSERT INTO seen_sources SELECT 1, 'source ' || n, '2020-01-01' FROM generate_series(1, 1000) AS n"
    )
    monkeypatch.setattr(prune, "BLOCKS", 1)
    went: list[int] = []
    block: int | None = 0
    while block is not None:
        with scene.engine.services.store.begin() as transaction:
            deleted, block = transaction.history.prune("seen_sources", before=scene.now, block=block)
        went.append(deleted)
    assert sum(went) == 1000
    assert max(went) < 500
