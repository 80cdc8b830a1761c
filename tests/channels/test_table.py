"""The table of channels: what a row must say, and what becomes of a row that cannot be meant."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from channels import registry
from channels.errors import BadChannelError
from channels.table import BUILT_IN, GROUP, WITHOUT_ROW, ChannelTable, channel_table, read_rows
from channels.traits import ChannelTraits

LABEL = {"en": "Push notification"}


def row(name: str = "push", **facts: Any) -> ChannelTraits:
    given: dict[str, Any] = {"label": LABEL, "at_once": ("clicked",), "key_reaches": True}
    return ChannelTraits(name=name, **(given | facts))


@pytest.fixture
def acme() -> Iterator[None]:
    """A package that offers rows, good and bad."""
    module = ModuleType("acme_rows")
    module.__dict__.update(push=row(), number=7)
    sys.modules["acme_rows"] = module
    yield
    del sys.modules["acme_rows"]


def test_every_built_in_row_has_an_adapter() -> None:
    assert {one.name for one in BUILT_IN} <= {point.name for point in registry.BUILT_IN}


def test_every_built_in_channel_is_named_in_every_language_of_the_pages() -> None:
    assert {one.name: sorted(one.label) for one in BUILT_IN} == {one.name: ["de", "en"] for one in BUILT_IN}


def test_a_name_without_a_row_is_told_and_heard_like_a_webhook() -> None:
    found, webhook = channel_table().of("crm"), channel_table().of("webhook")
    assert found is WITHOUT_ROW
    assert (found.at_once, found.judged, found.header) == (webhook.at_once, webhook.judged, webhook.header)
    assert found.reaches_person
    assert not webhook.reaches_person


def test_whatsapp_speaks_to_the_phone_number_and_obeys_its_quiet_hours() -> None:
    whatsapp = channel_table().of("whatsapp")
    assert whatsapp.contact_points == ("whatsapp", "sms")
    assert whatsapp.quiet_hours_of == ("sms",)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"name": "push2"}, "its name must be of small letters and _"),
        ({"name": "preferred"}, "and mean nothing else"),
        ({"label": {"de": "Push"}}, "expected a label in English"),
        ({"at_once": ("swiped",)}, "'swiped' is no outcome of at_once; they are answered, clicked"),
        ({"judged": ("unknown",)}, "'no_response' must stand last in judged"),
        ({"key_reaches": False}, "it reaches nobody"),
        ({"address": "opaque"}, "address and trait go together"),
        ({"html_needs": ("subject",)}, "what html_needs must be fields of its header"),
    ],
)
def test_a_row_that_cannot_be_meant_says_why(facts: dict[str, Any], words: str) -> None:
    with pytest.raises(BadChannelError) as caught:
        row(**facts)
    assert words in str(caught.value)


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("push", "no_such_module:ROW", "expected an importable 'module:ROW', got 'no_such_module:ROW'"),
        ("push", "acme_rows:number", "to be a ChannelTraits, got a int"),
        ("pull", "acme_rows:push", "is the row of 'push'"),
    ],
)
def test_an_entry_point_that_is_no_row_of_its_name_says_so(name: str, value: str, words: str) -> None:
    with pytest.raises(BadChannelError) as caught:
        list(read_rows([EntryPoint(name=name, value=value, group=GROUP)]))
    assert words in str(caught.value)


def test_two_rows_of_one_name_or_one_trait_are_refused() -> None:
    with pytest.raises(BadChannelError, match="two rows say what the channel 'email' is"):
        ChannelTable((*BUILT_IN, row("email")))
    with pytest.raises(BadChannelError, match="the channels 'sms' and 'push' both read the trait 'phone'"):
        ChannelTable((*BUILT_IN, row(address="phone", trait="phone")))


def test_a_trait_with_a_meaning_of_its_own_carries_no_address() -> None:
    with pytest.raises(BadChannelError, match="the trait 'timezone' means something else"):
        row(address="opaque", trait="timezone")
