"""A plausible part of Mermaid's grammar: what our pages draw, and what most often breaks a drawing."""

from __future__ import annotations

import re

_KINDS = ("flowchart", "stateDiagram-v2", "sequenceDiagram")
_NODE = r"[A-Za-z_]\w*(?:\[\(?\"?[^\[\]]*\"?\)?\]|\(\[?\"?[^()]*\"?\]?\)|\{\"?[^{}]*\"?\})?"
_FLOW = re.compile(
    rf"^{_NODE}(?: & {_NODE})*(?: (?:-->|---|-\.->|==>)(?:\|\"?[^|]+\"?\|)? {_NODE}(?: & {_NODE})*)*$"
)
_STATE = re.compile(r"^(?:\[\*\]|\w+)(?: --> (?:\[\*\]|\w+))?(?: : \S.*)?$")
_SEQUENCE = re.compile(r"^\w+(?:-->>|->>|-\)|--\))[+-]?\w+: \S.*$")
_FREE = re.compile(
    r"^(?:%%.*|direction (?:TB|LR|TD|RL)|classDef .+|class .+|note (?:right|left|over) .+"
    r"|Note (?:over|right of|left of) .+"
    r"|participant \w+(?: as .+)?|actor \w+(?: as .+)?|state \".+\" as \w+|autonumber)$"
)
_OPENS = re.compile(
    r"^(?:subgraph .+|state \w+ \{|loop .+|alt .+|opt .+|par .+|rect .+|note (?:right|left) of \w+)$"
)
_CLOSES = ("end", "}", "end note")


def faults(text: str) -> list[str]:
    """What a renderer would stumble over, line by line."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines or lines[0][1].split()[0] not in _KINDS:
        return [f"line 1: expected one of {', '.join(_KINDS)}"]
    kind = lines[0][1].split()[0]
    shape = {"flowchart": _FLOW, "stateDiagram-v2": _STATE, "sequenceDiagram": _SEQUENCE}[kind]
    found: list[str] = []
    depth, in_note = 0, False
    for number, line in lines[1:]:
        if line in _CLOSES:
            depth, in_note = depth - 1, False
        elif in_note:
            continue
        elif _OPENS.match(line):
            depth += 1
            in_note = line.startswith("note ")
        elif line.startswith(("else", "and ")) or _FREE.match(line) or shape.match(line):
            continue
        else:
            found.append(f"line {number}: {line}")
        if line.count('"') % 2:
            found.append(f"line {number}: an odd number of quotes")
    return found + (["a block is never closed, or closed twice"] if depth else [])
