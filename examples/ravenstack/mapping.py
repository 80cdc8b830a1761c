"""RavenStack's tables as signals: one account is one customer, one row is one signal, dated by its own column."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.records.intake import Identify, Track

Row = dict[str, str]
Fact = Identify | Track

# The data names a country. Quiet hours and clock times need a zone: the one most of its people live in.
ZONES = {
    "US": "America/New_York",
    "UK": "Europe/London",
    "IN": "Asia/Kolkata",
    "AU": "Australia/Sydney",
    "DE": "Europe/Berlin",
    "CA": "America/Toronto",
    "FR": "Europe/Paris",
}
REGIONS = {"UK": "GB"}  # elsewhere the data's own code is the region's


@dataclass(frozen=True, kw_only=True, slots=True)
class Signal:
    """How one signal is read from one table. ``applies`` picks its rows, ``facts`` its properties."""

    name: str
    table: str
    row_id: str
    time: str
    facts: Callable[[Row], dict[str, Any]]
    applies: Callable[[Row], bool] = lambda row: True


def _flag(text: str) -> bool:
    return text == "True"


def _plan(row: Row) -> dict[str, Any]:
    return {"subscription": row["subscription_id"], "plan": row["plan_tier"], "mrr": int(row["mrr_amount"])}


def _feature(row: Row) -> dict[str, Any]:
    return {"feature": row["feature_name"], "count": int(row["usage_count"])}


def _ticket(row: Row) -> dict[str, Any]:
    return {
        "ticket": row["ticket_id"],
        "priority": row["priority"],
        "escalated": _flag(row["escalation_flag"]),
    }


# In the order in which signals of one instant are told.
SIGNALS: tuple[Signal, ...] = (
    Signal(
        name="account_created", table="accounts", row_id="account_id", time="signup_date",
        facts=lambda row: {
            "plan": row["plan_tier"], "seats": int(row["seats"]), "industry": row["industry"],
            "country": row["country"], "is_trial": _flag(row["is_trial"]),
        },
    ),
    Signal(
        name="subscription_started", table="subscriptions", row_id="subscription_id", time="start_date",
        facts=lambda row: _plan(row) | {
            "seats": int(row["seats"]), "is_trial": _flag(row["is_trial"]),
            "billing": row["billing_frequency"], "auto_renew": _flag(row["auto_renew_flag"]),
        },
    ),
    Signal(
        name="plan_upgraded", table="subscriptions", row_id="subscription_id", time="start_date",
        applies=lambda row: _flag(row["upgrade_flag"]), facts=_plan,
    ),
    Signal(
        name="plan_downgraded", table="subscriptions", row_id="subscription_id", time="start_date",
        applies=lambda row: _flag(row["downgrade_flag"]), facts=_plan,
    ),
    Signal(
        name="subscription_ended", table="subscriptions", row_id="subscription_id", time="end_date",
        facts=lambda row: _plan(row) | {"churned": _flag(row["churn_flag"])},
    ),
    Signal(
        name="feature_used", table="feature_usage", row_id="usage_id", time="usage_date",
        facts=lambda row: _feature(row) | {
            "duration": int(row["usage_duration_secs"]), "errors": int(row["error_count"]),
            "beta": _flag(row["is_beta_feature"]),
        },
    ),
    Signal(
        name="premium_module_opened", table="feature_usage", row_id="usage_id", time="usage_date",
        applies=lambda row: _flag(row["is_beta_feature"]), facts=_feature,
    ),
    Signal(
        name="support_ticket_opened", table="support_tickets", row_id="ticket_id", time="submitted_at", facts=_ticket
    ),
    Signal(
        name="support_ticket_closed", table="support_tickets", row_id="ticket_id", time="closed_at",
        facts=lambda row: _ticket(row) | (
            {"satisfaction": float(row["satisfaction_score"])} if row["satisfaction_score"] else {}
        ),
    ),
    Signal(
        name="account_churned", table="churn_events", row_id="churn_event_id", time="churn_date",
        facts=lambda row: {
            "reason": row["reason_code"], "refund": float(row["refund_amount_usd"] or 0),
            "feedback": row["feedback_text"], "is_reactivation": _flag(row["is_reactivation"]),
        },
    ),
)  # fmt: skip


def facts(folder: Path) -> list[Fact]:
    """Every profile and signal of the data, oldest first; equal instants in the order of SIGNALS, then of the files."""
    tables = {signal.table: _read(folder / f"{signal.table}.csv") for signal in SIGNALS}
    owners = {row["subscription_id"]: row["account_id"] for row in tables["subscriptions"]}
    dated: list[tuple[datetime, int, int, list[Fact]]] = []
    for rank, signal in enumerate(SIGNALS):
        for line, row in enumerate(tables[signal.table]):
            if row[signal.time] and signal.applies(row):
                at = instant(row[signal.time])
                account = row.get("account_id") or owners[row["subscription_id"]]
                dated.append((at, rank, line, list(_facts_of(signal, row, account, at))))
    dated.sort(key=lambda one: one[:3])
    told = [fact for *_, told in dated for fact in told]
    return list(_introduced(told, {row["account_id"]: row for row in tables["accounts"]}))


def instant(text: str) -> datetime:
    """A date or a time of the data; a date is its midnight, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _introduced(told: list[Fact], accounts: dict[str, Row]) -> Iterator[Fact]:
    """Each account's profile before the first thing it does: half of the usage is dated before the sign-up."""
    met: set[str] = set()
    for fact in told:
        if fact.key not in met:
            met.add(fact.key)
            yield _profile(accounts[fact.key], fact.occurred_at)
        yield fact


def _profile(row: Row, at: datetime | None) -> Identify:
    country = row["country"]
    traits = {
        "company": row["account_name"],
        "email": f"team@{row['account_id'].lower()}.example",
        "industry": row["industry"],
        "region": REGIONS.get(country, country),
        "timezone": ZONES[country],
        "signed_up_at": instant(row["signup_date"]).isoformat(),
        "plan": row["plan_tier"],
        "seats": int(row["seats"]),
    }
    return Identify(key=row["account_id"], traits=traits, occurred_at=at)


def _facts_of(signal: Signal, row: Row, account: str, at: datetime) -> Iterator[Fact]:
    """The signal, after the profile facts that the same row tells."""
    if signal.name == "subscription_started":
        traits = {"plan": row["plan_tier"], "seats": int(row["seats"]), "mrr": int(row["mrr_amount"])}
        yield Identify(key=account, traits=traits, occurred_at=at)
    yield Track(
        key=account,
        event=signal.name,
        properties=signal.facts(row),
        source_id=f"{signal.name}:{row[signal.row_id]}",
        occurred_at=at,
    )


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
