"""Whether a scan has anybody to ask about a calendar, before anybody is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from orchestrator.core.calendar import may_lie_ahead
from orchestrator.language.account.calendar import CalendarRow, Calendars, OwnDates
from orchestrator.language.model import Enter, Reentry
from orchestrator.language.moments import Duration

BLACK_FRIDAY = CalendarRow(key="bf", name="Black Friday", starts=date(2026, 11, 27), ends=date(2026, 11, 30))
SHARED = Calendars(rows=(("sales", (BLACK_FRIDAY,)),))
MONTH_AHEAD = Enter(reentry=Reentry(), calendar=("sales",), ahead=Duration(count=31, unit="d"))


@pytest.mark.parametrize(
    ("days_before", "asked"),
    [(40, False), (33, False), (32, True), (31, True), (0, True), (-1, True), (-2, False)],
)
def test_a_shared_event_is_asked_about_while_it_can_lie_ahead_of_somebody(
    days_before: int, asked: bool
) -> None:
    now = datetime(2026, 11, 27, 5, tzinfo=UTC) - timedelta(days=days_before)
    assert may_lie_ahead(MONTH_AHEAD, SHARED, now) is asked


def test_a_customers_own_dates_are_asked_about_every_day() -> None:
    own = Calendars(own=(("sales", OwnDates(starts="a", ends="b", name="yours")),))
    assert may_lie_ahead(MONTH_AHEAD, own, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_calendar_that_does_not_exist_asks_nobody() -> None:
    assert not may_lie_ahead(MONTH_AHEAD, Calendars(), datetime(2026, 11, 1, tzinfo=UTC))
