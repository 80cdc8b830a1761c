"""What the product API takes and gives besides the Segment shapes: pydantic at the edge, dataclasses inside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from orchestrator.records.consent import WITHDRAWAL_EFFECT
from orchestrator.records.enrollment import Enrollment, Phase
from orchestrator.records.intake import IngestReport, Refused, ResponseOutcome
from orchestrator.records.preferences import OptOutReceipt, StoppedStatus
from orchestrator.web.api.segment import Instant, JsonFacts, Key


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RefusedItem(BaseModel):
    index: int = Field(description="Place in the batch, from 0")
    path: str = Field(description="JSON path of the bad field")
    problem: str


class IngestResult(BaseModel):
    """What became of the calls. ``repeated`` were known by their messageId and changed nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": False,
                    "taken": 41,
                    "repeated": 1,
                    "refused": [{"index": 7, "path": "$.batch[7].userId", "problem": "this field is needed"}],
                }
            ]
        }
    )

    success: bool
    taken: int
    repeated: int
    refused: list[RefusedItem] = []

    @classmethod
    def of(cls, report: IngestReport, more: list[Refused] | None = None) -> IngestResult:
        refused = sorted([*(more or []), *report.refused], key=lambda item: item.index)
        return cls(
            success=not refused,
            taken=report.taken,
            repeated=report.repeated,
            refused=[RefusedItem(index=item.index, path=item.path, problem=item.problem) for item in refused],
        )


class StartRequest(_Strict):
    """Start a playbook for one customer. The same ``key`` starts it once."""

    customer: Key = Field(examples=["anna"])
    context: JsonFacts = Field(
        default_factory=dict,
        description="What the playbook declares under `context`",
        examples=[{"checkout_id": "c-17", "target_plan": "Scale"}],
    )
    key: Key | None = Field(
        default=None, description="Idempotency key of this start", examples=["checkout-c-17"]
    )


class EnrollmentBody(BaseModel):
    """One customer's enrollment in one playbook version."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["e_1-2"])
    customer: str = Field(examples=["anna"])
    playbook: str = Field(examples=["power_user_upsell"])
    version: int
    step: str
    phase: Phase
    entered_at: datetime
    held_out: bool = Field(
        description="In the holdout: goes through the steps, but is deliberately not contacted"
    )
    because: str | None
    context: dict[str, Any]
    ended_at: datetime | None = None
    end_status: str | None = None
    created: bool = Field(default=True, description="False: it had been started before and this is it")

    @classmethod
    def of(cls, enrollment: Enrollment) -> EnrollmentBody:
        return cls.model_validate(enrollment)


class RespondRequest(_Strict):
    """What a customer did with a message, reported by the product or by a tool for people."""

    outcome: ResponseOutcome = Field(
        validation_alias=AliasChoices("outcome", "word"),  # its name until 0.2
        examples=["replied"],
    )
    detail: Key | None = Field(
        default=None, description="Link or button name, answer key or closing reason", examples=["interested"]
    )
    comment: str | None = Field(default=None, max_length=4000)
    source_id: Key | None = Field(default=None, description="The response counts once per source_id")
    at: Instant | None = Field(default=None, description="When it happened; default: now")


class RespondResult(BaseModel):
    recorded: bool = Field(description="False: this response was known already")


class ConsentRequest(_Strict):
    """Withdraw or grant. ``*`` means every channel or every topic; a grant re-opens only what it names."""

    channel: Key = Field(default="*", examples=["sms"])
    topic: Key = Field(default="*", examples=["upsell"])
    source: str = Field(
        default="api", max_length=255, description="Where the person said so", examples=["settings page"]
    )
    wording: str | None = Field(default=None, max_length=4000, description="What the person was told")
    wording_locale: str | None = Field(default=None, max_length=35)
    source_id: Key | None = None


class StoppedView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    playbook: str
    step: str
    channel: str
    status: StoppedStatus


class ReceiptView(BaseModel):
    """What an opt-out stopped."""

    model_config = ConfigDict(from_attributes=True)

    customer: str
    channel: str
    topic: str
    effective_at: datetime
    already: bool = Field(description="It was in force, or heard, before; nothing new was written")
    messages: list[StoppedView] = Field(
        description="`cancelled`: was planned; `withdrawn`: lay unseen in the feed; `on_the_wire`: may still arrive"
    )
    ended_playbooks: list[str] = Field(
        description="Of a no to every channel: playbooks that end for the customer as soon as they hear of it"
    )
    effect: str = Field(
        description="What an opt-out does, and what it cannot do", examples=[WITHDRAWAL_EFFECT]
    )

    @classmethod
    def of(cls, receipt: OptOutReceipt) -> ReceiptView:
        return cls.model_validate(receipt)


class FeedToken(BaseModel):
    """What the product's page gives to the widget, so that it may read one customer's feed."""

    token: str
    expires_in: int = Field(description="Seconds", examples=[86400])


class ProblemView(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["urn:orchestrator:problem:invalid"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["2 fields are wrong"])
    errors: list[dict[str, str]] = Field(
        default=[], examples=[[{"path": "$.traits.renews_at", "problem": "expected a date"}]]
    )
