"""The web process: everything the engine shows to products, customers, providers and operators."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry

from orchestrator.engine import Engine
from orchestrator.rate_limits.limiter import make_limiter
from orchestrator.settings import Settings
from orchestrator.web import health, problems
from orchestrator.web.api.routers import API_ROUTERS
from orchestrator.web.customer_pages import answers, clicks, opt_out, preferences
from orchestrator.web.dashboard.frame import login_needed
from orchestrator.web.dashboard.routers import DASHBOARD_ROUTERS
from orchestrator.web.dashboard.sessions import LoginNeeded, Sessions
from orchestrator.web.feed import routes, stream
from orchestrator.web.health import EngineCollector
from orchestrator.web.middleware.body_limit import BodyLimit
from orchestrator.web.middleware.cors import PageCors
from orchestrator.web.middleware.lanes import Lanes
from orchestrator.web.middleware.request_log import HttpMetrics, Observed
from orchestrator.web.middleware.throttle import Throttle
from orchestrator.web.webhooks import receive

STATIC = Path(__file__).with_name("static")
ROUTERS = (
    *API_ROUTERS,
    routes.router,
    stream.router,
    opt_out.router,
    preferences.router,
    clicks.router,
    answers.router,
    receive.router,
    health.router,
    *DASHBOARD_ROUTERS,
)


def create_app(engine: Engine, settings: Settings) -> FastAPI:
    """An application over one engine. It holds no state of its own: any number of processes may run it."""
    app = FastAPI(
        title="Orchestrator",
        version=version("orchestrator"),
        summary="Expansion revenue playbooks: signals in, messages out, nothing sent twice",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    https = settings.base_url.startswith("https://")
    registry = CollectorRegistry()
    registry.register(EngineCollector(engine))
    app.state.engine = engine
    app.state.settings = settings
    app.state.registry = registry
    app.state.api_keys = settings.accepted_api_keys()
    app.state.sessions = Sessions(
        keys=settings.signing_keys(),
        api_keys=app.state.api_keys,
        secure=https,
        password=settings.dashboard_password.get_secret_value() if settings.dashboard_password else None,
    )
    app.state.throttle = Throttle(make_limiter(settings.redis), key=settings.signing_keys()[-1])
    problems.install(app)
    app.add_exception_handler(LoginNeeded, login_needed)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Lanes)
    app.add_middleware(BodyLimit)
    app.add_middleware(PageCors, origins=settings.allowed_origins)
    app.add_middleware(Observed, metrics=HttpMetrics(registry), https=https)
    return app
