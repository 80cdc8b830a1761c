"""The product reports, starts, reads and erases."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from sqlalchemy import text

from tests.web.served import Web

START = "/v1/playbooks/offer/start"


def test_a_batch_keeps_its_good_items_and_names_the_bad_ones(web: Web) -> None:
    batch = [
        {"type": "identify", "userId": "boris", "traits": {"plan": "team"}},
        {"type": "track", "event": "session_started"},
        {"type": "page", "userId": "boris"},
        {"type": "track", "userId": "boris", "event": "session_started", "messageId": "once"},
        {"type": "track", "userId": "boris", "event": "session_started", "messageId": "once"},
    ]
    answer = web.client.post("/v1/batch", headers=web.key, json={"batch": batch})
    told = answer.json()
    assert answer.status_code == 200
    assert (told["success"], told["taken"], told["repeated"]) == (False, 2, 1)
    assert [item["path"] for item in told["refused"]] == ["$.batch[1].userId", "$.batch[2].type"]
    web.drain()
    assert web.client.get("/v1/customers/boris", headers=web.key).json()["attributes"]["plan"] == "team"


def test_a_batch_with_nothing_good_is_refused_as_a_whole(web: Web) -> None:
    answer = web.client.post("/v1/batch", headers=web.key, json={"batch": [{"type": "alias"}]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "$.batch[0].type"


def test_group_tells_what_an_account_is_and_who_belongs_to_it(web: Web, anna: str) -> None:
    call = {"userId": anna, "groupId": "acme", "traits": {"name": "Acme"}}
    assert web.client.post("/v1/group", headers=web.key, json=call).status_code == 200
    web.drain()
    known = web.client.get("/v1/customers/anna", headers=web.key).json()
    assert (known["account"], known["account_attributes"].get("name")) == ("acme", "Acme")


def test_a_playbook_starts_once_per_key(web: Web, anna: str) -> None:
    first = web.client.post(START, headers=web.key, json={"customer": anna, "key": "order-1"})
    again = web.client.post(START, headers=web.key, json={"customer": anna, "key": "order-1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert again.json()["created"] is False


def test_a_refused_start_says_why_in_a_stable_word_and_in_a_sentence(web: Web, anna: str) -> None:
    web.client.post(f"/v1/customers/{anna}/opt-out", headers=web.key, json={}).raise_for_status()
    answer = web.client.post(START, headers=web.key, json={"customer": anna})
    assert answer.status_code == 409
    assert answer.json()["reason"] == "opted_out"
    assert len(answer.json()["detail"]) > 10


def test_an_unknown_playbook_or_field_is_refused(web: Web, anna: str) -> None:
    assert (
        web.client.post("/v1/playbooks/nope/start", headers=web.key, json={"customer": anna}).status_code
        == 404
    )
    answer = web.client.post(START, headers=web.key, json={"custmer": anna})
    assert {error["path"] for error in answer.json()["errors"]} == {"$.customer", "$.custmer"}


def test_the_same_idempotency_key_gets_the_same_answer_and_acts_once(web: Web, anna: str) -> None:
    headers = web.key | {"Idempotency-Key": "k-1"}
    first = web.client.post(START, headers=headers, json={"customer": anna})
    again = web.client.post(START, headers=headers, json={"customer": anna})
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(web.client.get("/v1/customers/anna", headers=web.key).json()["playbooks"]) == 1


def test_one_key_in_many_hands_at_once_starts_once(web: Web, anna: str) -> None:
    headers = web.key | {"Idempotency-Key": "k-together"}
    barrier = threading.Barrier(6)

    def start() -> int:
        barrier.wait()
        return web.client.post(START, headers=headers, json={"customer": anna}).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = [future.result() for future in [pool.submit(start) for _ in range(6)]]
    assert set(answers) <= {201, 409}  # the same answer, or "still running, ask again"
    assert 201 in answers
    assert len(web.client.get("/v1/customers/anna", headers=web.key).json()["playbooks"]) == 1


def test_an_idempotency_key_is_good_for_one_request_alone(web: Web, anna: str) -> None:
    headers = web.key | {"Idempotency-Key": "k-1"}
    web.client.post(START, headers=headers, json={"customer": anna}).raise_for_status()
    answer = web.client.post(START, headers=headers, json={"customer": anna, "key": "other"})
    assert (answer.status_code, answer.json()["type"]) == (
        422,
        "urn:orchestrator:problem:idempotency_key_reused",
    )


def test_a_refusal_is_replayed_too(web: Web) -> None:
    headers = web.key | {"Idempotency-Key": "k-2"}
    first = web.client.post("/v1/playbooks/nope/start", headers=headers, json={"customer": "x"})
    again = web.client.post("/v1/playbooks/nope/start", headers=headers, json={"customer": "x"})
    assert (first.status_code, again.status_code, again.headers["idempotency-replayed"]) == (404, 404, "true")
    assert again.headers["content-type"] == "application/problem+json"


def test_a_response_is_recorded_once(web: Web, offered: str) -> None:
    told = {"word": "dismissed", "source_id": "crm-1"}
    first = web.client.post(f"/v1/messages/{offered}/respond", headers=web.key, json=told)
    again = web.client.post(f"/v1/messages/{offered}/respond", headers=web.key, json=told)
    assert (first.json(), again.json()) == ({"recorded": True}, {"recorded": False})
    web.drain()
    assert web.client.get("/v1/customers/anna", headers=web.key).json()["playbooks"][0]["step"] == "mail"


def test_a_response_to_no_message_is_not_found(web: Web) -> None:
    for name in ("m_1-999", "nonsense", "e_1-1"):
        answer = web.client.post(f"/v1/messages/{name}/respond", headers=web.key, json={"word": "clicked"})
        assert answer.status_code in (404, 422), name


def test_an_opt_out_by_the_product_lists_what_it_stopped_and_opt_in_reopens(web: Web, offered: str) -> None:
    receipt = web.client.post("/v1/customers/anna/opt-out", headers=web.key, json={"topic": "upsell"}).json()
    assert (receipt["topic"], receipt["already"]) == ("upsell", False)
    assert receipt["ended_playbooks"] == ["offer"]
    again = web.client.post("/v1/customers/anna/opt-out", headers=web.key, json={"topic": "upsell"}).json()
    assert again["already"] is True
    assert (
        web.client.post("/v1/customers/anna/opt-in", headers=web.key, json={"topic": "upsell"}).status_code
        == 204
    )
    consents = web.client.get("/v1/customers/anna", headers=web.key).json()["consents"]
    assert [(row["topic"], row["granted"]) for row in consents] == [("upsell", True)]


def test_the_timeline_tells_the_story_in_words(web: Web, offered: str) -> None:
    entries = web.client.get("/v1/customers/anna/timeline", headers=web.key).json()["entries"]
    kinds = {entry["kind"] for entry in entries}
    assert {"signal", "start", "step", "message"} <= kinds
    assert any(entry["message_id"] == offered for entry in entries)
    assert len(web.client.get("/v1/customers/anna/timeline?limit=1", headers=web.key).json()["entries"]) == 1


@pytest.mark.parametrize("key", ["org/anna", "ä b?#&=%", "a%2Fb", "../anna", "x" * 200])
def test_a_key_may_be_any_text(web: Web, key: str) -> None:
    web.client.post(
        "/v1/identify", headers=web.key, json={"userId": key, "traits": {"plan": "team"}}
    ).raise_for_status()
    web.drain()
    path = f"/v1/customers/{quote(key, safe='')}"
    assert web.client.get(path, headers=web.key).json()["key"] == key
    assert web.client.get(f"{path}/timeline", headers=web.key).json()["customer"] == key
    with web.login() as browser:
        assert browser.get(f"/customers/{quote(key, safe='')}/inbox").status_code == 200
        found = re.search(r'<th scope="row"><a href="([^"]+)"', browser.get("/customers").text)
        assert found
        assert browser.get(found.group(1)).status_code == 200
    assert web.client.delete(path, headers=web.key).json() == {"erased": key, "providers": []}


def test_export_is_complete_and_erasure_leaves_nothing_to_read(web: Web, offered: str) -> None:
    export = web.client.get("/v1/customers/anna/export", headers=web.key)
    assert "anna@shop.example" in export.text
    assert web.client.delete("/v1/customers/anna", headers=web.key).status_code == 200
    for path in ("", "/timeline", "/export"):
        assert web.client.get(f"/v1/customers/anna{path}", headers=web.key).status_code == 404
    assert web.client.post("/v1/customers/anna/feed-token", headers=web.key).status_code == 404


def test_erasure_tells_what_each_provider_answered(web: Web, offered: str) -> None:
    with (
        web.engine.database.begin() as connection
    ):  # an email that went out by a provider we have no adapter for now
        connection.execute(text("UPDATE messages SET channel = 'email', provider = 'courier'"))
    answer = web.client.delete("/v1/customers/anna", headers=web.key)
    assert answer.status_code == 200
    told = {"channel": "email", "provider": "courier", "outcome": "by_hand", "count": 1}
    (provider,) = answer.json()["providers"]
    assert provider == told | {"detail": "courier offers no way to be told; ask it yourself"}


def test_the_figures_of_a_playbook_come_as_json_and_csv(web: Web, offered: str) -> None:
    (row,) = [
        one for one in web.client.get("/v1/playbooks", headers=web.key).json() if one["playbook"] == "offer"
    ]
    assert (row["live"], row["entered"]) == (1, 1)
    funnel = web.client.get("/v1/playbooks/offer/funnel", headers=web.key).json()
    assert {step["step"]: step["live"] for step in funnel["steps"]}["modal"] == 1
    table = web.client.get("/v1/playbooks/offer/funnel?format=csv", headers=web.key)
    assert table.headers["content-type"].startswith("text/csv")
    assert "offer,1,modal,1,1,,0" in table.text.splitlines()
    assert web.client.get("/v1/playbooks/nope/funnel", headers=web.key).status_code == 404
    assert web.client.get("/v1/playbooks/offer/funnel?version=9", headers=web.key).status_code == 404
