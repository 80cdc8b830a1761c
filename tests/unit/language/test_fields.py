"""One annotation on a class is a field of the language: read, written, offered to editors and typed for authors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args, get_type_hints

import pytest

from orchestrator.language.fields import Field, declared, keys_of
from orchestrator.language.model import ACTIONS, Action, Wait
from orchestrator.language.moments import Duration
from orchestrator.language.outcomes import Kind
from orchestrator.language.problems import Problems
from orchestrator.language.reading.blocks import block
from orchestrator.language.reading.yaml_tree import read_yaml
from orchestrator.language.writing.author_writer import parameter
from orchestrator.language.writing.json_schema import block_schema
from orchestrator.language.writing.plain_writer import plain_block


@dataclass(frozen=True, kw_only=True, slots=True)
class Bell:
    """A block that no file of the language has."""

    rings: Annotated[int, Field("whole", "how often it rings", needs="how often it rings", least=1, most=3)]
    as_: Annotated[Literal["soft", "loud"], Field("choice", "how it sounds")] = "soft"
    after: Annotated[Duration | None, Field("duration", "how long it waits", key="quiet.after")] = None


def reads(text: str) -> tuple[Bell | None, list[str]]:
    problems = Problems()
    tree = read_yaml(text, "bell.yaml", problems)
    assert tree is not None
    return block(Bell, tree, "bell", problems), [one.message for one in problems.sorted()]


def test_a_block_is_read_as_its_class_declares_it() -> None:
    assert reads("{rings: 2, as: loud, quiet: {after: 12h}}") == (
        Bell(rings=2, as_="loud", after=Duration(count=12, unit="h")),
        [],
    )
    assert reads("rings: 1") == (Bell(rings=1), [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("as: soft", "bell: 'rings' is missing: expected how often it rings"),
        ("rings: 4", "bell: rings: expected a whole number from 1 to 3, got 4"),
        ("{rings: 1, as: lod}", "bell: as: expected soft or loud, got 'lod'; did you mean 'loud'?"),
        ("{rings: 1, tone: c}", "bell: 'tone' is no field here; the fields are rings, as or quiet"),
        ("{rings: 1, quiet: {aftr: 1d}}", "bell: quiet: 'aftr' is no field here; did you mean 'after'?"),
        ("[1]", "bell: expected a mapping with rings, as or quiet, got a list"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_declaration(text: str, said: str) -> None:
    assert reads(text)[1] == [said]


def test_what_differs_from_its_default_is_written() -> None:
    assert plain_block(Bell(rings=2)) == {"rings": 2}
    bell = Bell(rings=2, as_="loud", after=Duration(count=12, unit="h"))
    assert plain_block(bell) == {"rings": 2, "as": "loud", "quiet": {"after": "12h"}}


def test_editors_are_offered_the_fields_and_what_they_take() -> None:
    schema = block_schema(Bell)
    assert tuple(schema["properties"]) == keys_of(Bell) == ("rings", "as", "quiet")
    assert schema["properties"]["rings"] == {"type": "integer", "minimum": 1, "maximum": 3}
    assert schema["properties"]["as"] == {"enum": ["soft", "loud"]}
    assert schema["required"] == ["rings"]


def test_authors_are_given_typed_parameters() -> None:
    assert [parameter(one) for one in declared(Bell)] == [
        "rings: int",
        'as_: Literal["soft", "loud"] | None = None',
        "after: Span | None = None",
    ]


def test_each_action_is_a_kind_of_step() -> None:
    kinds = {"wait" if block is Wait else key for key, block in ACTIONS.items()}
    assert kinds == set(get_args(Kind))
    assert set(ACTIONS.values()) == set(get_args(Action))


def test_an_attribute_without_a_field_is_not_of_the_language() -> None:
    @dataclass(frozen=True)
    class Plain:
        name: str

    assert get_type_hints(Plain) == {"name": str}
    assert keys_of(Plain) == ()
