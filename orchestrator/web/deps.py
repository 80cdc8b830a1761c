"""What handlers are given: the engine of their application and the caller whose key was checked."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from orchestrator.engine import Engine
from orchestrator.keys import ApiKey
from orchestrator.settings import Settings
from orchestrator.web.api.auth import require
from orchestrator.web.api.idempotency import Idempotency


def _engine(request: Request) -> Engine:
    return cast(Engine, request.app.state.engine)


def _withdrawals(request: Request) -> Engine:
    return _engine(request).for_withdrawals()


def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


def _idempotency(request: Request) -> Idempotency:
    return Idempotency(engine=_engine(request))


def _withdrawals_idempotency(request: Request) -> Idempotency:
    return Idempotency(engine=_withdrawals(request))


TheEngine = Annotated[Engine, Depends(_engine)]
TheWithdrawals = Annotated[Engine, Depends(_withdrawals)]
"""The engine over the connections of withdrawals; :mod:`orchestrator.web.middleware.lanes` keeps threads for them."""
TheSettings = Annotated[Settings, Depends(_settings)]
Once = Annotated[Idempotency, Depends(_idempotency)]
OnceWithdrawn = Annotated[Idempotency, Depends(_withdrawals_idempotency)]
Reporter = Annotated[ApiKey, Depends(require("signals"))]
Product = Annotated[ApiKey, Depends(require("product"))]
Reader = Annotated[ApiKey, Depends(require("read"))]
Operator = Annotated[ApiKey, Depends(require("operate"))]
Eraser = Annotated[ApiKey, Depends(require("erase"))]
