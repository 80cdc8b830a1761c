"""The pages of the dashboard."""

from __future__ import annotations

from orchestrator.web.dashboard import customers, frame, operations, playbooks

DASHBOARD_ROUTERS = (frame.router, playbooks.router, customers.router, operations.router)
