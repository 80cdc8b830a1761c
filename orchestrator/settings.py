"""Settings: environment variables ``ORCHESTRATOR_*``, all problems listed at once before anything starts.

:func:`load_settings` is the only reader of the environment. With nothing set, everything runs on one machine: embedded
PostgreSQL, in-process runner, sandbox channels, keys made on first use in the data folder.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from orchestrator.errors import SettingsError
from orchestrator.keys import ApiKey, dev_key, parse_api_keys, parse_secret_keys
from orchestrator.rate_limits.provider_rates import ProviderRate, parse_provider_rates

PREFIX = "ORCHESTRATOR_"
_NOT_OURS = ("TEST_", "SHARED", "PYTHON", "BENCH_")  # read by scripts, tests and benchmarks
_PROVIDERS = ("feed", "function", "sandbox", "sendgrid", "twilio", "webhook")  # and those of other channels

Number = Annotated[int, Field(ge=1)]


class Settings(BaseSettings):
    """What a process was told. Build it with :func:`load_settings`; tests pass values by name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", validate_default=True)

    env: Literal["development", "production", "test"] = "development"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    public_url: str = ""
    """Where customers and providers reach the web process; default ``http://HOST:PORT``."""
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins whose pages may show the in-app feed and report signals."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses or networks of proxies whose X-Forwarded-* headers are believed, or ``*`` where only the proxy can
    connect. Of a proxy that is not named, all clients look like one."""
    data_dir: Path = Path(".orchestrator")
    playbooks: Path = Path("playbooks")
    log_format: Literal["json", "console"] | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    database_url: SecretStr | None = None
    broker_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    pool_size: Number = 5
    batch_size: Annotated[int, Field(ge=1, le=5000)] = 500
    send_threads: Annotated[int, Field(ge=1, le=512)] = 128
    """The most calls to providers that one process makes at a time; threads are added as calls take longer."""
    drain_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    withdrawal_log: Path | None = None
    """The folder of the withdrawal log: what is read when a backup was restored. On another disk than the database's;
    one folder a database."""
    provider_rates: Annotated[tuple[ProviderRate, ...], NoDecode] = ()
    """How many messages a provider is given: ``sendgrid=100/second,twilio=1/second``. Without Redis each process that
    hands over counts by itself."""
    clock_rate: Annotated[float, Field(ge=1, le=604_800)] = 1.0

    api_keys: Annotated[tuple[ApiKey, ...], NoDecode] = ()
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    dashboard_password: SecretStr | None = None
    """Opens the dashboard to people without an API key of their own."""
    runbook_url: str = ""
    """Where your copy of ``docs/runbook`` can be read: the dashboard links to the page of each fault there."""

    sendgrid_api_key: SecretStr | None = None
    sendgrid_webhook_public_key: str | None = None
    sendgrid_base_url: str = "https://api.sendgrid.com"
    email_from: str | None = None
    email_from_name: str | None = None
    email_reply_to: str | None = None
    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_from: str | None = None
    twilio_whatsapp_from: str | None = None
    twilio_conversations_service_sid: str | None = None
    twilio_base_url: str = "https://api.twilio.com"
    webhook_url: str | None = None
    """Where the webhook channel posts, and hand-overs to people without a channel of their own."""
    webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Sign what the webhook channel posts, newest first. Never the link-signing keys: the receiver knows these."""
    webhook_http_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts that may be posted to without TLS."""
    webhook_allow_private: bool = False
    """Whether the webhook channel may post to private addresses."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values alone: the environment is read in one place, :func:`load_settings`, where all problems are listed."""
        return (init_settings,)

    @field_validator("api_keys", mode="before")
    @classmethod
    def _read_api_keys(cls, value: object) -> object:
        return parse_api_keys(value) if isinstance(value, str) else value

    @field_validator("provider_rates", mode="before")
    @classmethod
    def _read_provider_rates(cls, value: object) -> object:
        return parse_provider_rates(value) if isinstance(value, str) else value

    @field_validator("secret_keys", mode="before")
    @classmethod
    def _read_secret_keys(cls, value: object) -> object:
        return parse_secret_keys(value) if isinstance(value, str) else value

    @field_validator(
        "allowed_origins", "trusted_proxies", "webhook_http_hosts", "webhook_secrets", mode="before"
    )
    @classmethod
    def _read_list(cls, value: object) -> object:
        return tuple(part for part in value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in value:
            _check_network(proxy)
        return value

    @field_validator("public_url", "runbook_url", "sendgrid_base_url", "twilio_base_url", "webhook_url")
    @classmethod
    def _check_web_url(cls, value: str | None) -> str | None:
        if value:
            _check_url(value, ("http", "https"))
        return value.rstrip("/") if value else value

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr | None) -> SecretStr | None:
        return _check_secret_url(value, ("postgresql", "postgres", "postgresql+psycopg"), host_needed=False)

    @field_validator("broker_url")
    @classmethod
    def _check_broker_url(cls, value: SecretStr | None) -> SecretStr | None:
        return _check_secret_url(value, ("redis", "rediss", "amqp", "amqps", "pyamqp"))

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        return _check_secret_url(value, ("redis", "rediss"))

    @property
    def base_url(self) -> str:
        """The public URL, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def redis(self) -> str | None:
        """Redis for rate limits and live push: its own setting, else the broker when that is Redis."""
        chosen = self.redis_url or self.broker_url
        url = chosen.get_secret_value() if chosen else ""
        return url if url.startswith("redis") else None

    @property
    def broker(self) -> str | None:
        return self.broker_url.get_secret_value() if self.broker_url else None

    def signing_keys(self) -> tuple[str, ...]:
        """Keys that sign links, newest first. Without any, one is made in the data folder on first use."""
        if self.secret_keys:
            return tuple(key.get_secret_value() for key in self.secret_keys)
        return (dev_key(self.data_dir / "secret_key"),)

    def told(self) -> dict[str, str | float]:
        """What a process says of its settings when it starts: nothing secret, no address."""
        broker = (self.broker or "none").partition(":")[0]
        return {"version": version("orchestrator"), "broker": broker, "clock_rate": self.clock_rate}

    def accepted_api_keys(self) -> tuple[ApiKey, ...]:
        """The API keys; in development without any, one with every scope, kept in ``data_dir/api_key``."""
        if self.api_keys or self.env == "production":
            return self.api_keys
        return parse_api_keys(f"local:{dev_key(self.data_dir / 'api_key')}:product+read+operate+erase")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the environment. Raises SettingsError with every problem found."""
    source = os.environ if environ is None else environ
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in source.items()
        if name.startswith(PREFIX) and value and not name.removeprefix(PREFIX).startswith(_NOT_OURS)
    }
    problems = [*_misspelt(given)]
    known: dict[str, Any] = {name: value for name, value in given.items() if name in Settings.model_fields}
    try:
        settings = Settings(**known)
    except ValidationError as error:
        wrong = {str(part["loc"][0]) for part in error.errors()}
        problems += [_in_words(dict(part)) for part in error.errors()]
        settings = Settings(**{name: value for name, value in known.items() if name not in wrong})
        problems += [text for names, text in _contradictions(settings) if not wrong & set(names)]
    else:
        problems += [text for _, text in _contradictions(settings)]
    if problems:
        raise SettingsError(problems)
    return settings


def _contradictions(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Settings that are fine alone and wrong together: (the fields concerned, what to do)."""
    production = settings.env == "production"
    if settings.database_url and not settings.secret_keys:
        yield (
            ("database_url", "secret_keys"),
            f"{PREFIX}SECRET_KEYS is needed with {PREFIX}DATABASE_URL, 32 characters or more: all processes sign alike",
        )
    if production and not settings.database_url:
        yield (
            ("database_url",),
            f"{PREFIX}DATABASE_URL is needed in production; the embedded one is for one machine",
        )
    if production and not settings.api_keys:
        yield (
            ("api_keys",),
            f"{PREFIX}API_KEYS is needed in production, as name:secret or name:secret:product+read",
        )
    if production and not settings.public_url.startswith("https://"):
        yield (
            ("public_url",),
            f"{PREFIX}PUBLIC_URL must be an https:// address in production; opt-out links use it",
        )
    if production and settings.clock_rate != 1:
        yield ("clock_rate",), f"{PREFIX}CLOCK_RATE is for rehearsals; in production it must be 1"
    if settings.sendgrid_api_key and not settings.email_from:
        yield (
            ("sendgrid_api_key", "email_from"),
            f"{PREFIX}EMAIL_FROM is needed with {PREFIX}SENDGRID_API_KEY",
        )
    if production and settings.sendgrid_api_key and not settings.sendgrid_webhook_public_key:
        yield (
            ("sendgrid_webhook_public_key",),
            f"{PREFIX}SENDGRID_WEBHOOK_PUBLIC_KEY is needed in production, else bounces and complaints are refused",
        )
    for rate in settings.provider_rates:
        close = difflib.get_close_matches(rate.provider, _PROVIDERS, n=1, cutoff=0.75)
        if close and rate.provider not in _PROVIDERS:
            yield (
                ("provider_rates",),
                f"{PREFIX}PROVIDER_RATES: no provider {rate.provider!r}; did you mean {close[0]!r}?",
            )
    if settings.webhook_url and not settings.webhook_secrets:
        yield (
            ("webhook_url", "webhook_secrets"),
            f"{PREFIX}WEBHOOK_SECRETS is needed with {PREFIX}WEBHOOK_URL: the receiver checks who posts",
        )
    twilio = ("twilio_account_sid", "twilio_auth_token", "twilio_from")
    missing = [name for name in twilio if not getattr(settings, name)]
    if missing and len(missing) < len(twilio):
        names = ", ".join(PREFIX + name.upper() for name in missing)
        yield twilio, f"{names}: needed too; Twilio's account SID, auth token and sender belong together"


def _misspelt(given: Mapping[str, str]) -> Iterator[str]:
    for name in given:
        if name not in Settings.model_fields:
            close = difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=0.75)
            if close:
                yield f"{PREFIX}{name.upper()} is no setting; did you mean {PREFIX}{close[0].upper()}?"


def _in_words(error: Mapping[str, Any]) -> str:
    """One pydantic error without its input: that may be a secret."""
    name = PREFIX + str(error["loc"][0]).upper()
    return f"{name}: {str(error['msg']).removeprefix('Value error, ')}"


def _check_secret_url(
    value: SecretStr | None, schemes: tuple[str, ...], *, host_needed: bool = True
) -> SecretStr | None:
    if value is not None:
        _check_url(value.get_secret_value(), schemes, host_needed=host_needed)
    return value


def _check_network(value: str) -> None:
    """A name would be believed by nobody, and a misspelt network neither."""
    try:
        if value != "*":
            ip_network(value)
    except ValueError:
        msg = f"expected addresses or networks such as 10.0.0.7 or 10.0.0.0/24, or *; got {value!r}"
        raise ValueError(msg) from None


def _check_url(value: str, schemes: tuple[str, ...], *, host_needed: bool = True) -> None:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in schemes or (host_needed and not parts.hostname):
        msg = f"expected a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)} and names a host"
        raise ValueError(msg)
