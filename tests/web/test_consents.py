"""Consents recorded elsewhere come in over HTTP, and the proof of what was said goes out."""

from __future__ import annotations

from tests.web.served import Web

YES = {
    "customer": "anna", "action": "granted", "occurred_at": "2026-01-10T09:00:00Z", "channel": "sms",
    "source": "signup form", "wording": "Yes, text me.", "evidence": {"ip": "192.0.2.7"},
}  # fmt: skip


def test_good_items_are_kept_and_count_once(web: Web, anna: str) -> None:
    future = YES | {"occurred_at": "2999-01-01T00:00:00Z"}
    first = web.client.post("/v1/consents", headers=web.key, json={"consents": [YES, future]}).json()
    again = web.client.post("/v1/consents", headers=web.key, json={"consents": [YES]}).json()

    assert (first["taken"], first["success"]) == (1, False)
    assert [(one["index"], one["path"]) for one in first["refused"]] == [(1, "$.occurred_at")]
    assert (again["taken"], again["repeated"], again["success"]) == (0, 1, True)


def test_the_history_says_who_when_how_and_what_they_were_told(web: Web, anna: str) -> None:
    web.client.post("/v1/consents", headers=web.key, json={"consents": [YES]}).raise_for_status()

    found = web.client.get("/v1/customers/anna/consents", headers=web.key).json()

    [entry] = found["entries"]
    assert (entry["source"], entry["wording"], entry["evidence"]) == (
        "signup form",
        "Yes, text me.",
        {"ip": "192.0.2.7"},
    )
    texts = [one for one in found["in_force"] if one["channel"] == "sms" and one["topic"] != "tracking"]
    assert {(one["says"], one["may_speak"], one["entry"]) for one in texts} == {
        ("granted", True, entry["id"])
    }
    assert web.client.get("/v1/customers/nobody/consents", headers=web.key).status_code == 404


def test_a_malformed_item_is_refused_with_its_place(web: Web) -> None:
    answer = web.client.post("/v1/consents", headers=web.key, json={"consents": [YES | {"action": "maybe"}]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "$.consents[0].action"
