"""Why was it sent, why was it not: the page, ``explain``, the API and the export give one answer.

One customer lives through everything that can happen to a message, with the real engine on a clock that is moved by
hand. Then each door is asked about each message, and all must say the same: status, guardrail, words, channel, times.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.base import ReceiptKind
from orchestrator.errors import StartRefused
from orchestrator.records.intake import Identify, Track
from orchestrator.settings import Settings
from tests.acceptance.cli import Ran, run
from tests.support.engine import EVIDENCE, TEMPLATES, Scene, one_message, open_scene, playbook, real_engine
from tests.support.services import free_port
from tests.web.served import KEY, Web, serving

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

POLICY = """
rests: {ignored: 1h}
caps:
  - {at_most: 1, within: 90d, channel: sms}
quiet_hours:
  email: {from: "20:00", until: "08:00"}
holds:
  open_ticket: {title: an open ticket, opened_by: ticket_opened, closed_by: ticket_closed}
"""
DIVIDED = "{{ 1 // (seats | default(0)) }}"  # nothing wrong with it for who has seats
PLAYBOOKS = {
    "plain": one_message("plain", wait="1h"),
    "night": one_message("night", wait="1h"),
    "patient": one_message("patient", wait="1h", patience="9d"),
    "impatient": one_message("impatient", wait="1h", patience="2d"),
    "old_news": one_message("old_news", wait="1h", patience="9d", stale_after="1d"),
    "resting": playbook(
        "resting",
        "  first: {wait: 1h, then: say}\n"
        "  say:  {send: {channel: email, template: note}, wait: 1h, then: done}\n"
        "  done: {end: finished}\n",
    ),
    "rester": playbook("rester", "  rest: {cooldown: 2d, then: done}\n  done: {end: finished}\n"),
    "text": one_message("text", "sms", wait="1h"),
    "capped": one_message("capped", "sms", wait="1h", patience="1d"),
    "skipped": one_message("skipped", "sms", wait="1h", when_capped="skip"),
    "instead": one_message("instead", "sms", wait="1h", when_capped="{fallback: in_app}"),
    "agreed": one_message("agreed", "[whatsapp, email]", wait="1h"),
    "no_consent": one_message("no_consent", "whatsapp", wait="1h"),
    "compared": one_message("compared", wait="1h", more="holdout: 100%\n"),
    "lost": one_message("lost", wait="1h"),
    "proved": one_message("proved", wait="1h"),
    "refused": one_message("refused", wait="1h"),
    "later": one_message("later", wait="1h"),
    "unwritten": one_message("unwritten", wait="1h").replace("template: note", "template: broken"),
    "bought": one_message("bought", wait="1h", more="goal: {event: plan_upgraded, within: 30d}\n"),
    "given_way": one_message("given_way", wait="1h"),
    "settled": one_message("settled", wait="1h", more="leave: {seats: {at_least: 100}}\n"),
    "left": playbook(
        "left",
        "  say:  {send: {channel: email, template: note}, wait: 1h, then: {limit_reached: done, no_response: done}}\n"
        "  done: {end: finished}\n",
    ),
    "two_ways": playbook(
        "two_ways",
        "  say:  {send: {channel: email, template: note}, wait: 1h, then: chat}\n"
        "  chat: {send: {channel: chat, template: note}, wait: 1h, then: done}\n"
        "  done: {end: finished}\n",
        topic="cross_sell",
    ),
    "card": one_message("card", "in_app", wait="2d").replace("topic: upsell", "topic: cross_sell"),
    "stopped": one_message("stopped", wait="1h").replace("topic: upsell", "topic: cross_sell"),
    "absent": one_message("absent", "in_app", wait="1h"),
    "entered_by": one_message(
        "entered_by",
        wait="1h",
        more="enter: {when: limit_reached, if: {seats: {more_than: 500}, because: many}, reentry: {after: 1h}}\n",
    ),
    "once": one_message("once", wait="1h", more="enter: {because: hello, reentry: never}\n"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What must be said about one message: ``playbook/step``, and parts of the sentence."""

    status: str
    channel: str
    policy: str | None
    why: tuple[str, ...]


SENT = ("sent: every policy allows it",)
EXPECTED = {
    "plain/say": Told(status="sent", channel="email", policy=None, why=SENT),
    "night/say": Told(
        status="sent", channel="email", policy=None,
        why=("sent: every policy allows it; before that it waited: quiet hours for email in UTC until 2026-03-17",),
    ),
    "patient/say": Told(
        status="sent", channel="email", policy=None,
        why=(
            "before that it waited: no pitch now, because of open_ticket; on hold until it closes",
            "asked 5 times, first at 2026-03-05 10:00 UTC, last at 2026-03-09 10:00 UTC",
        ),
    ),
    "impatient/say": Told(
        status="not_sent", channel="email", policy="hold",
        why=("its patience was over at 2026-03-07 10:00 UTC", "because of open_ticket",
             "asked 2 times, first at 2026-03-05 10:00 UTC, last at 2026-03-06 10:00 UTC"),
    ),
    "old_news/say": Told(status="not_sent", channel="email", policy="stale", why=("planned more than 1d ago",)),
    "resting/say": Told(
        status="sent", channel="email", policy=None,
        why=("before that it waited: the customer rests from everything promotional until", "(cooldown of rester)"),
    ),
    "text/say": Told(status="sent", channel="sms", policy=None, why=SENT),
    "capped/say": Told(
        status="not_sent", channel="sms", policy="frequency_cap",
        why=("its patience was over", "the cap of 1 message by sms in 90d is full"),
    ),
    "skipped/say": Told(
        status="not_sent", channel="sms", policy="frequency_cap", why=("not sent: the cap of 1 message by sms",)
    ),
    "instead/say": Told(
        status="sent", channel="in_app", policy=None, why=("sent: every policy", "not by sms: the cap of 1 message")
    ),
    "agreed/say": Told(
        status="sent", channel="email", policy=None, why=("sent:", "not by whatsapp: whatsapp needs the customer's")
    ),
    "no_consent/say": Told(
        status="not_sent", channel="whatsapp", policy="consent", why=("not sent: whatsapp needs the customer's",)
    ),
    "compared/say": Told(
        status="held_out", channel="email", policy="held_out", why=("not sent, on purpose: the customer is in the",)
    ),
    "lost/say": Told(
        status="abandoned", channel="email", policy=None,
        why=("perhaps sent: the provider never said", "it is not sent again"),
    ),
    "proved/say": Told(
        status="sent", channel="email", policy=None, why=("did not answer at first, and then reported 'delivered'",)
    ),
    "refused/say": Told(
        status="refused", channel="email", policy=None, why=("not sent: sandbox refused it", "550")
    ),
    "later/say": Told(status="sent", channel="email", policy=None, why=SENT),
    "unwritten/say": Told(
        status="refused", channel="email", policy=None, why=("not sent: it could not be written, and sandbox was not",)
    ),
    "bought/say": Told(
        status="withdrawn", channel="email", policy="goal_met", why=("the customer already did what the playbook is",)
    ),
    "given_way/say": Told(
        status="withdrawn", channel="email", policy=None, why=("not sent: the customer took the offer of bought",)
    ),
    "settled/say": Told(
        status="withdrawn", channel="email", policy="reason_gone", why=("not sent: the reason to speak is gone",)
    ),
    "left/say": Told(
        status="withdrawn", channel="email", policy=None, why=("not sent: the step was left by limit_reached",)
    ),
    "two_ways/say": Told(
        status="not_sent", channel="email", policy="opted_out", why=("opted out of the topic cross_sell by email",)
    ),
    "two_ways/chat": Told(status="sent", channel="chat", policy=None, why=SENT),
    "card/say": Told(
        status="sent", channel="in_app", policy="opted_out",
        why=("sent: every policy allows it; taken out of the feed before it was seen: the customer opted out",),
    ),
    "stopped/say": Told(
        status="withdrawn", channel="email", policy="opted_out", why=("not sent: the customer opted out",)
    ),
    "absent/say": Told(
        status="not_sent", channel="in_app", policy="reachable", why=("not sent: the customer was last seen in the",)
    ),
    "once/say": Told(status="sent", channel="email", policy=None, why=SENT),
}  # fmt: skip
REFUSED = {
    ("resting", "cooldown"): "the customer rests until",
    ("once", "reentry"): "a run was had before, and only one is allowed ever",
    ("plain", "already_live"): "a run of 'plain' is under way",
    ("stopped", "opted_out"): "the customer opted out of 'cross_sell' on every channel of it",
    (
        "entered_by",
        "condition",
    ): "signal 'limit_reached' did not start 'entered_by': its condition did not hold",
}


def until(scene: Scene, hour: int, *, days: int = 0) -> None:
    """Let time pass to the next such hour, ``days`` later."""
    now = scene.clock.now
    ahead = now.replace(hour=hour, minute=0) + timedelta(days=days)
    scene.let_pass((ahead if ahead > now else ahead + DAY) - now)


def signal(scene: Scene, name: str) -> None:
    scene.engine.track([Track(key="anna", event=name)])
    scene.drain()


def refuses(scene: Scene, name: str, reason: str) -> None:
    with pytest.raises(StartRefused) as refused:
        scene.start("anna", name)
    assert refused.value.reason == reason


def live(scene: Scene) -> None:
    """Everything that can happen to a message happens to anna."""
    scene.person()
    until(scene, 10)
    for name in ("plain", "text", "agreed", "no_consent", "compared", "once"):
        scene.start("anna", name)
    for _ in range(3):
        scene.drain()
        refuses(scene, "plain", "already_live")
    scene.let_pass(3 * HOUR)
    refuses(scene, "once", "reentry")
    for name in ("capped", "skipped", "instead"):
        scene.start("anna", name)
    scene.drain()

    until(scene, 10)  # the next morning: a ticket opens, and stays open for four days
    signal(scene, "ticket_opened")
    for name in ("patient", "impatient", "old_news"):
        scene.start("anna", name)
    until(scene, 10, days=4)
    signal(scene, "ticket_closed")
    scene.let_pass(3 * HOUR)

    scene.start("anna", "resting")
    scene.start("anna", "rester")
    scene.let_pass(3 * HOUR)
    refuses(scene, "resting", "already_live")
    until(scene, 10, days=3)
    scene.start("anna", "rester")
    refuses(scene, "resting", "cooldown")
    until(scene, 10, days=3)

    results: dict[str, tuple[str, dict[str, Any]]] = {
        "lost": ("uncertain", {"times": 1}),
        "proved": ("uncertain", {"times": 1}),
        "refused": ("refused", {"code": "550", "times": 1}),
        "later": ("try_again", {"code": "429", "times": 2}),
    }
    for name, (result, rule) in results.items():
        scene.provider_fails("email", result, **rule)
        scene.start("anna", name)
        scene.drain()
        if name == "proved":
            scene.provider_reports("anna", ReceiptKind.DELIVERED, step="say")
        scene.let_pass(3 * HOUR)
        scene.provider_heals("email")
    until(scene, 10)
    scene.start("anna", "unwritten")
    scene.let_pass(3 * HOUR)

    until(scene, 21)  # at night nothing goes out by mail: time for something to come between
    for name in ("night", "settled", "left"):
        scene.start("anna", name)
    scene.drain()
    for _ in range(3):
        signal(scene, "limit_reached")
    scene.engine.identify([Identify(key="anna", traits={"seats": 120})])
    until(scene, 10)
    until(scene, 21)
    scene.start("anna", "bought")
    scene.start("anna", "given_way")
    scene.drain()
    signal(scene, "plan_upgraded")
    until(scene, 10)

    signal(scene, "session_started")
    scene.start("anna", "card")
    scene.drain()
    scene.opted_out("anna", channel="in_app", topic="cross_sell")
    scene.opted_out("anna", channel="email", topic="cross_sell")
    scene.start("anna", "two_ways")
    scene.let_pass(3 * HOUR)
    scene.engine.opt_in("anna", channel="email", topic="cross_sell", evidence=EVIDENCE)
    until(scene, 21)
    scene.start("anna", "stopped")
    scene.drain()
    scene.opted_out("anna", topic="cross_sell")
    refuses(scene, "stopped", "opted_out")

    until(scene, 10, days=20)
    scene.start("anna", "absent")
    scene.let_pass(3 * HOUR)


@pytest.fixture
def web(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Anna's history, and the doors to it."""
    more = {
        "note.whatsapp.txt": TEMPLATES["note.sms.txt"],
        "broken.email.txt": TEMPLATES["note.email.txt"] + DIVIDED,
    }
    monkeypatch.setattr("tests.support.engine.TEMPLATES", TEMPLATES | more)
    scene = open_scene(database_url, tmp_path / "playbooks")
    scene.publish_playbooks(*PLAYBOOKS.values(), policy=POLICY)
    live(scene)
    assert scene.violations() == []
    scene.engine.close()
    settings = Settings(
        env="test", port=free_port(), database_url=database_url, data_dir=tmp_path / "data",
        api_keys=f"shop:{KEY}:product+read", secret_keys="s" * 40,
    )  # fmt: skip
    engine = real_engine(database_url)
    with serving(engine, settings) as served:
        yield served
    engine.close()


def plain(value: Any) -> Any:
    """JSON as any door gives it: instants as instants, and nothing where nothing is known."""
    match value:
        case dict():
            return {name: plain(part) for name, part in value.items() if part not in (None, {})}
        case list():
            return [plain(part) for part in value]
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", value):
            return datetime.fromisoformat(value)
        case _:
            return value


def text_of(markup: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", markup))).strip()


def minute(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M")


def test_every_door_tells_the_same_story(web: Web, database_url: str) -> None:
    def shell(*arguments: str) -> Ran:
        done = run(*arguments, database_url=database_url)
        assert done.code == 0, done.err
        return done

    answer = web.client.get("/v1/customers/anna/timeline?limit=5000", headers=web.key).json()
    api = plain(answer)
    explained = plain(shell("explain", "anna", "--json").json)
    printed = shell("explain", "anna").out.splitlines()
    exports = [
        plain(shell("customer", "export", "anna").json),
        plain(web.client.get("/v1/customers/anna/export", headers=web.key).json()),
    ]
    with web.login() as browser:
        page = browser.get("/customers/anna").text

    # Every message is told, and told rightly.
    stories = {f"{one['playbook']}/{one['step']}": one for one in api["explanations"]}
    assert stories.keys() == EXPECTED.keys()
    for name, told in EXPECTED.items():
        one = stories[name]
        assert (one["status"], one["channel"], one.get("policy")) == (
            told.status,
            told.channel,
            told.policy,
        ), one
        for part in told.why:
            assert part in one["why"], one

    # Where the message stood in the timeline, what became of it stands too.
    for one in api["explanations"]:
        if not one["why"].startswith("sent") or "taken out of the feed" in one["why"]:
            ends = [entry for entry in api["entries"] if entry["words"].endswith(f": {one['why']}")]
            assert [entry["at"] for entry in ends if entry["message_id"] == one["message_id"]] == [
                one["at"]
            ], one

    # All that machines read is equal, word by word and instant by instant.
    assert explained["explanations"] == api["explanations"]
    assert explained["timeline"] == api["entries"]
    for exported in exports:
        assert exported["explanations"] == api["explanations"]
        assert exported["timeline"] == api["entries"]

    # All that people read says the same, message by message ...
    rows = {
        found[1]: text_of(found[2])
        for found in re.finditer(r'<tr id="(m_[\w-]+)">(.*?)</tr>', page, re.DOTALL)
    }
    assert rows.keys() == {one["message_id"] for one in api["explanations"]}
    for one in api["explanations"]:
        facts = [
            one["playbook"],
            one["step"],
            one["channel"],
            one["status"].replace("_", " "),
            minute(one["planned_at"]),
        ]
        (line,) = [line for line in printed if f" {one['playbook']}/{one['step']} " in line]
        row = rows[one["message_id"]]
        for fact in (*facts, one["why"]):
            assert fact in line, line
            assert fact in row, row
        assert minute(one["at"]) in row
        for given in one["answers"]:
            assert f"{given['verdict'].replace('_', ' ')} by {given['policy']} on {given['channel']}" in row
            assert given["why"] in row
            assert given["last_at"].strftime("%F %T") in row
            if given["count"] > 1:
                assert f"{given['count']} times, {given['first_at']:%F %T} to" in row
    # ... and entry by entry.
    entries = re.findall(
        r'<li class="entry [^"]*">\s*<time datetime="([^"]+)">.*?<div><p>(.*?)</p>', page, re.DOTALL
    )
    told = [(entry["at"], entry["words"]) for entry in api["entries"]]
    assert [(datetime.fromisoformat(at), html.unescape(words)) for at, words in reversed(entries)] == told
    assert [line for line in printed if re.match(r"2026-\d\d-\d\d \d\d:\d\d +[a-z]+ ", line)][: len(told)]
    for at, words in told:
        assert any(line.startswith(minute(at)) and words in line for line in printed), words


def test_what_was_asked_often_is_told_once_with_its_count(web: Web) -> None:
    answer = plain(web.client.get("/v1/customers/anna/timeline?limit=5000", headers=web.key).json())
    stories = {one["playbook"]: one for one in answer["explanations"]}
    deferred = [one for one in stories["patient"]["answers"] if one["verdict"] == "defer"]
    assert [(one["policy"], one["count"]) for one in deferred] == [("hold", 1), ("hold", 4)], (
        "at the planning, then day by day"
    )
    assert deferred[1]["last_at"] - deferred[1]["first_at"] == 3 * DAY
    assert deferred[1]["until"] == deferred[1]["last_at"] + DAY
    _, entry = [
        one for one in answer["entries"] if one["kind"] == "verdict" and "on hold until it closes" in one["words"]
        and one["playbook"] == "patient"
    ]  # fmt: skip
    assert "(asked at the hand-over, 4 times, last at 2026-03-09 10:00 UTC)" in entry["words"]


def test_what_was_never_begun_is_told_too(web: Web, database_url: str) -> None:
    """Refused starts, and signals that could have started something and did not."""
    answer = plain(web.client.get("/v1/customers/anna/timeline?limit=5000", headers=web.key).json())
    found = {
        (one["playbook"], one["data"]["reason"]): one for one in answer["entries"] if one["kind"] == "refusal"
    }
    assert found.keys() >= REFUSED.keys()
    printed = run("explain", "anna", database_url=database_url).out
    with web.login() as browser:
        page = text_of(browser.get("/customers/anna?kind=refusal").text)
    for key, words in REFUSED.items():
        said = found[key]["words"]
        assert words in said
        assert said in printed
        assert said in page
    for key in (("plain", "already_live"), ("entered_by", "condition")):
        one = found[key]
        assert one["data"]["count"] == 3
        assert one["data"]["first_at"] <= one["data"]["last_at"]
        assert "asked 3 times, last at" in one["words"]
    only = run("explain", "anna", "--playbook", "entered_by", "--json", database_url=database_url).json
    assert [one["data"]["reason"] for one in only["timeline"]] == ["condition"]
