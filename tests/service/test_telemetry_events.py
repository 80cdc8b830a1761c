"""Every event of the log is driven through what really emits it, and carries the fields its table documents."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from celery.signals import worker_ready, worker_shutting_down
from pydantic import SecretStr
from sqlalchemy import text
from structlog.testing import capture_logs

from channels.base import SendResult, SendStatus
from orchestrator.bootstrap import build_engine
from orchestrator.embedded_postgres.server import EmbeddedPostgres
from orchestrator.engine import make_restored_safe
from orchestrator.errors import ErasureIncomplete, StartRefused, Unavailable
from orchestrator.keys import dev_key
from orchestrator.queue.heartbeat import Heartbeat
from orchestrator.queue.publisher import Publisher
from orchestrator.rate_limits.breaker import BreakerRules
from orchestrator.rate_limits.limiter import make_limiter
from orchestrator.rate_limits.windows import Rate
from orchestrator.records.consent import ConsentEvidence, ConsentFact
from orchestrator.records.intake import Track
from orchestrator.records.restore import LogMark
from orchestrator.service.delivery import deliver
from orchestrator.service.enrollment.take_apart import EnrollmentFailed, park
from orchestrator.service.operations.restored import RestoreRequest
from orchestrator.settings import Settings, parse_provider_rates
from orchestrator.store import migrate
from orchestrator.store.reports import snapshots
from orchestrator.store.restoring.withdrawal_log import WithdrawalLog
from orchestrator.telemetry import EVENTS
from tests.fakes.signing import SendGridSigner
from tests.support.engine import EVIDENCE, Scene, one_message, open_scene, real_engine, settings_of
from tests.support.services import free_port
from tests.web.served import Web, serving
from workers import self_sweep, tasks
from workers.app import make_app  # connects what it says to Celery's signals
from workers.beat import Waker
from workers.self_sweep import SelfSweep

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


class Stage:
    """What a driver may need, made when it is asked for."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._request = request
        self.folder = folder
        self.monkeypatch = monkeypatch

    @cached_property
    def database_url(self) -> str:
        url: str = self._request.getfixturevalue("database_url")
        return url

    @cached_property
    def empty_database_url(self) -> str:
        url: str = self._request.getfixturevalue("empty_database_url")
        return url

    @cached_property
    def scene(self) -> Scene:
        rates = parse_provider_rates("sandbox=3/minute")
        opened = open_scene(self.database_url, self.folder / "playbooks", provider_rates=rates)
        self._request.addfinalizer(opened.engine.close)
        return opened

    def mail(self) -> Scene:
        """Somebody is about to be written to."""
        self.scene.publish_playbooks(one_message("mail"))
        self.scene.person()
        self.scene.start("anna", "mail")
        return self.scene


Drive = Callable[[Stage], None]
DRIVERS: dict[Drive, dict[str, dict[str, Any]]] = {}


def drives(event: str, **values: Any) -> Callable[[Drive], Drive]:
    """This function makes ``event`` happen, with at least these values."""

    def note(driver: Drive) -> Drive:
        DRIVERS.setdefault(driver, {})[event] = values
        return driver

    return note


@pytest.fixture
def stage(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Stage:
    caplog.set_level(logging.DEBUG, logger="orchestrator")
    return Stage(request, tmp_path, monkeypatch)


# --- processes and what they stand on -------------------------------------------------------------------------------


@drives("process.started", role="worker", broker="redis", clock_rate=1.0)
def _a_worker_is_ready(stage: Stage) -> None:
    stage.monkeypatch.setenv("ORCHESTRATOR_BROKER_URL", NOBODY_LISTENS)
    worker_ready.send(sender=None)


@drives("process.stopping", role="worker", reason="SIGTERM")
def _a_worker_and_a_beat_are_told_to_stop(_: Stage) -> None:
    worker_shutting_down.send(sender=None, sig="SIGTERM", how="Warm", exitcode=0)
    Waker(app=make_app(Settings()), lazy=True).close()


@drives("database.started", joined=True)
@drives("database.stopped")
def _the_embedded_server_is_started_joined_and_stopped(_: Stage) -> None:
    with TemporaryDirectory() as folder:  # the server may run as another user, who must get there
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder), durable=False)
        server.start()
        server.start()
        server.stop()


@drives("database.migrated", revision="0001", previous=None)
def _the_schema_moves(stage: Stage) -> None:
    migrate.upgrade(stage.empty_database_url, "0001")


@drives("database.unavailable", error="Unavailable")
def _the_database_is_away_when_a_task_runs(_: Stage) -> None:
    engine = build_engine(settings_of("postgresql://nobody@127.0.0.1:1/none"))
    assert tasks._reaching(engine.sweep) is None
    engine.close()


@drives("broker.unavailable", error="ConnectionError", dropped=1)
def _a_wake_up_finds_no_broker(_: Stage) -> None:
    publisher = Publisher(Settings(broker_url=SecretStr(NOBODY_LISTENS)))
    assert not publisher.wake("sweep")
    publisher.close()


@drives("broker.silent", seconds=0.0)
def _a_worker_hears_nothing(stage: Stage) -> None:
    stage.monkeypatch.setattr(self_sweep, "SILENT_FOR", 0.0)
    stage.monkeypatch.setattr(self_sweep, "SWEEP_EVERY", 0.01)
    asked = threading.Event()

    def engine() -> Any:
        asked.set()
        raise Unavailable("there is none")

    sweeping = SelfSweep(engine, slice_seconds=1.0)
    sweeping.start()
    assert asked.wait(30)
    assert sweeping.stop()


@drives("process.untold", error="Unavailable")
def _a_process_cannot_tell_its_figures(_: Stage) -> None:
    def tell() -> None:
        raise Unavailable("there is no database")

    with Heartbeat(tell):
        pass


@drives("redis.unavailable", used_for="rates")
def _a_count_finds_no_redis(_: Stage) -> None:
    make_limiter(NOBODY_LISTENS).take(Rate(amount=1, seconds=1), "key")


@drives("clock.changed", rate=60.0, previous=1.0)
def _business_time_is_made_faster(stage: Stage) -> None:
    stage.scene.engine.set_clock_rate(60.0)
    stage.scene.engine.set_clock_rate(60.0)


@drives("secret_key.made")
def _a_key_is_needed_and_there_is_none(stage: Stage) -> None:
    dev_key(stage.folder / "secret_key")


# --- the web --------------------------------------------------------------------------------------------------------


@drives("http.request", method="GET", route="/healthz", status=200)
def _a_request_is_answered(stage: Stage) -> None:
    with web(stage) as served:
        served.client.get("/healthz")


@drives("http.failed", method="GET", route="/fails", error="ZeroDivisionError")
def _a_request_fails(stage: Stage) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    with web(stage) as served:
        served.app.get("/fails")(fails)
        assert served.client.get("/fails").status_code == 500


@drives("webhook.received", source="sendgrid", facts=1, new=1, unknown=0)
def _a_provider_reports(stage: Stage) -> None:
    stage.mail().drain()
    signer = SendGridSigner()
    at = str(int(stage.scene.clock.now.timestamp()))
    fact = {
        "event": "delivered",
        "timestamp": int(at),
        "sg_event_id": "e1",
        "m": stage.scene.message_id("anna"),
    }
    body = json.dumps([fact]).encode()
    with web(stage, sendgrid_webhook_public_key=signer.public_key) as served:
        answer = served.client.post("/webhooks/sendgrid", content=body, headers=signer.headers(body, at))
    assert answer.status_code == 204, answer.text


@drives("webhook.refused", source="sendgrid")
def _somebody_else_reports(stage: Stage) -> None:
    headers = SendGridSigner().headers(b"[]", "1")
    with web(stage, sendgrid_webhook_public_key=SendGridSigner().public_key) as served:
        answer = served.client.post("/webhooks/sendgrid", content=b"[]", headers=headers)
    assert answer.status_code == 403


# --- batches --------------------------------------------------------------------------------------------------------


@drives("batch.advanced", customers=1, enrollments=1)
def _time_moves_somebody_on(stage: Stage) -> None:
    stage.mail().let_pass(days=3)


@drives("batch.delivered", customers=1, sent=1, refused=0, uncertain=0, try_again=0)
def _a_message_leaves(stage: Stage) -> None:
    stage.mail().drain()


@drives("customer.parked", error="ValueError")
def _one_customer_cannot_be_decided(stage: Stage) -> None:
    scene = stage.mail()
    scene.execute(
        "INSERT INTO inbox (customer_id, id, kind, occurred_at, received_at, data)"
        " SELECT id, 999999, 'rubbish', created_at, created_at, '{}' FROM customers"
    )
    scene.drain()


@drives("batch.failed", task="advance", customers=1, error="SchemaMismatch")
@drives("claiming.stopped")
@drives("claiming.resumed")
def _the_schema_does_not_fit_for_a_while(stage: Stage) -> None:
    scene = stage.mail()
    claiming = scene.engine.services.claiming
    claiming.now = lambda: 0.0
    scene.skip(days=30)
    scene.execute("ALTER TABLE journal RENAME COLUMN visit TO elsewhere")
    scene.engine.advance()
    scene.execute("ALTER TABLE journal RENAME COLUMN elsewhere TO visit")
    claiming.now = lambda: 60.0
    scene.drain()


@drives("playbook.unreadable", playbook="other", version=1)
def _a_version_of_the_next_release_is_met(stage: Stage) -> None:
    scene = stage.mail()
    scene.execute(
        "INSERT INTO playbooks (name, version, content_hash, definition, templates, published_at)"
        " VALUES ('other', 1, 'x', '{}', '{}', now())"
    )
    scene.execute("SELECT pg_sleep(0.6)")  # longer than a catalogue is fresh
    scene.drain()


@drives("enrollment.parked", error="ValueError")
def _one_enrollment_cannot_be_decided(stage: Stage) -> None:
    scene = stage.mail()
    found = scene.rows("SELECT customer_id, id, playbook_id FROM enrollments")[0]
    error = EnrollmentFailed(found.id, found.playbook_id, "mail, step say")
    error.__cause__ = ValueError("x")
    park(scene.engine.services, found.customer_id, error)


@drives("customer.skipped")
@drives("sweep.done", skipped=1, interrupted=0)
def _somebody_was_passed_over(stage: Stage) -> None:
    stage.mail().engine.track([Track(key="anna", event="limit_reached")])
    stage.scene.execute("UPDATE inbox SET lane = lane + 10")  # behind another row, and that one is gone
    stage.scene.skip(minutes=1)
    stage.scene.engine.sweep()


@drives("report.failed", report="funnel", error="ValueRefused")
def _a_report_cannot_be_made(stage: Stage) -> None:
    stage.monkeypatch.setattr(snapshots, "LARGE", -1)
    stage.monkeypatch.setattr(snapshots, "_PATIENTLY", text("SELECT 1 / 0"))
    stage.mail().engine.care()


@drives("scan.done", playbooks=1, asked=1)
def _the_daily_scan(stage: Stage) -> None:
    daily = "enter: {every: day, if: {seats: {at_least: 1}}, because: grown, reentry: {after: 1h}}\n"
    stage.scene.publish_playbooks(one_message("daily", more=daily))
    stage.scene.person(seats=2)
    stage.scene.engine.scan()


# --- enrollments and messages ---------------------------------------------------------------------------------------


@drives("playbook.published", playbook="mail", version=1)
@drives("enrollment.started", playbook="mail", version=1)
def _somebody_starts(stage: Stage) -> None:
    stage.mail()


@drives("enrollment.refused", playbook="mail", reason="already_live")
def _somebody_starts_twice(stage: Stage) -> None:
    with pytest.raises(StartRefused):
        stage.mail().start("anna", "mail")


@drives("message.uncertain", channel="email", provider="sandbox", code="timeout")
def _a_provider_does_not_answer(stage: Stage) -> None:
    fail(stage.mail(), SendStatus.UNCERTAIN, code="timeout")


@drives("message.abandoned", channel="email")
def _a_provider_never_says(stage: Stage) -> None:
    scene = stage.mail()
    fail(scene, SendStatus.UNCERTAIN)
    scene.skip(hours=2)
    scene.drain()


@drives("message.refused", channel="email", code="550")
def _a_provider_refuses(stage: Stage) -> None:
    fail(stage.mail(), SendStatus.REFUSED, code="550")


@drives("provider.slow", provider="sandbox")
def _a_provider_is_slow(stage: Stage) -> None:
    stage.monkeypatch.setattr(deliver, "SLOW", 0.0)
    stage.mail().drain()


@drives("provider.breaker_opened", provider="sandbox", failures=BreakerRules().failures)
@drives("provider.breaker_closed", provider="sandbox")
def _a_provider_fails_and_comes_back(stage: Stage) -> None:
    gates = stage.scene.engine.delivery.gates
    for _ in range(BreakerRules().failures):
        gates.report(SendResult(result=SendStatus.UNCERTAIN, provider="sandbox"))
    stage.scene.skip(minutes=1)
    assert gates.may_call("sandbox")
    gates.report(SendResult(result=SendStatus.SENT, provider="sandbox"))


@drives("provider.limited", provider="sandbox")
def _a_rate_is_used_up(stage: Stage) -> None:
    stage.scene.publish_playbooks(one_message("mail"))
    for key in stage.scene.people(5):
        stage.scene.start(key, "mail")
    stage.scene.drain()


# --- what customers and products say --------------------------------------------------------------------------------


@drives("signals.taken", kind="track", taken=1, repeated=1, refused=1)
def _signals_come_in(stage: Stage) -> None:
    signal = Track(key="anna", event="session_started", source_id="one")
    stage.scene.engine.track([signal, signal, Track(key="", event="session_started")])


@drives("opt_out.recorded", channel="email", topic="*", method="unsubscribe_page", cancelled=1, withdrawn=0)
def _somebody_opts_out(stage: Stage) -> None:
    stage.mail().opted_out("anna", channel="email")


@drives("consents.imported", taken=1, repeated=0, refused=0)
def _consents_are_imported(stage: Stage) -> None:
    stage.scene.engine.import_consents([consent(stage)])


@drives("consents.expired", expired=1)
def _a_consent_ends(stage: Stage) -> None:
    evidence = ConsentEvidence(
        method="api", source="tests", expires_at=stage.scene.clock.now + timedelta(days=1)
    )
    stage.scene.engine.import_consents([consent(stage, evidence=evidence)])
    stage.scene.skip(days=2)
    stage.scene.engine.care()


@drives("withdrawal_log.away", entries=1)
def _the_withdrawal_log_cannot_be_written(stage: Stage) -> None:
    stage.scene.person()
    (stage.folder / "taken").write_text("")
    engine = real_engine(stage.database_url, withdrawal_log=stage.folder / "taken" / "log")
    engine.opt_out("anna", evidence=EVIDENCE)
    engine.close()


@drives("database.restored", behind=5)
@drives("restore.done", uncertain=0, withdrawn=0, erased=0, promotion_held=True)
def _a_backup_was_put_back(stage: Stage) -> None:
    log, now = WithdrawalLog(stage.folder / "log"), stage.scene.now
    log.mark(LogMark(number=5, at=now))
    engine = real_engine(stage.database_url, withdrawal_log=log.folder)
    engine.advance()
    make_restored_safe(engine, RestoreRequest(since=now), lambda _part, _done, _total, /: None)
    engine.close()


@drives("history.pruned", table="receipts", rows=1)
def _history_is_let_go_of(stage: Stage) -> None:
    stage.scene.publish_playbooks(one_message("mail", wait="1h"), policy="retention: {receipts: 30d}\n")
    stage.scene.person()
    stage.scene.start("anna", "mail")
    stage.scene.let_pass(days=40)
    stage.scene.engine.prune()


@drives("customer.erased", providers=0)
def _somebody_is_forgotten(stage: Stage) -> None:
    stage.scene.person()
    stage.scene.engine.erase("anna")


@drives("erasure.failed", channel="email", provider="sendgrid")
def _a_provider_cannot_be_told(stage: Stage) -> None:
    stage.mail().drain()
    stage.scene.execute("UPDATE messages SET provider = 'sendgrid'")
    settings = settings_of(
        stage.database_url,
        sendgrid_api_key="SG.key",
        sendgrid_base_url="http://127.0.0.1:1",
        email_from="team@shop.example.test",
    )
    engine = build_engine(settings, clock=stage.scene.clock)
    with pytest.raises(ErasureIncomplete):
        engine.erase("anna")
    engine.close()


# --- the tests ------------------------------------------------------------------------------------------------------


def test_every_documented_event_has_a_driver() -> None:
    assert {event for events in DRIVERS.values() for event in events} == set(EVENTS)


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: "-".join(DRIVERS[driver]))
def test_an_event_is_emitted_with_the_fields_documented(stage: Stage, driver: Drive) -> None:
    with capture_logs() as lines:
        driver(stage)
    for event, values in DRIVERS[driver].items():
        known = EVENTS[event]
        found = [line for line in lines if line["event"] == event]
        assert found, f"{event} was not emitted; these were: {sorted({line['event'] for line in lines})}"
        for line in found:
            assert (line["log_level"], set(line) - {"event", "log_level"}) == (known.level, known.fields)
        assert any(values.items() <= line.items() for line in found), found


def test_the_figures_told_are_those_documented(stage: Stage) -> None:
    stage.mail()
    with web(stage) as served:
        served.client.get("/healthz")
        told = served.client.get("/metrics").text
    page = (Path(__file__).parents[2] / "docs" / "reference" / "events.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(orchestrator_\w+)`", page, re.MULTILINE))
    families = {
        name for name in re.findall(r"^# TYPE (\w+)", told, re.MULTILINE) if not name.endswith("_created")
    }
    assert families == documented
    assert 'orchestrator_messages_waiting{status="planned"} 1.0' in told


# --- small helps ----------------------------------------------------------------------------------------------------


@contextmanager
def web(stage: Stage, **settings: Any) -> Iterator[Web]:
    whole = settings_of(stage.database_url, data_dir=stage.folder, port=free_port(), **settings)
    with serving(stage.scene.engine, whole) as served:
        yield served


def fail(scene: Scene, result: SendStatus, **more: Any) -> None:
    scene.provider_fails("email", result, **more)
    scene.drain()


def consent(stage: Stage, evidence: ConsentEvidence = EVIDENCE) -> ConsentFact:
    return ConsentFact(
        key="anna", action="granted", occurred_at=stage.scene.clock.now, evidence=evidence, channel="email"
    )
