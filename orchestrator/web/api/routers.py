"""The routes of the product's HTTP API, in the order of its reference."""

from __future__ import annotations

from orchestrator.web.api import actions, consents, customers, playbooks, signals

API_ROUTERS = (signals.router, actions.router, consents.router, customers.router, playbooks.router)
