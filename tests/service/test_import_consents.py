"""What stands in the consent ledger, what is imported into it, and when consent ends by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.records.consent import ConsentBasis, ConsentEvidence, ConsentFact, ConsentInForce
from tests.support.engine import Scene, one_message

FORM = ConsentEvidence(
    method="web_form",
    source="https://shop.example/newsletter",
    wording="Send me offers by email",
    wording_locale="en",
    wording_version="form-7",
    details={"user_agent": "Firefox"},
)


def fact(scene: Scene, key: str = "anna", action: Any = "granted", **more: Any) -> ConsentFact:
    evidence = replace(FORM, **more.pop("evidence", {}))
    given: dict[str, Any] = {
        "occurred_at": scene.clock.now - timedelta(days=1),
        "channel": "email",
        "topic": "upsell",
    }
    return ConsentFact(key=key, action=action, evidence=evidence, **given | more)


def in_force(
    scene: Scene, channel: str = "email", topic: str = "upsell", key: str = "anna"
) -> ConsentInForce:
    found = scene.engine.consents(key).in_force
    return next(one for one in found if (one.channel, one.topic) == (channel, topic))


def test_a_row_says_who_when_how_and_what_they_were_told(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    scene.person(region="CA-ON")
    scene.engine.opt_in("anna", channel="email", topic="upsell", evidence=FORM)

    [entry] = [one for one in scene.engine.consents("anna").entries if one.channel == "email"]

    assert (entry.action, entry.method, entry.source) == ("granted", "web_form", FORM.source)
    assert (entry.wording, entry.wording_locale, entry.wording_version) == (
        "Send me offers by email",
        "en",
        "form-7",
    )
    assert entry.wording_hash is not None
    assert len(entry.wording_hash) == 64
    assert (entry.sender, entry.jurisdiction, entry.actor) == ("Test Shop", "CA", "customer")
    assert (entry.basis, entry.occurred_at) == ("express", scene.clock.now)
    assert entry.evidence == {"user_agent": "Firefox"}
    assert in_force(scene).entry == entry.id


def test_the_address_is_kept_as_a_hash_that_only_we_can_compare(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    scene.person("anna")
    scene.person("otto", email="anna@shop.example")
    for key in ("anna", "otto"):
        scene.engine.opt_in(key, channel="email", evidence=FORM)

    hashes = {scene.engine.consents(key).entries[-1].address_hash for key in ("anna", "otto")}

    assert len(hashes) == 1
    assert "anna" not in str(hashes)
    assert scene.value("SELECT count(*) FROM consent_ledger WHERE consent_ledger::text LIKE '%@%'") == 0


@pytest.mark.parametrize(
    ("region", "law"), [("DE", "EU"), ("UK", "GB"), ("GB-SCT", "GB"), ("US-CA", "US"), (None, None)]
)
def test_the_law_is_that_of_the_region(scene: Scene, region: str | None, law: str | None) -> None:
    scene.publish_playbooks(one_message("offer"))
    scene.person(**({"region": region} if region else {}))
    scene.opted_out("anna")
    assert scene.engine.consents("anna").entries[-1].jurisdiction == law


# --- consent that ends ----------------------------------------------------------------------------------------------


def test_a_purchase_speaks_for_two_years_and_says_nothing_after_swept_or_not(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    scene.person()
    bought = replace(FORM, basis="implied_purchase")
    scene.engine.opt_in("anna", channel="email", topic="upsell", evidence=bought)
    assert in_force(scene).expires_at == scene.clock.now + timedelta(days=730)

    scene.skip(days=730)
    assert in_force(scene).says == "nothing"

    scene.engine.scan()
    scene.engine.scan()
    assert [one.action for one in scene.engine.consents("anna").entries if one.channel == "email"] == [
        "granted",
        "expired",
    ]
    assert in_force(scene).says == "nothing"


def test_how_long_a_basis_lasts_is_policy(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("offer"), policy="consent: {implied_inquiry: 10d, soft_opt_in: 20d}\n"
    )
    scene.person()
    lasting: dict[ConsentBasis, int] = {"implied_inquiry": 10, "soft_opt_in": 20, "implied_purchase": 730}
    for basis, days in lasting.items():
        scene.engine.opt_in("anna", channel="email", topic="upsell", evidence=replace(FORM, basis=basis))
        ends = scene.engine.consents("anna").entries[-1].expires_at
        assert ends == scene.clock.now + timedelta(days=days)


def test_many_are_swept_in_batches(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    facts = [
        fact(scene, f"c{number}", evidence={"expires_at": scene.clock.now + timedelta(days=1)})
        for number in range(1200)
    ]
    assert scene.engine.import_consents(facts).taken == 1200
    scene.skip(days=1)
    scene.engine.care()
    assert scene.value("SELECT count(*) FROM consent_ledger WHERE action = 'expired'") == 1200
    assert scene.value("SELECT count(*) FROM consents") == 0


def test_who_said_no_and_then_buys_has_still_said_no(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    scene.person()
    scene.opted_out("anna", channel="email")
    scene.skip(days=1)
    scene.engine.opt_in("anna", channel="email", evidence=replace(FORM, basis="implied_purchase"))

    assert in_force(scene).says == "withdrawn"
    scene.engine.opt_in("anna", channel="email", evidence=FORM)
    assert in_force(scene).says == "granted"


# --- import ---------------------------------------------------------------------------------------------------------


def test_imported_consents_count_once_and_keep_their_day(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    facts = [fact(scene, channel="sms"), fact(scene, "new one", "revoked", topic="*", source_id="crm-1")]

    first = scene.engine.import_consents(facts)
    again = scene.engine.import_consents(facts)

    assert (first.taken, first.repeated, first.refused) == (2, 0, ())
    assert (again.taken, again.repeated) == (0, 2)
    assert in_force(scene, "sms").may_speak is True
    assert in_force(scene, "sms").since == scene.clock.now - timedelta(days=1)
    assert in_force(scene, "email", "cross_sell", "new one").says == "withdrawn"


def test_good_facts_are_kept_and_each_bad_one_says_why(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    soon = scene.clock.now + timedelta(days=1)
    bad = [
        fact(scene, ""),
        fact(scene, action="maybe"),
        fact(scene, channel="emial"),
        fact(scene, topic="upsel"),
        fact(scene, occurred_at=soon),
        fact(scene, evidence={"method": "telepathy"}),
        fact(scene, evidence={"basis": "vibes"}),
        fact(scene, evidence={"source": " "}),
        fact(scene, evidence={"expires_at": scene.clock.now - timedelta(days=9)}),
        fact(scene, address="nowhere"),
        fact(scene, evidence={"wording": "\x00"}),
        fact(scene, source_id=""),
    ]
    report = scene.engine.import_consents([*bad, fact(scene)])

    assert report.taken == 1
    assert [one.index for one in report.refused] == list(range(len(bad)))
    assert [one.path for one in report.refused] == [
        "$.key", "$.action", "$.channel", "$.topic", "$.occurred_at", "$.method", "$.basis", "$.source",
        "$.expires_at", "$.address", "$.wording", "$.source_id",
    ]  # fmt: skip
    assert "did you mean 'email'" in report.refused[2].problem


def test_an_imported_no_stops_what_is_planned(scene: Scene) -> None:
    scene.publish_playbooks(
        one_message("offer"), policy='quiet_hours: {email: {from: "11:00", until: "13:00"}}\n'
    )
    scene.person()
    scene.start("anna", "offer")
    scene.drain()
    assert scene.messages() == [("say", "email", "planned")]

    scene.engine.import_consents([fact(scene, action="revoked", channel="*", topic="*")])

    assert scene.messages() == [("say", "email", "withdrawn")]
    scene.let_pass(days=5)
    assert scene.spoken() == []


def test_an_old_no_that_was_taken_back_since_stops_nothing(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    scene.person()
    scene.engine.opt_in("anna", channel="email", topic="upsell", evidence=FORM)
    scene.start("anna", "offer")

    scene.engine.import_consents([fact(scene, action="revoked")])
    scene.drain()

    assert in_force(scene).says == "granted"
    assert scene.spoken() == [("anna", "email")]


def test_facts_about_the_forgotten_are_refused_by_key_and_by_address(scene: Scene) -> None:
    scene.publish_playbooks(one_message("offer"))
    scene.person()
    scene.engine.erase("anna")

    report = scene.engine.import_consents(
        [fact(scene), fact(scene, "new key", address="Anna@Shop.Example"), fact(scene, "otto")]
    )

    assert report.taken == 1
    assert [(one.index, one.path) for one in report.refused] == [(0, "$.key"), (1, "$.address")]
