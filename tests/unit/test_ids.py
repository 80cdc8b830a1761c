"""Public ids lead back to their customer and have one spelling each."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InputError
from orchestrator.ids import ENROLLMENT, MESSAGE, PublicId, parse_public_id, public_id

bigints = st.integers(min_value=1, max_value=2**63 - 1)


@given(prefix=st.sampled_from([MESSAGE, ENROLLMENT]), customer=bigints, row=bigints)
def test_what_was_written_is_read_back(prefix: str, customer: int, row: int) -> None:
    text = public_id(prefix, customer, row)  # type: ignore[arg-type]
    assert parse_public_id(text) == PublicId(prefix=prefix, customer_id=customer, row_id=row)  # type: ignore[arg-type]
    assert re.fullmatch(r"[A-Za-z0-9_-]{5,25}", text), "safe in a URL, a header and a provider's argument"


@given(st.text(alphabet="me_-0aZ9é\x00 ", max_size=14))
def test_a_text_is_either_refused_or_the_only_spelling_of_an_id(text: str) -> None:
    try:
        parsed = parse_public_id(text)
    except InputError:
        return
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text", ["", "m", "m_g", "m_g-", "m_-7", "m_0g-7", "x_g-7", "m_g-7-7", "m_g-zzzzzzzzzzz", "m_ｇ-7"]
)
def test_what_was_never_written_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_public_id(text)


def test_an_id_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"expected an id like m_\.\.\., got 'e_g-7'"):
        parse_public_id("e_g-7", prefix=MESSAGE)


@pytest.mark.parametrize("number", [0, -1, 2**63])
def test_only_a_positive_bigint_has_an_id(number: int) -> None:
    with pytest.raises(ValueError, match="positive bigint"):
        public_id(MESSAGE, number, 1)
