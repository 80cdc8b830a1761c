"""Settings come from the environment alone, and everything wrong with them is said at once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from orchestrator.errors import SettingsError
from orchestrator.keys import find_api_key, parse_api_keys
from orchestrator.settings import Settings, load_settings

SIGNING = "s" * 32
API_SECRET = "0123456789abcdef"
PRODUCTION = {
    "ORCHESTRATOR_ENV": "production",
    "ORCHESTRATOR_DATABASE_URL": "postgresql://u:p@db/o",
    "ORCHESTRATOR_SECRET_KEYS": SIGNING,
    "ORCHESTRATOR_API_KEYS": f"crm:{API_SECRET}",
    "ORCHESTRATOR_PUBLIC_URL": "https://go.example.com/",
}


def _problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings({f"ORCHESTRATOR_{name}": value for name, value in environ.items()})
    return caught.value.problems


def test_nothing_set_is_a_working_machine_of_its_own() -> None:
    settings = load_settings({})
    assert settings.database_url is None
    assert settings.broker is None
    assert settings.redis is None
    assert settings.base_url == "http://127.0.0.1:8080"


def test_a_complete_production_environment_is_accepted() -> None:
    settings = load_settings(PRODUCTION)
    assert settings.base_url == "https://go.example.com"


def test_all_problems_are_listed_at_once_and_none_shows_a_secret() -> None:
    problems = _problems(
        ENV="production",
        PORT="eighty",
        DATABASE_URL="mysql://u:hunter2@db/o",
        BROKR_URL="redis://b",
        SECRET_KEYS="hunter2",
        API_KEYS="crm:hunter2",
        CLOCK_RATE="3600",
        TWILIO_FROM="+15550100",
    )
    text = "\n".join(problems)
    for expected in (
        "ORCHESTRATOR_PORT: ",
        "ORCHESTRATOR_DATABASE_URL: expected a URL that begins with postgresql://",
        "ORCHESTRATOR_BROKR_URL is no setting; did you mean ORCHESTRATOR_BROKER_URL?",
        "ORCHESTRATOR_SECRET_KEYS: key 1 has 7 characters",
        "ORCHESTRATOR_API_KEYS: key 'crm': the secret has 7 characters",
        "ORCHESTRATOR_CLOCK_RATE is for rehearsals",
        "ORCHESTRATOR_PUBLIC_URL must be an https:// address",
        "ORCHESTRATOR_TWILIO_ACCOUNT_SID, ORCHESTRATOR_TWILIO_AUTH_TOKEN: needed too",
    ):
        assert expected in text
    assert "hunter2" not in text
    assert len(problems) == 8


@pytest.mark.parametrize("name", sorted(PRODUCTION.keys() - {"ORCHESTRATOR_ENV"}))
def test_production_does_not_start_without(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({key: value for key, value in PRODUCTION.items() if key != name})


def test_rates_of_providers_are_read_and_all_that_is_wrong_with_them_is_said() -> None:
    rates = load_settings({"ORCHESTRATOR_PROVIDER_RATES": "sendgrid=100/second,acme=1/second"}).provider_rates
    assert [(one.provider, one.rate.amount, one.rate.seconds) for one in rates] == [
        ("sendgrid", 100, 1),
        ("acme", 1, 1),
    ]
    (problem,) = _problems(PROVIDER_RATES="sendgrid=fast,twilio")
    assert problem.startswith("ORCHESTRATOR_PROVIDER_RATES: 'sendgrid=fast': expected provider=amount/second")
    assert "'twilio': expected" in problem
    (problem,) = _problems(PROVIDER_RATES="sendgird=100/second")
    assert problem == "ORCHESTRATOR_PROVIDER_RATES: no provider 'sendgird'; did you mean 'sendgrid'?"


def test_a_proxy_is_named_by_address_or_network() -> None:
    named = load_settings({"ORCHESTRATOR_TRUSTED_PROXIES": "10.0.0.7, 172.18.0.0/16 ::1"}).trusted_proxies
    assert named == ("10.0.0.7", "172.18.0.0/16", "::1")
    for wrong in ("proxy.internal", "10.0.0.1/8"):
        (problem,) = _problems(TRUSTED_PROXIES=f"127.0.0.1,{wrong}")
        assert problem.startswith("ORCHESTRATOR_TRUSTED_PROXIES: expected addresses or networks")
        assert repr(wrong) in problem


def test_other_programs_variables_are_left_alone() -> None:
    assert (
        load_settings({"ORCHESTRATOR_TEST_DATABASE_URL": "x", "ORCHESTRATOR_SHARED": "y", "PORT": "z"}).port
        == 8080
    )


def test_values_given_by_name_do_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_PORT", "9999")
    assert Settings().port == 8080


@pytest.mark.parametrize(
    ("broker", "own", "used"),
    [
        ("redis://b/0", "", "redis://b/0"),
        ("redis://b/0", "redis://r/1", "redis://r/1"),
        ("amqp://b//", "", None),
        ("amqp://b//", "redis://r/1", "redis://r/1"),
    ],
)
def test_redis_is_the_broker_unless_named(broker: str, own: str, used: str | None) -> None:
    environ = {"ORCHESTRATOR_BROKER_URL": broker, "ORCHESTRATOR_REDIS_URL": own}
    assert load_settings(environ).redis == used


def test_a_machine_of_its_own_makes_its_keys_once_and_keeps_them_to_itself(tmp_path: Path) -> None:
    first, second = Settings(data_dir=tmp_path / "data"), Settings(data_dir=tmp_path / "data")
    assert first.signing_keys() == second.signing_keys()
    assert first.accepted_api_keys() == second.accepted_api_keys()
    for name in ("secret_key", "api_key"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600


def test_a_key_is_found_by_its_secret_or_by_its_hash_alone() -> None:
    hashed = "sha256$9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f"
    keys = parse_api_keys(f"crm:{API_SECRET}:read+erase  etl:another-secret-of-length")
    found = find_api_key(keys, API_SECRET)
    assert found is not None
    assert (found.name, found.scopes) == ("crm", {"read", "erase"})
    assert find_api_key(keys, "no such secret") is None
    assert find_api_key(parse_api_keys(f"crm:{hashed}"), API_SECRET) is not None


@pytest.mark.parametrize("text", ["crm", ":x", f"crm:{API_SECRET}:fly", f"a:{API_SECRET} a:{API_SECRET}x"])
def test_a_malformed_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key"):
        parse_api_keys(text)


def test_printing_settings_shows_no_secret() -> None:
    settings = load_settings(PRODUCTION | {"ORCHESTRATOR_SENDGRID_WEBHOOK_PUBLIC_KEY": "public"})
    shown = repr(settings)
    for secret in (SIGNING, API_SECRET, "u:p@"):
        assert secret not in shown
