"""How a field of the language is declared: once, in the annotation of the model's attribute that it fills.

::

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Handoff:
        to: Annotated[str, Field("name", "who takes over", needs="who takes over, such as crm or support")]

From these declarations come the list of fields that are accepted and their reader (``reading.blocks``), the writer
(``writing.plain_writer``), the schema for editors (``writing.json_schema``), the builders of the Python face
(``writing.author_writer``) and the tables of the reference. Each knows every :data:`Spelling`; a new field of a known
spelling is one annotation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, MISSING, dataclass
from dataclasses import fields as dataclass_fields
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

Spelling = Literal[
    # one value
    "name", "dotted", "text", "whole", "flag", "percent", "duration", "moment", "clock", "date", "choice", "channel",
    "ending", "value", "kept",
    # one or several of them; "names" are always written as a list, the others alone when there is only one
    "names", "events", "channels", "channel_list", "answer_keys", "weekdays",
    # names the author chose, with a value each
    "types", "values", "filters", "answers", "shares", "regions", "texts", "links",
    # a shape of its own
    "condition", "until", "scale", "capped", "then", "routes", "reentry", "one_per", "branches",
    "offers", "quiet_hours", "steps",
    # declared fields of the attribute's own class: one mapping, a list of them, or one for each name
    "block", "rows", "named",
]  # fmt: skip


UNBOUNDED = 1_000_000_000  # beyond it a whole number is a slip of the keyboard


@dataclass(frozen=True, slots=True)
class Field:
    """What the language says of one attribute. ``doc`` is its line in the reference, in Markdown.

    ``needs`` is what an error says is expected where the field is missing; None: it may be left out. ``expected`` is
    what it says of a wrong list or mapping. ``key`` is its name in YAML where that is not the attribute's;
    ``zones.default`` is ``default`` inside ``zones``. ``alone``: the block may be written as this field's value, and
    must be where it is the only field. ``least`` and ``most`` bound whole numbers, ``least`` also the length of lists.
    ``read`` reads it where the spelling does not say all; ``of`` declares the fields of a block that is turned into
    another class.
    """

    spelling: Spelling
    doc: str
    _: KW_ONLY
    needs: str | None = None
    expected: str = ""
    key: str | None = None
    alone: bool = False
    least: int = 0
    most: int = UNBOUNDED
    read: Callable[..., object] | None = None
    of: type[object] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredField:
    """One field of a block: its :class:`Field` beside what the attribute itself says."""

    attribute: str
    key: str
    field: Field
    hint: object
    default: object

    @property
    def words(self) -> tuple[str, ...]:
        """The closed list of a ``choice``."""
        return tuple(word for word in _literals(self.hint) if isinstance(word, str))

    @property
    def block(self) -> type[Any]:
        """The class whose fields are meant: of the attribute, or of each of its items."""
        if self.field.of is not None:
            return self.field.of
        kinds = [one for one in (self.hint, *get_args(self.hint)) if isinstance(one, type)]
        return next(one for one in kinds if one is not NoneType)


# What was asked once: resolving hints is slow.
_DECLARED: dict[type[object], tuple[DeclaredField, ...]] = {}


def declared(block: type[object]) -> tuple[DeclaredField, ...]:
    """The fields of a block in written order; attributes without a :class:`Field` are none."""
    if block not in _DECLARED:
        _DECLARED[block] = tuple(_declared(block))
    return _DECLARED[block]


def _declared(block: type[object]) -> Iterator[DeclaredField]:
    hints = get_type_hints(block, include_extras=True)
    for attribute in dataclass_fields(block):  # type: ignore[arg-type]  # blocks are dataclasses
        hint = hints[attribute.name]
        if get_origin(hint) is Annotated:
            said = next(one for one in hint.__metadata__ if isinstance(one, Field))
            yield DeclaredField(
                attribute=attribute.name,
                key=said.key or attribute.name.removesuffix("_"),
                field=said,
                hint=hint.__origin__,
                default=None if attribute.default is MISSING else attribute.default,
            )


def groups(block: type[object]) -> dict[str, dict[str, DeclaredField]]:
    """The fields of a block by the key they stand under; under ``zones``, ``zones.default`` is ``default``.

    A field that stands by itself is alone in its group, under an empty name.
    """
    found: dict[str, dict[str, DeclaredField]] = {}
    for one in declared(block):
        head, _, tail = one.key.partition(".")
        found.setdefault(head, {})[tail] = one
    return found


def keys_of(block: type[object]) -> tuple[str, ...]:
    """The closed list of keys that a block accepts."""
    return tuple(groups(block))


def alone_in(block: type[object]) -> DeclaredField | None:
    """The field whose value may stand for the whole block."""
    return next((one for one in declared(block) if one.field.alone), None)


def _literals(hint: object) -> tuple[object, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(word for part in get_args(hint) for word in _literals(part))
