"""Asks the whole base: about playbooks that enter by a daily scan or a calendar, and about another policy.

Questions are appended as background, a page at a time, as far as there is room among those that wait; the sweep goes
on. Conditions are asked under the customer's lock by whoever applies them.
"""

from __future__ import annotations

from datetime import datetime

from orchestrator.clock import monotonic
from orchestrator.core.calendar import may_lie_ahead
from orchestrator.service.context import ServiceContext
from orchestrator.service.ports import Transaction
from orchestrator.telemetry import emit


def scan(services: ServiceContext) -> int:
    """Begin what is asked once a day: how many questions were appended now, more of them by :func:`go_on`."""
    with services.store.begin() as transaction:
        now = transaction.instants().business
        names = _scanned(transaction, now)
        transaction.base_scans.begin_playbooks(dict.fromkeys(names, now.date().isoformat()))
    started = monotonic()
    asked = go_on(services)
    if asked:
        seconds = round(monotonic() - started, 3)
        emit("scan.done", playbooks=len(names), asked=asked, seconds=seconds)
    return asked


def go_on(services: ServiceContext) -> int:
    """Ask on where scans stopped, until nobody is left or enough waits: how many questions were appended."""
    asked = 0
    while True:
        with services.store.begin() as transaction:
            page = transaction.base_scans.ask_page(transaction.instants().business)
        if page is None:
            return asked
        asked += page


def _scanned(transaction: Transaction, now: datetime) -> list[str]:
    catalogue = transaction.catalogue(at_once=True)
    return sorted(
        one.name
        for one in catalogue.newest.values()
        if (
            one.playbook.enter.every is not None
            or may_lie_ahead(one.playbook.enter, catalogue.calendars, now)
        )
        and one.name not in catalogue.paused
    )
