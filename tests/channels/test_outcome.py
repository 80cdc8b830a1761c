"""Every status an HTTP answer can have, and every error of our wire, has one meaning for a message."""

from __future__ import annotations

import pytest

from channels import errors
from channels.base import SendStatus
from channels.outcome import from_error, from_status

AGAIN = {429}
OURS = {401, 403}


@pytest.mark.parametrize("retry_after", [None, "7"])
def test_a_status_has_one_meaning(retry_after: str | None) -> None:
    for status in range(100, 600):
        judge(status, retry_after)


def judge(status: int, retry_after: str | None) -> None:
    handed = from_status("x", status, {"retry-after": retry_after} if retry_after else {})
    if status in AGAIN or (status == 503 and retry_after):
        wanted = SendStatus.TRY_AGAIN
    elif 300 <= status < 500 and status != 408:
        wanted = SendStatus.REFUSED
    else:
        wanted = SendStatus.UNCERTAIN  # it may have been sent
    assert handed.result is wanted, status
    assert handed.alert is (status in OURS or 300 <= status < 400)
    assert handed.retry_after == (7.0 if wanted is SendStatus.TRY_AGAIN and retry_after else None)
    assert handed.code == f"http_{status}"


def _kinds(kind: type[errors.ChannelError]) -> set[type[errors.ChannelError]]:
    return {kind, *(one for below in kind.__subclasses__() for one in _kinds(below))}


MEANINGS = {
    errors.NotSentError: (SendStatus.TRY_AGAIN, False),
    errors.ForbiddenError: (SendStatus.REFUSED, True),
    errors.InDoubtError: (SendStatus.UNCERTAIN, False),
    errors.UnmappedHostError: (SendStatus.REFUSED, True),
}


@pytest.mark.parametrize("error", sorted(_kinds(errors.ChannelError), key=lambda kind: kind.__name__))
def test_an_error_of_the_wire_has_one_meaning(error: type[errors.ChannelError]) -> None:
    wanted = next((MEANINGS[kind] for kind in error.__mro__ if kind in MEANINGS), (SendStatus.REFUSED, True))
    made = error("x", "y") if error is errors.UnmappedHostError else error("x")
    handed = from_error("x", made)
    assert (handed.result, handed.alert) == wanted
