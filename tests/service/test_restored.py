"""A database put back from a backup: nothing is sent twice, and nobody who left since then is written to.

Each story runs on one database, of which a copy is kept as a backup is; it goes on for a while and is lost; and the
copy goes on from there. Messages handed over by both are told apart by customer, playbook and step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from channels.recording import Outbox
from orchestrator.bootstrap import build_engine
from orchestrator.clock import VirtualClock
from orchestrator.engine import make_restored_safe
from orchestrator.errors import StartRefused
from orchestrator.ids import MESSAGE, public_id
from orchestrator.records.consent import ConsentFact
from orchestrator.records.intake import Identify, Track
from orchestrator.records.restore import LogContents, RestoreReport
from orchestrator.service.operations.restored import RestoreRequest
from orchestrator.store.restoring.withdrawal_log import read_log
from tests.support.engine import EVIDENCE, NOON, Scene, one_message, playbook, settings_of
from tests.support.postgres import Databases

HOUR = timedelta(hours=1)
TWO_MAILS = playbook(
    "two",
    "  first:  {send: {channel: email, template: note}, wait: 2h, then: rest}\n"
    "  rest:   {wait: 3h, then: second}\n"
    "  second: {send: {channel: email, template: note}, wait: 6d, then: third}\n"
    "  third:  {wait: 3d, then: last}\n"
    "  last:   {send: {channel: email, template: note}, wait: 1d, then: done}\n"
    "  done:   {end: finished}\n",
)


def silent(_part: str, _done: int, _total: int, /) -> None:
    """Nobody looks at the progress."""


@dataclass(kw_only=True)
class Story:
    """A database, and the copy it is put back from."""

    databases: Databases
    folder: Path
    database_url: str
    stack: ExitStack
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    scene: Scene = field(init=False)
    backup: str = ""
    backed_up_at: datetime = NOON

    def __post_init__(self) -> None:
        self.scene = self._open(self.database_url, NOON)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def back_up(self) -> None:
        """Keep a copy of the database as it is now."""
        now = self.scene.now
        self._close()
        name = make_url(self.database_url).database or ""
        self.backup = self.stack.enter_context(self.databases.scratch(name))
        self.backed_up_at = now
        self.scene = self._open(self.database_url, now)

    def lose(self) -> None:
        """The database is gone; the copy is put in its place."""
        now = self.scene.now
        self._close()
        self.scene = self._open(self.backup, now)

    def restored(self, *, log: LogContents | str | None = "whole", by: str | None = None) -> RestoreReport:
        contents = read_log([self.log]) if isinstance(log, str) else log
        request = RestoreRequest(since=self.backed_up_at, log=contents, accepted_by=by)
        return make_restored_safe(self.scene.engine, request, silent)

    def twice(self) -> list[tuple[str, str, str]]:
        """What was handed over more than once, over both databases."""
        return [one for one, number in Counter([*self.sent, *self._handed()]).items() if number > 1]

    def steps(self, key: str) -> list[str]:
        return [step for customer, _, step in [*self.sent, *self._handed()] if customer == key]

    def _handed(self) -> list[tuple[str, str, str]]:
        origins = self.scene.engine.reports.message_origins({one.message_id for one in self.scene.given})
        return [
            (one.customer_key, origins[one.message_id].playbook, origins[one.message_id].step)
            for one in self.scene.given
        ]

    def _open(self, url: str, now: datetime) -> Scene:
        clock = VirtualClock(now)
        outbox = Outbox(lambda: clock.now)
        settings = settings_of(url, withdrawal_log=self.log, send_threads=1)
        engine = build_engine(settings, clock=clock, channels=outbox.listen)
        return Scene(engine=engine, clock=clock, outbox=outbox, folder=self.folder / "books", mode="manual")

    def _close(self) -> None:
        self.sent += self._handed()
        self.scene.engine.close()


@pytest.fixture
def story(databases: Databases, database_url: str, tmp_path: Path) -> Iterator[Story]:
    with ExitStack() as stack:
        made = Story(databases=databases, folder=tmp_path, database_url=database_url, stack=stack)
        yield made
        broken = made.scene.violations()
        made.scene.engine.close()
        assert broken == []


def begun(story: Story, *keys: str) -> Scene:
    """These people are in a playbook of three messages."""
    scene = story.scene
    scene.publish_playbooks(TWO_MAILS)
    scene.engine.sweep()  # the first mark of the log
    for key in keys:
        scene.person(key)
        scene.start(key, "two")
    return scene


# --- what may have gone out -----------------------------------------------------------------------------------------


def test_what_was_planned_and_then_sent_is_not_sent_again(story: Story) -> None:
    begun(story, "anna")
    story.back_up()
    story.scene.drain()
    assert story.scene.spoken("anna") == [("anna", "email")]

    story.lose()
    report = story.restored()
    story.scene.drain()

    assert story.steps("anna") == ["first"]
    assert report.uncertain == 1
    assert story.scene.messages("anna") == [("first", "email", "uncertain")]
    assert not report.promotion_held


def test_without_the_command_it_would_be_sent_again(story: Story) -> None:
    """The stories here can fail: a log that knows nothing of the database stops nobody."""
    begun(story, "anna")
    story.back_up()
    story.scene.drain()

    story.lose()
    story.scene.execute("UPDATE withdrawal_log_marks SET number = 1000000")
    story.scene.drain()

    assert story.twice() == [("anna", "two", "first")]


def test_steps_that_timers_came_to_in_the_lost_time_are_not_said_again(story: Story) -> None:
    begun(story, "anna")
    story.scene.drain()
    story.back_up()
    story.scene.let_pass(hours=6)  # second
    assert story.steps("anna") == ["first", "second"]

    story.lose()
    report = story.restored()
    story.scene.let_pass(days=14)

    assert story.twice() == []
    assert report.doubtful_steps == 1
    assert [step for step, _, status in story.scene.messages("anna") if status == "abandoned"] == ["second"]


def test_what_lies_beyond_the_lost_time_is_sent(story: Story) -> None:
    begun(story, "anna")
    story.scene.drain()
    story.back_up()
    story.scene.let_pass(hours=6)

    story.lose()
    story.restored()
    story.scene.let_pass(days=14)

    assert story.steps("anna") == ["first", "second", "last"]


def test_an_answer_in_the_lost_time_may_have_led_further_at_once(story: Story) -> None:
    book = playbook(
        "two",
        "  first:  {send: {channel: email, template: note}, wait: 10d, then: {clicked: second, no_response: done}}\n"
        "  second: {send: {channel: email, template: note}, wait: 10d, then: done}\n"
        "  done:   {end: finished}\n",
    )
    scene = story.scene
    scene.publish_playbooks(book)
    scene.engine.sweep()
    scene.person("anna")
    scene.start("anna", "two")
    scene.drain()
    story.back_up()
    message = story.scene.rows("SELECT customer_id, id FROM messages")[0]
    click(story.scene, message.customer_id, message.id)
    story.scene.drain()
    assert story.steps("anna") == ["first", "second"]

    story.lose()
    story.restored()
    click(story.scene, message.customer_id, message.id)
    story.scene.let_pass(days=30)

    assert story.twice() == []


def test_a_signal_heard_again_does_not_repeat_what_it_led_to(story: Story) -> None:
    scene = story.scene
    scene.publish_playbooks(
        one_message(
            "limit", more="enter: {when: limit_reached, because: you are near it, reentry: {after: 1h}}\n"
        )
    )
    scene.engine.sweep()
    scene.person("anna")
    story.back_up()
    signal = Track(key="anna", event="limit_reached", source_id="s1", occurred_at=story.scene.now)
    story.scene.engine.track([signal])
    story.scene.drain()
    assert story.steps("anna") == ["say"]

    story.scene.let_pass(hours=2)
    story.lose()
    story.restored()
    story.scene.engine.track([signal])  # the product sends what it has sent since
    story.scene.let_pass(days=20)
    assert story.twice() == []

    story.scene.engine.track(
        [Track(key="anna", event="limit_reached", source_id="s2", occurred_at=story.scene.now)]
    )
    story.scene.drain()
    assert story.steps("anna") == ["say", "say"]  # another time, another message


def test_a_signal_that_lay_in_the_inbox_does_not_repeat_what_it_led_to(story: Story) -> None:
    scene = story.scene
    scene.publish_playbooks(
        one_message(
            "limit", more="enter: {when: limit_reached, because: you are near it, reentry: {after: 1h}}\n"
        )
    )
    scene.engine.sweep()
    scene.person("anna")
    scene.engine.track([Track(key="anna", event="limit_reached", occurred_at=scene.now - HOUR)])
    story.back_up()
    story.scene.drain()
    assert story.steps("anna") == ["say"]

    story.lose()
    story.restored()
    story.scene.let_pass(days=9)

    assert story.twice() == []


def test_what_quiet_hours_hold_back_beyond_the_lost_time_is_sent_in_the_morning(story: Story) -> None:
    scene = story.scene
    quiet = 'quiet_hours: {email: {from: "10:00", until: "20:00"}}\n'
    scene.publish_playbooks(one_message("limit"), policy=quiet)
    scene.engine.sweep()
    scene.person("anna")
    scene.start("anna", "limit")
    scene.drain()
    assert story.steps("anna") == []
    story.back_up()
    story.scene.let_pass(hours=1)

    story.lose()
    report = story.restored()
    story.scene.let_pass(days=1)

    assert report.uncertain == 0
    assert story.steps("anna") == ["say"]


def test_ids_given_since_the_backup_are_not_given_again(story: Story) -> None:
    begun(story, "anna")
    story.back_up()
    for key in ("bob", "carl"):
        story.scene.person(key)
        story.scene.start(key, "two")
    story.scene.drain()
    old = story.scene.rows(
        "SELECT id, (SELECT max(id) FROM customers) AS customer FROM messages ORDER BY id DESC"
    )

    story.lose()
    report = story.restored()
    story.scene.person("dora")
    story.scene.start("dora", "two")
    new = story.scene.rows("SELECT m.id, m.customer_id FROM messages m ORDER BY m.id DESC")

    assert report.sequences > 5
    assert new[0].id > max(one.id for one in old) + 1_000_000
    assert new[0].customer_id > old[0].customer + 1_000_000


# --- who withdrew ---------------------------------------------------------------------------------------------------


def test_withdrawals_of_the_lost_time_come_back_from_the_log(story: Story) -> None:
    begun(story, "anna", "bob", "carl")
    story.scene.drain()
    story.back_up()
    scene = story.scene
    scene.engine.opt_out("anna", evidence=EVIDENCE)
    scene.engine.opt_out("bob", channel="email", topic="upsell", evidence=EVIDENCE)
    scene.let_pass(hours=1)

    story.lose()
    report = story.restored()

    assert (report.log, report.entries, report.withdrawn) == ("read", 2, 2)
    assert not report.promotion_held
    story.scene.let_pass(days=14)
    assert story.steps("anna") == ["first"]
    assert story.steps("bob") == ["first"]
    assert story.steps("carl") == ["first", "second", "last"] or story.steps("carl") == ["first", "last"]
    kept = story.scene.rows(
        "SELECT method, channel, topic FROM consent_ledger WHERE action = 'revoked' ORDER BY 2"
    )
    assert {(one.channel, one.topic) for one in kept} == {("*", "*"), ("email", "upsell")}
    assert {one.method for one in kept} == {"restored_log"}

    again = story.restored()
    assert (again.withdrawn, again.known) == (2, 2)  # of this restore in all; all of them there


def test_an_imported_withdrawal_comes_back_too(story: Story) -> None:
    begun(story, "anna")
    story.back_up()
    fact = ConsentFact(
        key="anna", action="revoked", occurred_at=story.scene.now, evidence=EVIDENCE, source_id="crm-17"
    )
    story.scene.engine.import_consents([fact])
    assert "crm-17" not in "".join(path.read_text() for path in story.log.iterdir())

    story.lose()
    assert story.restored().withdrawn == 1


def test_whoever_said_yes_again_before_the_backup_stays_open(story: Story) -> None:
    scene = begun(story, "anna")
    scene.engine.opt_out("anna", channel="email", evidence=EVIDENCE)
    scene.let_pass(minutes=10)
    scene.engine.opt_in("anna", channel="email", evidence=EVIDENCE)
    scene.let_pass(minutes=10)
    story.back_up()

    story.lose()
    report = story.restored()

    assert (report.withdrawn, report.known) == (0, 1)
    assert [
        one.granted for one in story.scene.engine.preferences("anna").states if one.channel == "email"
    ] == [True]


def test_who_was_forgotten_is_forgotten_again_and_not_let_in_as_new(story: Story) -> None:
    begun(story, "anna")
    story.scene.drain()
    story.back_up()
    story.scene.person("bob")
    story.scene.engine.erase("anna")
    story.scene.engine.erase("bob")

    story.lose()
    report = story.restored()
    story.scene.engine.identify([Identify(key="bob", traits={"email": "bob@shop.example"})])

    assert report.erased == 1
    assert story.scene.rows("SELECT key FROM customers WHERE erased_at IS NULL") == []


def test_somebody_the_backup_does_not_know_is_still_left_in_peace(story: Story) -> None:
    begun(story)
    story.back_up()
    story.scene.person("anna")
    story.scene.engine.opt_out("anna", evidence=EVIDENCE)

    story.lose()
    report = story.restored()
    assert report.awaiting == 1
    story.scene.person("anna")  # the product tells everybody again
    with pytest.raises(StartRefused, match="opted out"):
        story.scene.start("anna", "two")

    assert story.steps("anna") == []
    assert [one.granted for one in story.scene.engine.preferences("anna").states if one.channel == "*"] == [
        False
    ]


def test_the_same_address_under_another_key_is_left_in_peace_on_that_channel(story: Story) -> None:
    begun(story, "bob")
    story.scene.drain()
    story.scene.execute("UPDATE contact_points SET address = 'shared@shop.example' WHERE channel = 'email'")
    story.back_up()
    story.scene.person("anna", email="shared@shop.example")
    story.scene.engine.opt_out("anna", evidence=EVIDENCE)

    story.lose()
    story.restored()

    said = story.scene.engine.preferences("bob").states
    assert ("email", False) in [(one.channel, one.granted) for one in said]
    assert ("*", False) not in [(one.channel, one.granted) for one in said]


# --- without a whole log --------------------------------------------------------------------------------------------


def test_promotion_is_held_while_withdrawals_may_be_missing(story: Story) -> None:
    begun(story, "anna")
    story.scene.drain()
    story.back_up()
    story.scene.let_pass(hours=6)

    story.lose()
    report = story.restored(log=None)
    story.scene.let_pass(days=14)

    assert (report.promotion_held, report.log) == (True, "missing")
    assert story.steps("anna") == ["first", "second"]
    held = story.scene.rows("SELECT why FROM verdicts WHERE policy = 'hold'")
    assert any("restored_backup" in one.why for one in held)

    accepted = story.restored(log=None, by="R. Duty")
    story.scene.let_pass(minutes=1)
    assert (accepted.promotion_held, accepted.accepted_by) == (False, "R. Duty")
    assert story.steps("anna") == ["first", "second", "last"]
    assert story.scene.value("SELECT accepted_by FROM restores ORDER BY id DESC LIMIT 1") == "R. Duty"


def test_a_log_that_is_not_whole_is_as_good_as_none(story: Story) -> None:
    begun(story, "anna")
    story.back_up()
    for _ in range(3):
        story.scene.skip(hours=2)
        mark(story.scene)
    whole = read_log([story.log])
    story.lose()

    for spoil, told in (("late", "begins at"), ("hole", "in no file"), ("unlogged", "waited to be written")):
        report = story.restored(log=spoiled(whole, spoil))
        assert (report.promotion_held, report.log) == (True, "incomplete"), spoil
        assert told in report.problems[0]
    assert not story.restored(log=whole).promotion_held


def test_notices_that_are_no_promotion_go_on_meanwhile(story: Story) -> None:
    scene = story.scene
    scene.publish_playbooks(one_message("notice").replace("topic: upsell", "topic: service"))
    scene.engine.sweep()
    scene.person("anna")
    story.back_up()
    story.lose()
    assert story.restored(log=None).promotion_held

    story.scene.start("anna", "notice")
    story.scene.drain()

    assert story.steps("anna") == ["say"]


def spoiled(log: LogContents, how: str) -> LogContents:
    marks = list(log.marks)
    match how:
        case "late":
            kept = marks[-1:]
        case "hole":
            kept = [*marks[:-2], marks[-1]]
        case _:
            last = marks[-1]
            kept = [*marks[:-1], type(last)(number=last.number, at=last.at, unlogged=2)]
    return LogContents(withdrawals=log.withdrawals, marks=kept, files=log.files)


def mark(scene: Scene) -> None:
    """The minute is over."""
    scene.engine.services.store.log_keeper._next_mark = 0.0  # type: ignore[attr-defined]
    scene.engine.sweep()


# --- found by itself ------------------------------------------------------------------------------------------------


def test_a_database_that_was_put_back_is_found_and_nothing_moves(story: Story) -> None:
    begun(story, "anna")
    story.back_up()
    story.scene.drain()
    mark(story.scene)

    story.lose()
    story.scene.drain()
    story.scene.engine.sweep()

    assert story.twice() == []
    ready = story.scene.engine.reports.readiness()
    assert ready.work == "restored from a backup: nothing moves; run: orchestrator restored"
    assert ready.serves  # people can still opt out
    found = story.scene.engine.reports.restore()
    assert found is not None
    assert found.since is not None
    assert found.since <= story.backed_up_at

    assert not story.restored().promotion_held
    assert not story.scene.engine.reports.readiness().work.startswith("restored")
    story.scene.let_pass(days=14)
    assert story.twice() == []
    assert "last" in story.steps("anna")


def test_a_database_that_was_not_put_back_works_on(story: Story) -> None:
    begun(story, "anna")
    mark(story.scene)
    story.back_up()  # the processes are started anew
    story.scene.drain()

    assert story.steps("anna") == ["first"]


# --- taken up where it was left -------------------------------------------------------------------------------------


def test_a_command_that_was_killed_half_way_goes_on_where_it_was(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.service.operations.lost_sends.CUSTOMERS_AT_ONCE", 1)
    begun(story, "anna", "bob", "carl")
    story.back_up()
    story.scene.drain()
    story.lose()
    ids = story.scene.rows("SELECT last_value FROM message_ids")[0].last_value

    def killed(_part: str, done: int, _total: int, /) -> None:
        if done == 2:
            raise KeyboardInterrupt

    request = RestoreRequest(since=story.backed_up_at, log=read_log([story.log]))
    with pytest.raises(KeyboardInterrupt):
        make_restored_safe(story.scene.engine, request, killed)
    story.scene.drain()  # nothing moves
    assert story.twice() == []
    moved = story.scene.rows("SELECT last_value FROM message_ids")[0].last_value
    seen: list[int] = []
    report = make_restored_safe(story.scene.engine, request, lambda _part, done, _total, /: seen.append(done))
    again = story.scene.rows("SELECT last_value FROM message_ids")[0].last_value

    assert moved > ids + 1_000_000
    assert again - moved < 1_000_000
    assert report.uncertain == 3
    story.scene.let_pass(days=1)
    assert story.twice() == []


def click(scene: Scene, customer_id: int, message_id: int) -> None:
    scene.engine.respond(
        public_id(MESSAGE, customer_id, message_id), "clicked", source_id=f"click {message_id}"
    )
