"""Reads message templates: the file's name, its header, and which names its text uses. Rendering is done elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import jinja2
from jinja2 import meta, nodes

from channels.table import traits_of
from orchestrator.language.problems import did_you_mean, one_of, shown

FILE_NAME = re.compile(
    r"(?P<base>[A-Za-z0-9_]+)(?:\.(?P<locale>[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*))?\.(?P<channel>[a-z_]+)\.(?P<ext>html|txt|md|json)"
)

FILTERS = ("day", "money", "percent", "number")
FUNCTIONS = ("link", "booking_link")
LINK_NAME = re.compile(r"[a-z0-9_]{1,40}")
LINK_TARGETS = ("https://", "http://")
GIVEN = ("customer", "sender", "because", "opt_out_url", "preferences_url", *FUNCTIONS)
RUN_FACTS = ("answer", "variant", "outcome", "channel", "visits", "offer", "account", "playbook")

_ENVIRONMENT = jinja2.Environment(autoescape=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateName:
    """``<base>[.<locale>].<channel>.<ext>``."""

    base: str
    locale: str | None
    channel: str
    ext: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A file taken apart. ``body_line`` is the line on which the body begins."""

    header: tuple[tuple[str, str], ...]
    body: str
    body_line: int

    def field(self, name: str) -> str | None:
        return next((value for key, value in self.header if key == name), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One name a template uses, dotted as written. ``safe``: a missing value is provided for."""

    name: str
    line: int
    safe: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    line: int
    message: str


def template_name(file_name: str) -> TemplateName | None:
    """The parts of a template's file name; None for other files."""
    found = FILE_NAME.fullmatch(file_name)
    if found is None:
        return None
    return TemplateName(
        base=found["base"], locale=found["locale"], channel=found["channel"], ext=found["ext"]
    )


def parse_template(text: str, channel: str) -> tuple[Template, list[Fault]]:
    """Header and body. The header's values are templates too.

    A hand-over's template is written for who takes over (``brief.crm.txt``): its fields are those of a channel that has
    no row.
    """
    lines = text.split("\n")
    if not lines or lines[0].strip() != "---":
        return Template(header=(), body=text, body_line=1), []
    known = traits_of(channel).header
    header: list[tuple[str, str]] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines[1:], start=2):
        if line.strip() == "---":
            body = "\n".join(lines[number:])
            return Template(header=tuple(header), body=body, body_line=number + 1), faults
        name, colon, value = line.partition(":")
        key = name.strip()
        if not line.strip():
            continue
        if not colon:
            faults.append(
                Fault(line=number, message=f"expected 'name: value' in the header, got {shown(line)}")
            )
        elif key not in known:
            hint = did_you_mean(key, known) or (f"; they are {one_of(known)}" if known else "; it has none")
            faults.append(Fault(line=number, message=f"{shown(key)} is no header field of {channel}{hint}"))
        elif any(key == other for other, _ in header):
            faults.append(Fault(line=number, message=f"{shown(key)} is written twice in the header"))
        else:
            header.append((key, value.strip()))
    faults.append(Fault(line=1, message="the header has no end: write '---' on a line of its own below it"))
    return Template(header=tuple(header), body="", body_line=1), faults


def uses(text: str, *, first_line: int = 1) -> tuple[list[Use], list[Fault]]:
    """Every name the text looks up, and everything wrong with its syntax and filters."""
    try:
        tree = _ENVIRONMENT.parse(text)
    except jinja2.TemplateSyntaxError as error:
        return [], [
            Fault(line=first_line - 1 + error.lineno, message=f"this is no template: {error.message}")
        ]
    except RecursionError:
        return [], [Fault(line=first_line, message="this is no template: nested too deep")]
    known_filters = (*_ENVIRONMENT.filters, *FILTERS)
    faults = [
        Fault(
            line=first_line - 1 + node.lineno,
            message=f"{shown(node.name)} is no filter{did_you_mean(node.name, known_filters)}",
        )
        for node in tree.find_all(nodes.Filter)
        if node.name not in known_filters
    ]
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")} | {"loop"}
    found = [
        Use(name=name, line=first_line - 1 + line, safe=safe)
        for name, line, safe in _walk(tree, frozenset())
        if name.split(".")[0] not in own
    ]
    return found, faults


def template_names(text: str) -> set[str]:
    """The names a template file uses, header included; none when it is no template."""
    return {use.name for use in uses(text)[0]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """One call whose first argument is written out; of ``others``, None is one that is made when rendering."""

    name: str
    line: int
    others: tuple[str | None, ...]


def calls(text: str, function: str) -> list[Called]:
    """Each ``link('name', ...)`` or ``booking_link('name')``."""
    try:
        tree = _ENVIRONMENT.parse(text)
    except (jinja2.TemplateSyntaxError, RecursionError):
        return []
    return [
        Called(name=node.args[0].value, line=node.lineno, others=tuple(map(_written, node.args[1:])))
        for node in tree.find_all(nodes.Call)
        if isinstance(node.node, nodes.Name)
        and node.node.name == function
        and node.args
        and isinstance(node.args[0], nodes.Const)
        and isinstance(node.args[0].value, str)
    ]


def _written(node: nodes.Node) -> str | None:
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None


def extends(text: str) -> set[str]:
    """The files a template is built from."""
    try:
        found = meta.find_referenced_templates(_ENVIRONMENT.parse(text))
        return {name for name in found if name is not None}
    except (jinja2.TemplateSyntaxError, RecursionError):
        return set()


def _walk(node: nodes.Node, safe: frozenset[str]) -> Iterator[tuple[str, int, bool]]:
    """Names with their line and whether a default, an ``if`` or ``is defined`` provides for their absence."""
    name = _dotted(node)
    if name is not None:
        yield name, node.lineno, name in safe
        return
    if isinstance(node, nodes.Filter) and node.name in ("default", "d") and node.node is not None:
        inner = _dotted(node.node)
        if inner is not None:
            yield inner, node.lineno, True
            for argument in node.args:
                yield from _walk(argument, safe)
            return
    if isinstance(node, nodes.Test) and node.name in ("defined", "undefined", "none"):
        inner = _dotted(node.node)
        if inner is not None:
            yield inner, node.lineno, True
            return
    if isinstance(node, nodes.If | nodes.CondExpr):
        yield from _walk_if(node, safe)
        return
    for child in node.iter_child_nodes():
        yield from _walk(child, safe)


def _walk_if(node: nodes.If | nodes.CondExpr, safe: frozenset[str]) -> Iterator[tuple[str, int, bool]]:
    asked = {name for name, _, _ in _walk(node.test, frozenset())}
    guarded = safe | asked
    yield from ((name, line, True) for name, line, _ in _walk(node.test, safe))
    inside: list[nodes.Node] = [*node.body] if isinstance(node, nodes.If) else [node.expr1]
    outside: list[nodes.Node | None] = (
        [*node.elif_, *node.else_] if isinstance(node, nodes.If) else [node.expr2]
    )
    for child in inside:
        yield from _walk(child, guarded)
    for other in outside:
        if other is not None:
            yield from _walk(other, safe)


def _dotted(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Name) and node.ctx == "load":
        return node.name
    if isinstance(node, nodes.Getattr):
        head = _dotted(node.node)
        return f"{head}.{node.attr}" if head else None
    if (
        isinstance(node, nodes.Getitem)
        and isinstance(node.arg, nodes.Const)
        and isinstance(node.arg.value, str)
    ):
        head = _dotted(node.node)
        return f"{head}.{node.arg.value}" if head else None
    return None
