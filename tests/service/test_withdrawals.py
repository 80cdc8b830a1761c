"""Withdrawals stand alone: whatever ails a customer's facts, inbox, enrollments or playbooks, a no is in force."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from channels.base import Receipt, ReceiptKind
from orchestrator.errors import Contended, NotFound, StartRefused
from orchestrator.records.consent import WITHDRAWAL_EFFECT, ConsentFact
from orchestrator.records.inbox import Lane
from orchestrator.records.preferences import StopScope
from tests.support.engine import EVIDENCE, Scene, one_message, open_scene, playbook

LATE = 'quiet_hours: {email: {from: "10:00", until: "20:00"}}\n'  # whatever is for email waits

SPOILS = {
    "parked": "INSERT INTO parked (customer_id, enrollment_id, reason, detail, at) VALUES (:id, 0, 'x', 'x', now())",
    "inbox of an unknown kind": "INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data)"
    " VALUES (:id, 900000 + :id, 'rubbish', now(), now(), '[7]')",
    "inbox that cannot be read": "INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data)"
    ' VALUES (:id, 900000 + :id, \'response\', now(), now(), \'{"message_id": "x", "outcome": 1}\')',
    "state of no shape": "UPDATE enrollments SET state = '[]' WHERE customer_id = :id",
    "state without a step": "UPDATE enrollments SET state = '{}' WHERE customer_id = :id",
    "facts of no shape": "UPDATE customers SET attributes = '[]' WHERE id = :id",
}
UNREADABLE_VERSION = (
    "INSERT INTO playbooks (name, version, content_hash, definition, templates, published_at)"
    " VALUES ('next', 1, 'x', '{\"kind\": \"of a later release\"}', '{}', now())"
)


@pytest.fixture
def spoiled(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    """A scene whose rows are not in order at the end."""
    opened = open_scene(database_url, tmp_path / "playbooks")
    yield opened
    opened.close()


def report(scene: Scene, key: str, kind: ReceiptKind, **facts: Any) -> Receipt:
    given = {
        "source": "test",
        "source_id": f"{kind}:{key}",
        "occurred_at": scene.clock.now,
        "channel": "email",
    }
    return Receipt(kind=kind, **given | {"address": f"{key}@shop.example"} | facts)


def stopped_by_call(scene: Scene, key: str) -> None:
    scene.engine.opt_out(key, evidence=EVIDENCE)


def complained(scene: Scene, key: str) -> None:
    scene.engine.receive([report(scene, key, ReceiptKind.COMPLAINED)])


def imported(scene: Scene, key: str) -> None:
    fact = ConsentFact(key=key, action="revoked", occurred_at=scene.clock.now, evidence=EVIDENCE)
    assert scene.engine.import_consents([fact]).refused == ()


def erased(scene: Scene, key: str) -> None:
    assert scene.engine.export(key)["customer"]["key"] == key
    assert scene.engine.erase(key).erased


DOORS: dict[str, Callable[[Scene, str], None]] = {
    "call": stopped_by_call,
    "complaint": complained,
    "import": imported,
    "erasure": erased,
}


def customer_id(scene: Scene, key: str) -> int:
    found: int = scene.value("SELECT id FROM customers WHERE key = :key", key=key)
    return found


@contextmanager
def locked(scene: Scene, key: str) -> Iterator[Callable[[], None]]:
    """Somebody else holds the customer until the block ends, or what is given is called."""
    with scene.engine.database.connect() as elsewhere:
        elsewhere.execute(text("SELECT id FROM customers WHERE key = :key FOR UPDATE"), {"key": key})
        yield elsewhere.rollback


def test_no_door_of_a_withdrawal_reads_what_can_be_spoiled(spoiled: Scene) -> None:
    """Nor the playbooks: one of them is of a later release."""
    scene = spoiled
    scene.publish_playbooks(one_message("mail"), policy=LATE)
    keys = {(spoil, door): f"p{number:03}" for number, (spoil, door) in enumerate(
        (spoil, door) for spoil in SPOILS for door in DOORS)}  # fmt: skip
    assert sorted(keys.values()) == scene.people(len(keys))
    for key in keys.values():
        scene.start(key, "mail")
    for (spoil, _), key in keys.items():
        scene.execute(SPOILS[spoil], id=customer_id(scene, key))
    scene.execute(UNREADABLE_VERSION)
    scene.engine.services.store.definitions.forget()  # type: ignore[attr-defined]
    for (_, door), key in keys.items():
        scene.skip(seconds=1)
        DOORS[door](scene, key)
        if door != "erasure":
            states = scene.engine.preferences(key).states
            assert [one.granted for one in states] == [False], (door, key)
    assert scene.rows("SELECT DISTINCT status FROM messages") == [("withdrawn",)]
    assert scene.value("SELECT count(*) FROM dispatch") == 0
    gone = (
        "SELECT count(*) FROM timers t JOIN customers c ON c.id = t.customer_id WHERE c.erased_at IS NOT NULL"
    )
    assert scene.value(gone) == 0
    assert scene.value("SELECT count(*) FROM customers WHERE erased_at IS NOT NULL") == len(SPOILS)


def test_enrollments_hear_of_it_when_they_can(scene: Scene) -> None:
    """Whoever is let go again goes on as if the no had just been said."""
    scene.publish_playbooks(one_message("mail"), policy=LATE)
    scene.person()
    scene.start("anna", "mail")
    scene.execute(SPOILS["parked"], id=customer_id(scene, "anna"))
    scene.opted_out("anna")
    scene.drain()
    assert scene.step("anna") == "say"
    assert scene.engine.release(customer_id(scene, "anna"), 0)
    scene.drain()
    assert scene.path("anna") == ["opted_out"]


def test_a_worker_of_the_release_before_takes_the_row_that_tells_of_it_for_a_policy(scene: Scene) -> None:
    """A kind it does not know would park the customer for whom the new web process has just recorded a no."""
    scene.publish_playbooks(one_message("mail"), policy=LATE)
    scene.person()
    scene.start("anna", "mail")
    scene.opted_out("anna", topic="upsell")
    assert scene.rows("SELECT kind, lane, data FROM inbox") == [
        ("policy", Lane.ANSWERS, {"withdrawn": {"channel": "*", "topic": "upsell"}})
    ], "and it is found with the answers of people, not with the policies of accounts"


def test_a_withdrawal_waits_for_a_customer_who_is_being_worked_on(scene: Scene) -> None:
    """Longer than any other call would: two seconds."""
    scene.publish_playbooks(one_message("mail"), policy=LATE)
    scene.person()
    with locked(scene, "anna") as let_go:
        later = threading.Timer(2.4, let_go)
        later.start()
        receipt = scene.engine.opt_out("anna", evidence=EVIDENCE)
        later.join()
    assert receipt.already is False


def test_a_list_of_callbacks_is_taken_whatever_is_wrong_with_single_items(
    spoiled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = spoiled
    scene.publish_playbooks(one_message("mail"), policy=LATE)
    keys = scene.people(60)
    for key in keys[:6]:
        scene.start(key, "mail")
    for key, spoil in zip(keys, SPOILS.values(), strict=False):
        scene.execute(spoil, id=customer_id(scene, key))
    message = scene.message_id(keys[0])
    reports = [report(scene, key, ReceiptKind.COMPLAINED) for key in keys]
    reports += [report(scene, key, ReceiptKind.DELIVERED, message_id=message) for key in keys]
    reports.insert(7, report(scene, "nobody", ReceiptKind.COMPLAINED))
    reports.insert(70, report(scene, "x", ReceiptKind.CLICKED, message_id=message, link="a\x00b"))
    reports.insert(80, report(scene, "y", ReceiptKind.DELIVERED, message_id=None, provider_id="\x00"))
    reports.insert(90, report(scene, "z", ReceiptKind.COMPLAINED, message_id="m_1-nonsense!"))
    statements = count_commits(scene, monkeypatch)
    found = scene.engine.receive(reports)
    assert (found.taken, found.repeated) == (len(keys), 0)
    assert [(one.index, one.problem) for one in found.refused] == [
        (7, "names no message or person"),
        (70, "could not be stored (StoreError)"),
        (80, "could not be stored (StoreError)"),
        (90, "names no message or person"),
    ]
    assert scene.value("SELECT count(*) FROM consents WHERE NOT granted AND channel = 'email'") == len(keys)
    assert scene.value("SELECT count(*) FROM messages WHERE status <> 'withdrawn'") == 0
    assert statements() < len(keys), "those who are free share transactions"
    again = scene.engine.receive(reports)
    assert (again.taken, again.repeated) == (0, len(keys))


def count_commits(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    store = scene.engine.withdrawals.services.store
    begun: list[None] = []
    begin = type(store).begin
    monkeypatch.setattr(type(store), "begin", lambda self: begun.append(None) or begin(self))
    return lambda: len(begun)


def test_one_who_is_locked_costs_the_others_of_a_list_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.publish_playbooks(one_message("mail"))
    keys = scene.people(4)
    patience(scene, monkeypatch)
    reports = [report(scene, key, ReceiptKind.OPTED_OUT) for key in keys]
    with locked(scene, keys[1]), pytest.raises(Contended):
        scene.engine.receive(reports)
    refused = "SELECT c.key FROM consents s JOIN customers c ON c.id = s.customer_id WHERE NOT s.granted ORDER BY c.key"
    assert [row.key for row in scene.rows(refused)] == [keys[0], keys[2], keys[3]]
    scene.engine.receive(reports)
    assert len(scene.rows(refused)) == len(keys)
    assert scene.value("SELECT count(*) FROM consent_ledger WHERE action = 'revoked'") == len(keys)


def patience(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second instead of ten: what is tried is what comes of waiting in vain."""
    store = scene.engine.withdrawals.services.store
    begin = type(store).begin

    @contextmanager
    def impatient(self: Any) -> Iterator[Any]:
        with begin(self) as transaction:
            transaction.connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
            yield transaction

    monkeypatch.setattr(type(store), "begin", impatient)


def test_what_is_stopped_is_found_by_key_whatever_statistics_say(scene: Scene) -> None:
    """The tables of these tests are tiny: left to itself PostgreSQL reads them from end to end."""
    scene.publish_playbooks(one_message("mail"), policy=LATE)
    scene.person()
    scene.start("anna", "mail")
    scopes = [StopScope(customer_id=customer_id(scene, "anna"), channel="*", topic="*", news=True)]
    read = "SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname IN ('messages', 'dispatch', 'feed_items')"
    with scene.engine.withdrawals.services.store.begin() as transaction:
        [stopped] = transaction.withdrawals.stop(scopes, scene.clock.now, notices=())
        connection = transaction.connection  # type: ignore[attr-defined]
        assert connection.execute(text(read)).scalar() == 0
    assert [one.status for one in stopped.messages] == ["cancelled"]
    scene.drain()


def test_several_withdrawals_of_one_customer_in_a_list_are_each_heard(scene: Scene) -> None:
    scene.publish_playbooks(one_message("either", "[email, in_app]"), policy=LATE)
    scene.person()
    scene.start("anna", "either")
    reports = [
        report(scene, "anna", ReceiptKind.OPTED_OUT, source_id="1", topic="upsell"),
        report(scene, "anna", ReceiptKind.COMPLAINED, source_id="2"),
        report(scene, "anna", ReceiptKind.OPTED_OUT, source_id="3", topic="upsell"),
    ]
    scene.engine.receive(reports)
    said = scene.rows("SELECT channel, topic FROM consent_ledger WHERE action = 'revoked' ORDER BY id")
    assert said == [("email", "upsell"), ("email", "*")], "the third was said before"
    scene.drain()
    assert scene.spoken() == [("anna", "in_app")]


def test_what_was_said_again_after_a_yes_is_not_stopped_by_the_report_of_the_first_no(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"), policy=LATE)
    scene.person()
    first = report(scene, "anna", ReceiptKind.OPTED_OUT)
    scene.engine.receive([first])
    scene.skip(minutes=1)
    scene.engine.opt_in("anna", channel="email", evidence=EVIDENCE)
    scene.start("anna", "mail")
    scene.engine.receive([first])
    assert [one.status for one in scene.why("anna")] == ["planned"]


def test_the_ledger_says_what_a_withdrawal_cannot_do(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    assert scene.opted_out("anna").effect == WITHDRAWAL_EFFECT
    assert scene.engine.consents("anna").entries[-1].evidence["effect"] == WITHDRAWAL_EFFECT


def test_what_a_cap_holds_back_is_asked_about_as_soon_as_something_is_stopped(scene: Scene) -> None:
    second = one_message("second", patience="20d").replace("topic: upsell", "topic: cross_sell")
    scene.publish_playbooks(one_message("first"), second, policy="caps: [{at_most: 1, within: 7d}]\n")
    scene.person()
    scene.start("anna", "first")
    scene.drain()
    scene.start("anna", "second")
    scene.drain()
    asked = "SELECT sum(count) FROM verdicts WHERE policy = 'frequency_cap'"
    assert scene.value(asked) == 1
    scene.opted_out("anna", topic="upsell")
    scene.drain()
    assert scene.value(asked) == 2


def test_an_erasure_ends_what_nobody_can_read_in_the_machines_own_words(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("mail", "in_app"),
        playbook("quiet", "  rest: {cooldown: 9d, then: done}\n  done: {end: finished}\n"),
    )
    scene.person()
    scene.start("anna", "mail")
    scene.start("anna", "quiet")
    scene.drain()
    identity = customer_id(scene, "anna")
    scene.engine.erase("anna")
    ended = (
        "SELECT end_status, state->>'phase', state->>'end_status' FROM enrollments WHERE customer_id = :id"
    )
    assert scene.rows(ended, id=identity) == [("erased", "ended", "erased")] * 2
    told = "SELECT event, outcome FROM journal WHERE customer_id = :id ORDER BY seq DESC LIMIT 2"
    assert scene.rows(told, id=identity) == [("ended", "erased")] * 2
    with pytest.raises(NotFound):
        scene.engine.opt_out("anna", evidence=EVIDENCE)
    with pytest.raises(StartRefused):
        scene.start("anna", "mail")


def test_what_cannot_be_understood_is_exported_as_it_is_stored(scene: Scene) -> None:
    scene.publish_playbooks(one_message("mail"))
    scene.person()
    scene.start("anna", "mail")
    scene.drain()
    scene.execute('UPDATE messages SET responses = \'{"clicked": "some day"}\'')
    exported = scene.engine.export("anna")
    assert exported["messages"][0]["responses"] == {"clicked": "some day"}
    assert (exported["timeline"], exported["explanations"]) == (None, None)
