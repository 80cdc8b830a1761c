"""What strangers, scanners and broken senders throw at every door: nothing breaks, nothing opens, nothing is told."""

from __future__ import annotations

import hmac
import json
import re
import socket
from html.parser import HTMLParser
from time import process_time
from typing import Any

import pytest
from sqlalchemy import text

from channels.http_transport import public_only
from channels.scanners import machine_burst
from orchestrator import telemetry
from orchestrator.clock import monotonic
from orchestrator.keys import SCOPES, ApiKey, find_api_key, parse_api_keys
from orchestrator.rate_limits.windows import Rate
from orchestrator.settings import Settings
from orchestrator.web.middleware import throttle
from tests.fakes.signing import SendGridSigner
from tests.web.served import Web

SECRETS = {scope: f"only-{scope}-and-nothing-else" for scope in sorted(SCOPES)}
XSS = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}"


def signed(web: Web, signer: SendGridSigner, body: bytes) -> dict[str, str]:
    return signer.headers(body, str(int(web.engine.reports.instants().machine.timestamp())))


def value(web: Web, statement: str) -> Any:
    with web.engine.database.connect() as connection:
        return connection.execute(text(statement)).scalar()


# --- keys and scopes ---


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The usual keys, and beside them one for each scope alone."""
    single = " ".join(f"{scope}:{secret}:{scope}" for scope, secret in SECRETS.items())
    usual = "shop:test-key-of-the-product:product+read+operate+erase"
    return settings.model_copy(update={"api_keys": parse_api_keys(f"{usual} {single}")})


def operations(web: Web) -> list[tuple[str, str]]:
    """Every operation of the API, from its own document, its places filled with nobody."""
    document = web.client.get("/v1/openapi.json").json()
    return [
        (verb.upper(), re.sub(r"\{[^}]+\}", "nobody", path))
        for path, verbs in document["paths"].items()
        for verb in verbs
        if path.startswith("/v1/")
    ]


def test_every_operation_refuses_strangers_and_all_scopes_but_its_own(web: Web) -> None:
    checked = 0
    for verb, path in operations(web):
        stranger = web.client.request(verb, path)
        assert stranger.status_code == 401, f"{verb} {path} lets strangers in"
        statuses = {}
        for scope, secret in SECRETS.items():
            shown = {"Authorization": f"Bearer {secret}"}
            statuses[scope] = web.client.request(verb, path, headers=shown).status_code
        if path.startswith("/v1/feed"):
            assert set(statuses.values()) == {401}, f"{verb} {path} takes an API key for a feed token"
        else:
            let_in = {scope for scope, status in statuses.items() if status != 403}
            assert len(let_in) == 1 or let_in == {"signals", "product"}, f"{verb} {path}: {statuses}"
            assert 401 not in statuses.values()
        checked += 1
    assert checked >= 15


def test_a_key_is_compared_with_every_known_one_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = parse_api_keys(" ".join(f"k{number}:a-long-enough-secret-{number}" for number in range(5)))
    compared: list[str] = []
    real = hmac.compare_digest

    def counting(known: str, shown: str) -> bool:
        compared.append(known)
        return real(known, shown)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    for number in (0, 4, 9):  # the first, the last, none
        compared.clear()
        found = find_api_key(keys, f"a-long-enough-secret-{number}")
        assert isinstance(found, ApiKey) is (number < 5)
        assert compared == [key.sha256 for key in keys]


# --- tokens ---


def test_forged_cut_lengthened_and_swapped_tokens_open_nothing(
    web: Web, offered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "FAILURES", Rate(amount=100_000, seconds=60))  # each for itself
    links = web.engine.links
    good = {
        "/u/": links.opt_out_url(1, "upsell"),
        "/p/": links.preferences_url(1),
        "/a/": links.answer_url(offered, "price"),
        "/c/": links.click_url(offered, "plans", "https://shop.example/plans"),
    }
    tokens = {door: url.rsplit("/", 1)[1] for door, url in good.items()}
    for door in good:
        token = tokens[door]
        payload, _, signature = token.rpartition(".")
        bad = [
            token[:-1], token[:-10], token[1:], f"{token}A", f"{payload}.", f".{signature}", payload, token * 40,
            token.swapcase(), f"{payload}.{signature[::-1]}", "%F0%9F%92%A9", "..%2f..%2fetc", "A" * 60_000,
        ]  # fmt: skip
        bad += [other for elsewhere, other in tokens.items() if elsewhere != door]
        for one in bad:
            for method in ("GET", "HEAD", "POST"):
                form = {"confirm": "1", "do": "stop_all", "answer": "price"} if method == "POST" else None
                answer = web.client.request(method, f"{door}{one}", data=form)
                assert answer.status_code in (404, 405, 414, 400), (
                    f"{method} {door}{one[:40]}: {answer.status_code}"
                )
                assert "location" not in answer.headers
                assert "anna" not in answer.text
    assert value(web, "SELECT count(*) FROM consent_ledger") == 0


def test_a_click_leads_where_it_was_signed_to_whatever_is_added(web: Web, offered: str) -> None:
    link = web.engine.links.click_url(offered, "plans", "https://shop.example/plans")
    for more in ("?url=https://evil.example", "?next=//evil.example", "#https://evil.example"):
        assert web.client.get(link + more).headers["location"] == "https://shop.example/plans"
    answer = web.client.get(link, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert answer.headers["location"] == "https://shop.example/plans"
    assert web.client.get(f"{link}/https://evil.example").status_code == 404


# --- bodies ---


NO_CALLS = [
    b"[" * 100_000,
    b'{"a":' * 40_000,
    b"[" * 50_000 + b"]" * 50_000,
    b"null",
    b"7",
    b'"text"',
    b"[]",
    b"\xff\xfe",
    b"\x00",
    b"",
    b'{"userId": 1e999, "event": "x"}',
    b'{"userId": NaN}',
    b'{"userId": "\\ud800", "event": "x"}',
]


def test_a_body_that_is_no_call_is_refused_and_never_an_error_of_ours(web: Web) -> None:
    for body in NO_CALLS:
        for path in ("/v1/track", "/v1/identify", "/v1/batch"):
            answer = web.client.post(
                path, content=body, headers=web.key | {"Content-Type": "application/json"}
            )
            assert 400 <= answer.status_code < 500, f"{path}: {answer.status_code} {answer.text[:200]}"


KINDS = ["text/plain", "application/xml", "multipart/form-data", "", "a" * 500]


def test_a_wrong_content_type_is_refused_or_read_as_what_it_is(web: Web, anna: str) -> None:
    for kind in KINDS:
        body = b'{"userId": "anna", "event": "session_started"}'
        assert (
            web.client.post("/v1/track", content=body, headers=web.key | {"Content-Type": kind}).status_code
            < 500
        )
        for door in (web.engine.links.opt_out_url(1), web.engine.links.preferences_url(1)):
            answer = web.client.post(
                door, content=b'{"confirm": "1", "do": "stop_all"}', headers={"Content-Type": kind}
            )
            assert answer.status_code < 500
        assert value(web, "SELECT count(*) FROM consent_ledger") == 0


def test_slow_senders_keep_nobody_else_waiting(web: Web) -> None:
    host, port = web.settings.host, web.settings.port
    slow = [socket.create_connection((host, port), timeout=5) for _ in range(60)]
    try:
        for one in slow:
            one.sendall(b"POST /webhooks/sendgrid HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[")
        began = monotonic()
        assert web.client.get("/readyz").status_code == 200
        assert monotonic() - began < 10, "less than the time a slow body is given"
    finally:
        for one in slow:
            one.close()


# --- providers ---


def test_one_bad_event_among_ten_thousand_costs_itself_alone(
    web: Web, offered: str, sendgrid: SendGridSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(telemetry, "emit", lambda name, **facts: told.append((name, facts)))
    at = int(web.engine.reports.instants().machine.timestamp())
    events: list[Any] = [
        {"event": "delivered", "timestamp": at, "sg_event_id": f"e{number}", "m": offered}
        for number in range(10_000)
    ]
    events[5_000] = {
        "event": "delivered",
        "timestamp": "yesterday",
        "m": offered,
        "email": "anna@shop.example",
    }
    body = json.dumps(events, separators=(",", ":")).encode()
    before = value(web, "SELECT count(*) FROM seen_sources")
    answer = web.client.post("/webhooks/sendgrid", content=body, headers=signed(web, sendgrid, body))
    assert answer.status_code == 204
    assert value(web, "SELECT count(*) FROM seen_sources") - before == 9_999
    refused = [facts for name, facts in told if name == "webhook.refused"]
    assert len(refused) == 1
    assert "timestamp" in refused[0]["reason"]
    assert "anna" not in json.dumps(refused)
    repeated = web.client.post("/webhooks/sendgrid", content=body, headers=signed(web, sendgrid, body))
    assert repeated.status_code == 204
    assert value(web, "SELECT count(*) FROM seen_sources") - before == 9_999, "a replay adds nothing"


UNREADABLE = [b"[" * 100_000, b"{}", b"", b"\xff", b'[{"event": "open", "timestamp": 1e400}]']


def test_what_a_provider_signed_and_nobody_can_read_is_taken_and_reported(
    web: Web, sendgrid: SendGridSigner
) -> None:
    for body in UNREADABLE:
        answer = web.client.post("/webhooks/sendgrid", content=body, headers=signed(web, sendgrid, body))
        assert answer.status_code in (204, 403)  # what is no text cannot have been signed as one


NONSENSE: list[dict[str, str]] = [
    {"X-Twilio-Email-Event-Webhook-Signature": "AAAA", "X-Twilio-Email-Event-Webhook-Timestamp": "1"},
    {"X-Twilio-Email-Event-Webhook-Signature": "%%%", "X-Twilio-Email-Event-Webhook-Timestamp": "9" * 5000},
    {"X-Twilio-Email-Event-Webhook-Signature": "A" * 9000, "X-Twilio-Email-Event-Webhook-Timestamp": "-1"},
    {"X-Twilio-Signature": "AAAA"},
    {"X-Twilio-Signature": "é".encode().decode("latin-1")},
    {},
]


def test_nonsense_signatures_are_refused_at_every_webhook(web: Web) -> None:
    for headers in NONSENSE:
        for path in ("sendgrid", "twilio/status", "twilio/inbound", "twilio/conversations"):
            for content in (b"[]", b"Body=STOP&From=%2B4915112345678", b"\xff" * 100):
                raw = {name: word.encode("latin-1") for name, word in headers.items()}
                answer = web.client.post(f"/webhooks/{path}", content=content, headers=raw)  # type: ignore[arg-type]
                assert answer.status_code == 403


def test_a_webhook_body_that_is_too_large_is_not_read(web: Web, sendgrid: SendGridSigner) -> None:
    body = b"[" + b" " * (2 * 1024 * 1024) + b"]"
    answer = web.client.post("/webhooks/sendgrid", content=body, headers=signed(web, sendgrid, body))
    assert answer.status_code == 413


def test_thousands_of_clicks_in_one_batch_are_judged_at_once() -> None:
    clicks = [
        {"event": "click", "timestamp": 7, "m": "m_1", "url": f"https://a.test/{n % 5}"}
        for n in range(10_000)
    ]
    began = process_time()
    assert len(machine_burst(clicks)) == 10_000
    assert process_time() - began < 2


# --- people's own words ---


class _Running(HTMLParser):
    """Collects what a browser would run: inline scripts, event handlers, addresses that are programs."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.found.append(tag)
        self.found += [name for name in given if name.startswith("on")]
        self.found += [name for name, what in attrs if (what or "").strip().lower().startswith("javascript:")]


def running(page: str) -> list[str]:
    reader = _Running()
    reader.feed(page)
    return reader.found


@pytest.fixture
def eve(web: Web) -> str:
    """A customer whose name is an attack on whoever shows it; she has had a modal and a mail."""
    traits = {"email": "eve@shop.example", "first_name": XSS, "plan": XSS, "timezone": "UTC", "locale": "en"}
    calls = [
        {"type": "identify", "userId": "eve", "traits": traits},
        {"type": "track", "userId": "eve", "event": "session_started", "properties": {"page": XSS}},
    ]
    web.client.post("/v1/batch", headers=web.key, json={"batch": calls}).raise_for_status()
    web.drain()
    web.client.post("/v1/playbooks/offer/start", headers=web.key, json={"customer": "eve"}).raise_for_status()
    web.drain()
    items = web.client.get("/v1/feed", headers=web.feed_key("eve")).json()["items"]
    told = {"word": "dismissed", "comment": XSS}
    web.client.post(f"/v1/messages/{items[0]['id']}/respond", headers=web.key, json=told).raise_for_status()
    web.drain()
    return "eve"


def test_no_page_runs_what_a_customer_calls_herself(web: Web, eve: str) -> None:
    seen = 0
    with web.login() as browser:
        inbox = browser.get(f"/customers/{eve}/inbox").text
        pages = ["/", "/customers?q=eve", f"/customers/{eve}", f"/customers/{eve}/inbox", f"/customers/{eve}/product",
                 "/held-back", "/engine", "/playbooks/offer", f"/customers?q={XSS}", f"/playbooks/{XSS}"]  # fmt: skip
        pages += sorted(set(re.findall(rf"/customers/{eve}/inbox/m_[\w-]+", inbox)))
        pages += [web.engine.links.preferences_url(1), web.engine.links.opt_out_url(1, XSS)]
        for path in pages:
            page = browser.get(path)
            assert page.status_code < 500, path
            assert "<script>alert" not in page.text, path
            assert "<img src=x" not in page.text, path
            assert running(page.text) == [], path
            seen += "&lt;script&gt;" in page.text
    assert seen >= 2, "the name is shown, as text"


def test_what_is_sent_and_shown_carries_her_name_as_text(web: Web, eve: str) -> None:
    with web.engine.database.connect() as connection:
        rows = connection.execute(text("SELECT channel, content FROM sandbox_inbox")).all()
        feed = connection.execute(text("SELECT to_jsonb(f) AS content FROM feed_items f")).all()
    assert "email" in {row.channel for row in rows}
    for row in rows:
        assert running(row.content["content"]["html"] or "") == []
        if row.channel == "email":
            greeting = row.content["content"]["text"].split("you get this")[0]
            assert "{{ 7*7 }}" in greeting, "a name is no template"
    assert feed
    assert "<script>alert" not in json.dumps([row.content for row in feed])


LINE_ENDS = ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85"]


def test_a_name_with_a_line_end_adds_no_header(web: Web) -> None:
    for line_end in LINE_ENDS:
        from channels.sendgrid.adapter import EmailSendGrid, list_headers
        from tests.channels import build

        subject = f"Hello Eve{line_end}Bcc: victim@example.test"
        outgoing = build.outgoing(header={"subject": subject, "preheader": subject})
        mail = EmailSendGrid(api_key="SG.x", sender="team@example.test").mail(outgoing)
        assert mail["subject"].splitlines() == [mail["subject"]]
        assert set(mail["personalizations"][0]) == {"to", "custom_args", "headers"}
        evil = build.outgoing(
            one_click_url=f"https://a.test/u/x{line_end}Bcc: victim@example.test", list_id=f"a{line_end}b"
        )
        assert all(word.splitlines() == [word] for word in list_headers(evil).values())
        traits = {"email": f"eve@shop.example{line_end}Bcc: victim@example.test"}
        web.client.post("/v1/identify", headers=web.key, json={"userId": "eve", "traits": traits})
        web.drain()
        assert value(web, "SELECT count(*) FROM contact_points WHERE channel = 'email'") == 0


# --- files and networks ---


OUTWARD = [
    "/static/../app.py",
    "/static/..%2fapp.py",
    "/static/%2e%2e/app.py",
    "/static/....//app.py",
    "/static/%2e%2e%2f%2e%2e%2fsettings.py",
    "/static//etc/passwd",
    "/static/..%5capp.py",
    "/static/%00",
    "/static/" + "../" * 12 + "etc/passwd",
    "/static/",
]


def test_no_path_leads_out_of_the_static_folder(web: Web) -> None:
    for path in OUTWARD:
        with socket.create_connection((web.settings.host, web.settings.port), timeout=10) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: raw.recv(65536), b""))
        status = int(answer.split(b" ", 2)[1])
        assert status in (400, 404, 405), answer[:200]
        assert b"root:" not in answer
        assert b"def create_app" not in answer


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "0.0.0.0", "10.1.2.3", "169.254.169.254", "100.64.0.1", "192.168.1.1", "::1", "fe80::1%eth0",
     "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "255.255.255.255", "::",
     "2001:db8::1", "64:ff9b:1::a00:1", "::127.0.0.1", "fec0::1", "2001::1"],
)  # fmt: skip
def test_no_webhook_reaches_into_our_own_network(address: str) -> None:
    assert public_only(address) is False
