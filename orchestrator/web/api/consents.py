"""Consents recorded elsewhere, and the proof of what each customer said."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.records.consent import (
    ConsentBasis,
    ConsentEvidence,
    ConsentFact,
    ConsentMethod,
    ImportedAction,
)
from orchestrator.web.api import openapi
from orchestrator.web.api.segment import Instant, Key
from orchestrator.web.api.shapes import IngestResult
from orchestrator.web.deps import Product, Reader, TheEngine

router = APIRouter(prefix="/v1", tags=["consent"], responses=openapi.ALWAYS)

AT_MOST = 5000


class ConsentItem(BaseModel):
    """One grant or withdrawal. ``id`` makes it count once; without one its content does."""

    model_config = ConfigDict(extra="forbid")

    customer: Key = Field(examples=["anna"])
    action: ImportedAction
    occurred_at: Instant
    channel: Key = Field(default="*", examples=["email"])
    topic: Key = Field(default="*", examples=["upsell"])
    method: ConsentMethod = "import"
    source: str = Field(
        max_length=255, description="Where the person said so", examples=["newsletter form of the old shop"]
    )
    basis: ConsentBasis = "express"
    wording: str | None = Field(default=None, max_length=4000, description="What the person was told")
    wording_locale: str | None = Field(default=None, max_length=35)
    wording_version: Key | None = None
    jurisdiction: Key | None = Field(default=None, description="Default: from the customer's region")
    expires_at: Instant | None = None
    actor: Key = "customer"
    address: str | None = Field(
        default=None, max_length=320, description="Where it was given; only its keyed hash is kept"
    )
    evidence: dict[str, str] = Field(default={}, description="Stored and exported, never logged")
    id: Key | None = None

    def fact(self) -> ConsentFact:
        evidence = ConsentEvidence(
            method=self.method,
            source=self.source,
            basis=self.basis,
            actor=self.actor,
            wording=self.wording,
            wording_locale=self.wording_locale,
            wording_version=self.wording_version,
            jurisdiction=self.jurisdiction,
            expires_at=self.expires_at,
            details=self.evidence,
        )
        return ConsentFact(
            key=self.customer,
            action=self.action,
            occurred_at=self.occurred_at,
            channel=self.channel,
            topic=self.topic,
            address=self.address,
            source_id=self.id,
            evidence=evidence,
        )


class ConsentEntryBody(BaseModel):
    """One row of the ledger."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    source_id: str
    action: str
    channel: str
    topic: str
    basis: str
    method: str
    source: str
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    expires_at: datetime | None
    wording: str | None
    wording_locale: str | None
    wording_version: str | None
    wording_hash: str | None = Field(description="SHA-256 of the wording")
    sender: str | None
    jurisdiction: str | None
    address_hash: str | None = Field(description="Keyed hash of the address in force on the channel then")
    evidence: dict[str, Any]


class InForceView(BaseModel):
    """What holds for one channel and topic."""

    model_config = ConfigDict(from_attributes=True)

    channel: str
    topic: str
    says: Literal["granted", "withdrawn", "nothing"]
    may_speak: bool = Field(description="What consent alone says about a promotional message")
    since: datetime | None
    expires_at: datetime | None
    basis: str | None
    entry: int | None = Field(description="The ledger row that decides")


class HistoryView(BaseModel):
    """Who said what, when, how and what they were told."""

    model_config = ConfigDict(from_attributes=True)

    customer: str
    at: datetime
    entries: list[ConsentEntryBody]
    in_force: list[InForceView]


@router.post("/consents", summary="Import grants and withdrawals recorded elsewhere")
def import_consents(
    engine: TheEngine,
    _caller: Product,
    consents: Annotated[list[ConsentItem], Body(embed=True, min_length=1, max_length=AT_MOST)],
) -> IngestResult:
    """Good items are kept whatever is wrong with others; a repeated one changes nothing. A withdrawal is in force when
    this answers."""
    return IngestResult.of(engine.import_consents([item.fact() for item in consents]))


@router.get(
    "/customers/{key:path}/consents",
    summary="What a customer said about being spoken to, with its evidence, and what is in force",
    responses=openapi.MISSING,
)
def history(engine: TheEngine, _caller: Reader, key: openapi.CustomerKey) -> HistoryView:
    return HistoryView.model_validate(engine.consents(key))
