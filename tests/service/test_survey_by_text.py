"""A survey by SMS: its number or its words are the answer, anything else is a reply, and STOP comes first."""

from __future__ import annotations

from itertools import count

import pytest

from channels.base import Receipt, ReceiptKind, SendStatus
from channels.optout_keywords.classify import Meant, classify
from tests.support.engine import Scene, playbook

_WORDS = {Meant.STOP: ReceiptKind.OPTED_OUT, Meant.START: ReceiptKind.OPTED_IN, Meant.HELP: ReceiptKind.HELP}
_ids = count(1)
ENDS = "".join(f"  {name}: {{end: {name}}}\n" for name in ("cheap", "sales", "later", "talk", "nothing"))
SURVEY = playbook(
    "survey",
    """\
  why:
    ask:
      channel: sms
      question: What stopped you
      answers: {price: Too expensive, boss: I need an approval, later: Not now}
    wait: 1d
    then: {answered: {price: cheap, boss: sales, else: later}, replied: talk, no_response: nothing}
"""
    + ENDS,
)
SCALE = playbook(
    "scale",
    """\
  nps:
    ask: {channel: sms, question: How likely are you to stay, scale: 0-10}
    wait: 1d
    then: {answered: {0-6: sales, 7-10: later}, replied: talk, no_response: nothing}
"""
    + ENDS.replace("  cheap: {end: cheap}\n", ""),
)


def writes(scene: Scene, text: str) -> None:
    """Anna writes back to the number that asked her."""
    phone = scene.value("SELECT address FROM contact_points WHERE channel = 'sms'")
    outcome = _WORDS.get(classify(text).meant, ReceiptKind.REPLIED)
    receipt = Receipt(
        source="twilio",
        source_id=f"SM{next(_ids)}",
        kind=outcome,
        occurred_at=scene.clock.now,
        address=phone,
        channel="sms",
        text=text,
    )
    scene.engine.receive([receipt])
    scene.drain()


def ask(scene: Scene, survey: str) -> None:
    scene.publish_playbooks(survey)
    scene.person()
    scene.start("anna", survey.split("\n", 1)[0].removeprefix("playbook: "))
    scene.drain()
    assert len(scene.given) == 1


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("1", "cheap"),
        (" 2. ", "sales"),
        ("3)", "later"),
        ("too expensive", "cheap"),
        ("BOSS", "sales"),
        ("Not now!", "later"),
        ("4", "talk"),
        ("0", "talk"),
        ("2 or 3, I am not sure", "talk"),
        ("²", "talk"),
    ],
)
def test_a_number_or_the_words_answer_and_all_else_is_a_reply(scene: Scene, text: str, end: str) -> None:
    ask(scene, SURVEY)
    writes(scene, text)
    assert scene.path("anna")[-1] == end


@pytest.mark.parametrize(("text", "end"), [("0", "sales"), ("6", "sales"), ("10", "later"), ("11", "talk")])
def test_a_scale_takes_its_own_numbers(scene: Scene, text: str, end: str) -> None:
    ask(scene, SCALE)
    writes(scene, text)
    assert scene.path("anna")[-1] == end
    if end != "talk":
        assert scene.value("SELECT state->'answers'->>'nps' FROM enrollments") == text


def test_it_may_be_answered_in_any_language_of_the_playbook(scene: Scene) -> None:
    scene.publish_playbooks(SURVEY)
    scene.execute("""UPDATE playbooks SET texts = '{"de": {"Too expensive": "Zu teuer"}}'""")
    scene.person()
    scene.start("anna", "survey")
    scene.drain()
    writes(scene, "zu teuer")
    assert scene.path("anna")[-1] == "cheap"


def test_stop_comes_first(scene: Scene) -> None:
    ask(scene, SURVEY)
    writes(scene, "STOP")
    assert "answered" not in scene.value("SELECT responses FROM messages")
    assert scene.value("SELECT count(*) FROM consent_ledger WHERE action = 'revoked'") == 1


def test_a_text_that_was_read_is_kept_nowhere(scene: Scene) -> None:
    ask(scene, SURVEY)
    writes(scene, "my secret words")
    assert "secret" not in str(scene.engine.export("anna"))


def test_a_reply_to_a_message_that_asked_nothing_stays_a_reply(scene: Scene) -> None:
    steps = "  say: {send: {channel: sms, template: note}, wait: 1d, then: {replied: talk, no_response: nothing}}\n"
    plain = playbook("plain", steps + "  talk: {end: talk}\n  nothing: {end: nothing}\n")
    ask(scene, plain)
    writes(scene, "1")
    assert scene.path("anna")[-1] == "talk"


@pytest.mark.parametrize("text", ["STOP", "talk to me"])
def test_a_text_that_names_no_message_is_no_proof_that_the_last_one_arrived(scene: Scene, text: str) -> None:
    """Nobody knows whether the survey left; the text may answer anything that came before."""
    scene.publish_playbooks(SURVEY)
    scene.person()
    scene.provider_fails("sms", SendStatus.UNCERTAIN)
    scene.start("anna", "survey")
    scene.drain()
    writes(scene, text)
    row = scene.rows("SELECT status, provider_id FROM messages")[0]
    assert (row.status, row.provider_id) == ("uncertain", None)
    assert scene.value("SELECT count(*) FROM receipts WHERE source_id LIKE 'twilio:%'") == 1
