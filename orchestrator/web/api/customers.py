"""Reading, exporting and erasing one customer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.records.erasure import ForgetOutcome
from orchestrator.records.message import PolicyMoment, VerdictKind
from orchestrator.web.api import openapi
from orchestrator.web.deps import Eraser, Reader, TheEngine, TheWithdrawals

router = APIRouter(prefix="/v1/customers", tags=["customers"], responses=openapi.ALWAYS | openapi.MISSING)


class ConsentView(BaseModel):
    """What one customer said about one channel and topic."""

    model_config = ConfigDict(from_attributes=True)

    channel: str
    topic: str
    granted: bool
    basis: str
    since: datetime
    expires_at: datetime | None = None


class CustomerEnrollmentBody(BaseModel):
    """One enrollment in a playbook, the latest first."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    playbook: str
    version: int
    step: str
    entered_at: datetime
    ended_at: datetime | None
    end_status: str | None
    held_out: bool


class CustomerView(BaseModel):
    """What is known about a customer now; history is in the timeline."""

    key: str
    account: str | None
    attributes: dict[str, Any]
    account_attributes: dict[str, Any]
    tags: list[str]
    channels: dict[str, str | None] = Field(
        description="Each channel with an address: null, or why it must not be used"
    )
    timezone: str | None
    timezone_source: str | None
    locale: str | None
    region: str | None
    last_seen_at: datetime | None
    consents: list[ConsentView]
    playbooks: list[CustomerEnrollmentBody]


class TimelineEntryBody(BaseModel):
    """One thing that happened, with a sentence for people."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    kind: str
    words: str
    playbook: str | None = None
    step: str | None = None
    enrollment_id: str | None = None
    message_id: str | None = None
    data: dict[str, Any] = {}


class AnswerView(BaseModel):
    """What the guardrails answered; equal answers in a row are one."""

    model_config = ConfigDict(from_attributes=True)

    asked: PolicyMoment
    channel: str
    policy: str = Field(description="The guardrail that decided; `all` when every one allowed")
    verdict: VerdictKind
    why: str
    until: datetime | None = Field(description="When it is asked again")
    first_at: datetime
    last_at: datetime
    count: int


class ExplanationView(BaseModel):
    """Why one message was, or was not, sent."""

    model_config = ConfigDict(from_attributes=True)

    message_id: str
    enrollment_id: str
    playbook: str
    step: str
    kind: str
    channel: str
    status: str
    policy: str | None = Field(description="The guardrail that decided it, if one did")
    why: str = Field(description="A sentence for people")
    planned_at: datetime
    at: datetime = Field(description="Since when this is so")
    answers: list[AnswerView] = Field(description="Every answer of the guardrails, oldest first")


class ForgotView(BaseModel):
    """What one provider answered when told to forget the customer."""

    model_config = ConfigDict(from_attributes=True)

    channel: str
    provider: str
    outcome: ForgetOutcome = Field(
        description="`done`: deleted, or taken on for deletion; `failed`: with `anyway` only; `by_hand`: it has no way "
        "to be told, and you have to"
    )
    count: int = Field(description="How many addresses or messages it was about")
    detail: str | None


class ErasedView(BaseModel):
    erased: str = Field(description="The key, which nobody has any more", examples=["anna"])
    providers: list[ForgotView] = Field(
        description="Empty: nothing of this customer had been handed to a provider"
    )


class TimelineView(BaseModel):
    customer: str
    entries: list[TimelineEntryBody] = Field(description="Oldest first")
    explanations: list[ExplanationView] = Field(description="Each message, oldest first")
    older: int = Field(description="How many entries before the first are left out")


@router.get(
    "/{key:path}/timeline", summary="Everything that happened, and why each message was or was not sent"
)
def timeline(
    engine: TheEngine,
    _caller: Reader,
    key: openapi.CustomerKey,
    limit: Annotated[int, Query(ge=1, le=5000, description="The latest so many, of each list")] = 500,
) -> TimelineView:
    told = engine.reports.timeline(key).latest(limit)
    return TimelineView(
        customer=key,
        entries=[TimelineEntryBody.model_validate(entry) for entry in told.entries],
        explanations=[ExplanationView.model_validate(one) for one in told.explanations],
        older=told.older,
    )


@router.get("/{key:path}/export", summary="Everything stored about a customer")
def export(engine: TheWithdrawals, _caller: Reader, key: openapi.CustomerKey) -> dict[str, Any]:
    """Complete and machine-readable (GDPR, Art. 15 and 20)."""
    return engine.export(key)


@router.delete("/{key:path}", summary="Erase a customer")
def erase(
    engine: TheWithdrawals,
    _caller: Eraser,
    key: openapi.CustomerKey,
    anyway: Annotated[bool, Query(description="Also when a provider cannot be told to forget")] = False,
) -> ErasedView:
    """Removes personal data here and at the providers, and tells what each provider answered; a keyed hash stays, so
    that a re-import cannot bring the person back. 503: a provider could not be told yet. Nothing is sent any more; send
    the same request again."""
    receipt = engine.erase(key, anyway=anyway)
    return ErasedView(erased=key, providers=[ForgotView.model_validate(one) for one in receipt.providers])


# Last: a key may hold slashes, and this address would swallow the ones above.
@router.get("/{key:path}", summary="What is known about a customer")
def customer(engine: TheEngine, _caller: Reader, key: openapi.CustomerKey) -> CustomerView:
    """Profile, consents and enrollments."""
    profile = engine.reports.profile(key)
    found = profile.customer
    return CustomerView(
        key=found.key,
        account=found.account_key,
        attributes=dict(found.attributes),
        account_attributes=dict(found.account_attributes),
        tags=list(found.tags),
        channels={point.channel: point.invalid_reason for point in found.contact_points},
        timezone=found.timezone,
        timezone_source=found.timezone_source,
        locale=found.locale,
        region=found.region,
        last_seen_at=found.last_seen_at,
        consents=[ConsentView.model_validate(row) for row in profile.consents],
        playbooks=[CustomerEnrollmentBody.model_validate(row) for row in profile.enrollments],
    )
