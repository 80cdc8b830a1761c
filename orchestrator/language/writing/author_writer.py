"""Writes ``language/author.py``, the builders of the Python face, from the declared fields.

``python -m orchestrator.language.writing.author_writer`` writes it anew; a test fails while it differs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import assert_never, get_args

from channels.table import BUILT_IN
from channels.traits import AT_ONCE, JUDGED
from orchestrator.language.fields import DeclaredField, declared, keys_of
from orchestrator.language.model import ACTIONS, Branch, Choose, Enter, Goal, Playbook, Split, Step, ValueType
from orchestrator.language.outcomes import BEFORE_SEND, END_STATUSES, LEDGER_OUTCOME, MET

AUTHOR = Path(__file__).parents[1] / "author.py"
_WIDTH = 110
_CONDITIONS = ("all_of", "any_of", "at_least_of", "not_", "where")
CHANNELS = tuple(row.name for row in BUILT_IN)
OUTCOMES = (*AT_ONCE, *JUDGED, *BEFORE_SEND, "done", MET, LEDGER_OUTCOME)
_BLOCKS = {Enter: "SpelledEntry", Goal: "SpelledGoal", Branch: "SpelledBranch"}  # beside the actions

_HEAD = '''"""The Python face of the language: the same plain spellings as YAML, read by the same parser.

::

    from orchestrator import Cooldown, End, Enter, Playbook, Send, Step

    playbook = Playbook(
        name="nudge", version=1, title="One friendly nudge", topic="upsell",
        enter=Enter(when="limit_reached", reentry={"after": "30d"}, because="you reached your limit"),
        steps=[
            Step("mail", Send(channel="email", template="mail"), wait="2d", then="rest"),
            Step("rest", Cooldown("21d"), then="done"),
            Step("done", End("no_conversion")),
        ],
    )

Python's own words carry an underscore: ``if_``, ``as_``, ``with_``, ``from_``, ``for_``, ``not_``.
:func:`Playbook` gives the same frozen value as YAML does; what is wrong is raised all at once, each problem with the
file and line of the call that wrote it.

Written by ``python -m orchestrator.language.writing.author_writer`` from the declared fields: change those.
"""

# ruff: noqa: N802 - a builder reads as the value it makes
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, overload

from orchestrator.language import model
from orchestrator.language.author_parts import (
    Names,
    OwnName,
    Question,
    Span,
    SpelledAction,
    SpelledBranch,
    SpelledEntry,
    SpelledGoal,
    SpelledSplit,
    SpelledStep,
    Values,
    all_of,
    any_of,
    at_least_of,
    finished,
    not_,
    part,
    step,
    where,
)

# Written by a program, which puts several short entries on a line.
# fmt: off
'''


_ALIASES = """Channels = Channel | OwnName | Sequence[Channel | OwnName]
Routes = Mapping[Outcome | OwnName, str | Mapping[str, str]]
Variants = Mapping[str, str]  # of a split: variant to step
"""


def builder(key: str) -> str:
    """The author's word for an action: ``wait_until`` is ``WaitUntil``."""
    return "".join(word.capitalize() for word in key.split("_"))


def author_source() -> str:
    """The text of ``author.py``."""
    actions = {builder(key): key for key in ACTIONS}
    others = {block.__name__: block for block in (Playbook, Step, *_BLOCKS)}
    public = sorted([*actions, *others, *_CONDITIONS, "OwnName"])
    pieces = [
        _HEAD,
        _listed("__all__ = [", public, "]"),
        _listed("Channel = Literal[", CHANNELS, "]"),
        _listed("Outcome = Literal[", OUTCOMES, "]"),
        _listed("Ending = Literal[", END_STATUSES, "]"),
        _listed("ValueType = Literal[", get_args(ValueType), "]"),
        _ALIASES,
    ]
    text = "\n".join(pieces)
    functions = [_playbook(), *(_plain_block(block, kind) for block, kind in _BLOCKS.items()), *_step()]
    functions += [_action(name, key) for name, key in actions.items()]
    return "\n\n".join([text, *functions])


def _playbook() -> str:
    fields = [one for one in declared(Playbook) if one.field.spelling != "steps"]
    body = _returned("finished", [_dict(fields), "steps"])
    return _function("Playbook", ["*", *map(parameter, declared(Playbook))], "model.Playbook", Playbook, body)


def _plain_block(block: type[object], kind: str) -> str:
    fields = declared(block)
    body = _returned("part", [kind, "None", _dict(fields)])
    return _function(block.__name__, ["*", *map(parameter, fields)], kind, block, body)


def _step() -> Iterator[str]:
    """A split's ``then`` names variants, any other's the outcomes of its action."""
    for action, routes in (("SpelledSplit", "Variants"), ("SpelledAction | None = None", "Routes")):
        yield f"@overload\n{_signature('Step', _step_parameters(action, routes), 'SpelledStep')} ...\n"
    parameters = _step_parameters("SpelledAction | None = None", "Routes | Variants")
    body = _returned("step", ["name", "action", _dict(declared(Step))])
    yield _function("Step", parameters, "SpelledStep", Step, body)


def _step_parameters(action: str, routes: str) -> list[str]:
    fields = [
        f"then: str | {routes} | None = None" if one.field.spelling == "then" else parameter(one)
        for one in declared(Step)
    ]
    return ["name: str", f"action: {action}", "*", *fields]


def _action(name: str, key: str) -> str:
    block = ACTIONS[key]
    kind = "SpelledSplit" if block is Split else "SpelledAction"
    fields = declared(block)
    if block is Choose:
        body = f'return part({kind}, "{key}", branches)'
        return _function(name, ["*branches: SpelledBranch"], kind, block, body)
    if len(fields) == 1:
        only = fields[0]
        body = f'return part({kind}, "{key}", {only.attribute})'
        return _function(name, [f"{only.attribute}: {_hint(only)}"], kind, block, body)
    first = [parameter(one) for one in fields if one.field.alone]
    rest = [parameter(one) for one in fields if not one.field.alone]
    body = _returned("part", [kind, f'"{key}"', _dict(fields)])
    return _function(name, [*first, "*", *rest], kind, block, body)


def _returned(name: str, arguments: Iterable[str]) -> str:
    """A call that is given back, an argument a line."""
    listed = list(arguments)
    line = f"return {name}({', '.join(listed)})"
    if len(line) <= _WIDTH - 4 and "\n" not in line:
        return line
    inner = "".join(f"        {one},\n" for one in listed)
    return f"return {name}(\n{inner}    )"


def _function(name: str, parameters: Iterable[str], returns: str, block: type[object], body: str) -> str:
    said = (block.__doc__ or "").split("\n\n")[0].strip()
    words = " ".join(said.split())
    shown = f'"""{words}"""'
    if len(shown) > _WIDTH - 4:
        shown = "\n    ".join([*textwrap.wrap(shown.removesuffix('"""'), _WIDTH - 4), '"""'])
    return f"{_signature(name, parameters, returns)}\n    {shown}\n    {body}\n"


def _signature(name: str, parameters: Iterable[str], returns: str) -> str:
    listed = list(parameters)
    line = f"def {name}({', '.join(listed)}) -> {returns}:"
    if len(listed) == 1 and len(line) <= _WIDTH:
        return line
    inner = "".join(f"    {one},\n" for one in listed)
    return f"def {name}(\n{inner}) -> {returns}:"


def _dict(fields: Iterable[DeclaredField]) -> str:
    """Keys with the parameters that hold them, as an argument of a call that is given back."""
    entries = [f'"{one.key}": {one.attribute}' for one in fields]
    line = f"{{{', '.join(entries)}}}"
    return line if len(line) <= _WIDTH - 40 else f"{{\n{_filled(entries, 12)}\n        }}"


def parameter(one: DeclaredField) -> str:
    """What a builder takes for a declared field; what may be left out is None."""
    given = "" if one.field.needs is not None else " | None = None"
    return f"{one.attribute}: {_hint(one)}{given}"


def _hint(one: DeclaredField) -> str:  # noqa: C901, PLR0912 - the closed list of spellings
    """The type of what an author passes for a declared field."""
    match one.field.spelling:
        case "name" | "dotted" | "text" | "percent" | "clock" | "date" | "scale":
            return "str"
        case "whole":
            return "int"
        case "flag":
            return "bool"
        case "duration" | "moment" | "kept":
            return "Span"
        case "choice":
            return _literal(one.words)
        case "value":
            return "str | int | float | bool"
        case "channel":
            return "Channel | OwnName"
        case "channels":
            return f"{_literal(['preferred'])} | Channels"
        case "channel_list":
            return "Channels"
        case "ending":
            return "Ending | OwnName"
        case "names" | "events" | "weekdays":
            return "Names"
        case "answer_keys":
            return "str | Sequence[str | int]"
        case "types":
            return "Mapping[str, ValueType]"
        case "values":
            return "Values"
        case "filters" | "regions" | "quiet_hours":
            return "Mapping[str, object]"
        case "answers" | "shares" | "texts" | "links":
            return "Mapping[str, str]"
        case "condition":
            return "Question"
        case "until":
            return "Span | Question"
        case "capped":
            return f"{_literal(['defer', 'skip'])} | Mapping[{_literal(['fallback'])}, Channel | OwnName]"
        case "then":
            return "str | Routes"
        case "routes":
            return "Routes"
        case "reentry":
            return f"{_literal(['never'])} | Mapping[{_literal(['after', 'per'])}, Span]"
        case "one_per":
            return f"{_literal(['account'])} | Mapping[{_literal(['account'])}, Names]"
        case "branches":
            return "Sequence[SpelledBranch]"
        case "named":
            return f"Mapping[str, Mapping[{_literal(keys_of(one.block))}, object]]"
        case "offers":
            return "Mapping[str, Sequence[Mapping[str, object]]]"
        case "rows":
            return f"Sequence[Mapping[{_literal(keys_of(one.block))}, object]]"
        case "steps":
            return "Sequence[SpelledStep]"
        case "block":
            return _BLOCKS.get(one.block, f"Mapping[{_literal(keys_of(one.block))}, object]")
        case _:
            assert_never(one.field.spelling)


def _literal(words: Iterable[str]) -> str:
    return f"Literal[{', '.join(f'{chr(34)}{word}{chr(34)}' for word in words)}]"


def _listed(opening: str, words: Iterable[str], closing: str) -> str:
    return f"{opening}\n{_filled([f'{chr(34)}{word}{chr(34)}' for word in words], 4)}\n{closing}\n"


def _filled(entries: Iterable[str], indent: int) -> str:
    """Entries with commas, as many on a line as fit."""
    lines = [""]
    for entry in entries:
        longer = f"{lines[-1]} {entry}," if lines[-1] else f"{' ' * indent}{entry},"
        if len(longer) <= _WIDTH:
            lines[-1] = longer
        else:
            lines.append(f"{' ' * indent}{entry},")
    return "\n".join(lines)


if __name__ == "__main__":
    AUTHOR.write_text(author_source(), encoding="utf-8")
