"""A process may die before or after any commit and at any hand-over: the end is the end of an undisturbed run.

Only messages on the wire may differ: they become uncertain and are never sent again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from channels.base import OutboundMessage, ReceiptKind
from orchestrator.errors import Unavailable
from orchestrator.records.intake import Track
from orchestrator.service.ports import Transaction
from tests.support.effort import sample
from tests.support.engine import EVIDENCE, Scene, open_scene, playbook
from tests.support.postgres import Databases

STORY = playbook(
    "story",
    """\
  modal: {send: {channel: in_app, template: note}, wait: 12h, then: {clicked: end, dismissed: mail, no_response: mail}}
  mail:  {send: {channel: email, template: note}, wait: 1d, then: {clicked: end, not_sent: text, no_response: text}}
  text:  {send: {channel: sms, template: note}, wait: 1d, then: end}
  end:   {end: finished}
""",
    more="enter: {when: limit_reached, because: x, reentry: {after: 90d}}\n",
)
PEOPLE = ("anna", "bea", "cleo")


class Killed(BaseException):
    """The process is gone: nothing of it goes on, and nobody catches this."""


@dataclass(kw_only=True)
class Dying:
    """A store whose ``at``-th commit is the last thing its process tries."""

    inner: Any
    at: int = 0
    after: bool = False
    commits: int = 0

    @contextmanager
    def _begin(self) -> Iterator[Transaction]:
        with self.inner.begin() as transaction:
            yield transaction
            mine = self._counted()
        if mine:
            raise Killed

    def _counted(self) -> bool:
        """Whether the last commit begins here; it may die before it is made."""
        self.commits += 1
        mine = self.commits == self.at
        if mine and not self.after:
            raise Killed
        return mine

    def attempt(self, *given: Any, **more: Any) -> None:
        mine = self._counted()
        self.inner.attempt(*given, **more)
        if mine:
            raise Killed

    def begin(self) -> AbstractContextManager[Transaction]:
        return self._begin()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def dying(scene: Scene) -> Dying:
    """Let this scene's engine work on a store that can die."""
    store = Dying(inner=scene.engine.services.store)
    scene.engine.services = replace(scene.engine.services, store=store)
    scene.engine.delivery = replace(scene.engine.delivery, services=scene.engine.services)
    return store


def once_more(deed: Callable[[], Any]) -> None:
    """What a caller does whose call was cut off: she repeats it."""
    try:
        deed()
    except Killed:
        deed()


def play(scene: Scene) -> None:
    """Three people, three ways; every call of theirs carries its own id, as a product's must."""
    engine = scene.engine
    for key in PEOPLE:
        limit = Track(key=key, event="limit_reached", source_id=f"{key} 1")
        once_more(partial(engine.track, [limit]))
    recovering(scene, timedelta(hours=1))
    once_more(lambda: scene.respond("anna", "dismissed", step="modal"))
    recovering(scene, timedelta(hours=20))
    once_more(lambda: engine.opt_out("bea", channel="email", evidence=EVIDENCE, source_id="bea leaves"))
    recovering(scene, timedelta(days=1))
    if any(step == "mail" for step, _, _ in scene.messages("cleo")):
        once_more(lambda: scene.provider_reports("cleo", ReceiptKind.OPENED, step="mail", source_id="opened"))
    recovering(scene, timedelta(days=10))


def recovering(scene: Scene, span: timedelta) -> None:
    """Let time pass; whoever dies is started again."""
    end = scene.clock.now + span
    for _ in range(5):
        try:
            scene.let_pass(end - scene.clock.now)
        except Killed:
            continue
        return
    pytest.fail("it died again and again")


def ends(scene: Scene) -> dict[str, Any]:
    """What must be the same in the end: the ways people went, what they were sent, what was counted."""
    paths = {key: scene.path(key) for key in PEOPLE}
    messages = {
        key: [
            (step, channel, "spoken" if status in ("sent", "uncertain", "abandoned") else status)
            for step, channel, status in scene.messages(key)
        ]
        for key in PEOPLE
    }
    tables = ("timers", "dispatch", "inbox", "parked", "signals", "cap_slots", "enrollments", "refusals")
    counts = {table: scene.value(f"SELECT count(*) FROM {table}") for table in tables}
    ledger = scene.value("SELECT count(*) FROM consent_ledger")
    return {"paths": paths, "messages": messages, "counts": counts, "ledger": ledger}


def told(scene: Scene) -> Scene:
    scene.publish_playbooks(STORY, policy="caps:\n  - {at_most: 2, within: 7d}\nrests: {ignored: 1h}\n")
    for key in PEOPLE:
        scene.person(key)
    return scene


def undisturbed(databases: Databases, folder: Path) -> tuple[dict[str, Any], int, int]:
    with databases.empty() as url:
        scene = told(open_scene(url, folder))
        store = dying(scene)
        play(scene)
        commits = store.commits
        found = ends(scene)
        assert scene.violations() == []
        scene.engine.close()
        return found, commits, len(scene.given)


def disturbed(databases: Databases, folder: Path, disturb: Callable[[Scene, Dying], None]) -> dict[str, Any]:
    with databases.empty() as url:
        scene = told(open_scene(url, folder))
        store = dying(scene)
        disturb(scene, store)
        play(scene)
        store.at = 0
        found = ends(scene)
        assert scene.violations() == []
        handed = Counter(one.message_id for one in scene.given)
        assert set(handed.values()) <= {1}, "something was handed over twice"
        scene.engine.close()
        return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_death_at_any_commit_changes_nothing(databases: Databases, tmp_path: Path, after: bool) -> None:
    expected, commits, _ = undisturbed(databases, tmp_path / "calm")
    assert expected["paths"]["anna"][-1] == "finished"
    for number in sample(range(1, commits + 1), 8):

        def dies(_: Scene, store: Dying, number: int = number) -> None:
            store.at, store.after = number, after

        assert disturbed(databases, tmp_path / f"{number}", dies) == expected, f"commit {number} of {commits}"


@pytest.mark.timeout(600)
def test_a_death_at_any_hand_over_changes_nothing(databases: Databases, tmp_path: Path) -> None:
    expected, _, hand_overs = undisturbed(databases, tmp_path / "calm")
    assert hand_overs >= 6
    for number in sample(range(1, hand_overs + 1), 3):

        def dies(scene: Scene, _: Dying, number: int = number) -> None:
            def before(message: OutboundMessage) -> None:
                if len(scene.given) == number:
                    raise Killed

            for channel in scene.outbox.channels.values():
                channel.before = before

        assert disturbed(databases, tmp_path / f"{number}", dies) == expected, f"hand-over {number}"


def test_a_commit_whose_answer_is_lost_may_be_repeated(scene: Scene) -> None:
    """The caller sees an error although it was done: repeating does it no second time."""
    told(scene)
    store = dying(scene)
    store.after = True
    for deed in (
        lambda: scene.start("anna", "story", key="k"),
        lambda: scene.engine.opt_out("bea", evidence=EVIDENCE, source_id="once"),
        lambda: scene.engine.track([Track(key="cleo", event="limit_reached", source_id="once")]),
    ):
        for number in (1, 2, 3):
            store.commits, store.at = 0, number
            once_more(deed)
    store.at = 0
    scene.drain()
    assert scene.value("SELECT count(*) FROM enrollments") == 2
    assert scene.value("SELECT count(*) FROM consent_ledger WHERE action = 'revoked'") == 1
    assert scene.value("SELECT count(*) FROM signals WHERE name = 'limit_reached'") == 1


def test_an_outage_is_told_and_parks_nobody(scene: Scene) -> None:
    told(scene)
    scene.start("anna", "story")
    scene.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '57P03'; END $$"
    )
    scene.execute("CREATE TRIGGER fail BEFORE UPDATE ON messages EXECUTE FUNCTION fail()")
    with pytest.raises(Unavailable):
        scene.engine.deliver()
    scene.execute("DROP TRIGGER fail ON messages")
    assert scene.value("SELECT count(*) FROM parked") == 0
    scene.drain()
    assert scene.spoken() == [("anna", "in_app")]
