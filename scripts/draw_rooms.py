"""Draws the rooms of the product from their imports, and says what is wrong with them.

    python scripts/draw_rooms.py           write the picture and the table into docs/explanation/architecture.md
    python scripts/draw_rooms.py --check   change nothing; exit code 1 when the page is out of date or a rule is broken

A room is a folder of ``orchestrator``, a file beside them that stands for itself, or ``channels`` or ``workers``. An
arrow means that a file of the one imports a file of the other; arrows that a longer way implies are left out of the
picture and named in the table. Every import counts, wherever it stands in a file.

Rules: no two files import each other, by whatever way; no two rooms do; no folder holds more than 16 files.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
PRODUCT = ("workers", "orchestrator", "channels")
ALONE = (
    "engine",
    "bootstrap",
    "client",
    "settings",
    "keys",
)  # files beside the rooms that stand for themselves
SHARED = "shared files"  # the other files beside the rooms: clock, errors, ids, telemetry ...
SURFACE = "orchestrator"  # __init__.py, what products and playbooks import
MOST_FILES = 16

Graph = Mapping[str, frozenset[str]]
"""Who imports whom: of files by module name, or of rooms."""

_PART = re.compile(
    r"(?P<open><!-- drawn: rooms -->\n).*?(?P<close><!-- end of drawn -->)",
    re.DOTALL,
)


def main(arguments: list[str]) -> int:
    files = imports(ROOT)
    wrong = problems(files, ROOT)
    text = PAGE.read_text(encoding="utf-8")
    new = drawn(text, files)
    if "--check" in arguments:
        if new != text:
            wrong.append(f"{PAGE.relative_to(ROOT)} is out of date; run: python scripts/draw_rooms.py")
    elif new != text:
        PAGE.write_text(new, encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)}: drawn anew")
    for one in wrong:
        print(one, file=sys.stderr)
    return 1 if wrong else 0


# --- reading --------------------------------------------------------------------------------------------------------


def imports(root: Path) -> Graph:
    """Which of our modules each of our modules imports."""
    paths = {_module(root, path): path for top in PRODUCT for path in sorted((root / top).rglob("*.py"))}
    return {
        module: frozenset(_imported(module, path, paths.keys())) - {module} for module, path in paths.items()
    }


def _module(root: Path, path: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _imported(module: str, path: Path, known: Iterable[str]) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            inner = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found = {full for full in inner.values() if full in known}
            yield from found
            if len(found) < len(inner) and node.module != module:
                yield node.module


def room_of(module: str) -> str:
    parts = module.split(".")
    if parts[0] != "orchestrator":
        return parts[0]
    if len(parts) == 1:
        return SURFACE
    is_file = (ROOT / "orchestrator" / f"{parts[1]}.py").exists()
    return parts[1] if not is_file or parts[1] in ALONE else SHARED


def rooms_of(files: Graph) -> Graph:
    """The same by room, without what a room imports of itself."""
    found: dict[str, set[str]] = {}
    for module, targets in files.items():
        found.setdefault(room_of(module), set()).update(map(room_of, targets))
    return {room: frozenset(targets - {room}) for room, targets in found.items()}


# --- judging --------------------------------------------------------------------------------------------------------


def problems(files: Graph, root: Path) -> list[str]:
    """Every broken rule as a sentence."""
    return [
        *(f"a circle of files: {' -> '.join(circle)}" for circle in circles_of(files)),
        *(f"a circle of rooms: {' -> '.join(circle)}" for circle in circles_of(rooms_of(files))),
        *crowded(root),
    ]


def circles_of(graph: Graph) -> list[list[str]]:
    """Circles in which each imports the next: one of each knot, and of what is left of it without that circle."""
    left = dict(graph)
    found: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]
            found.append(circle)
            left[circle[0]] -= {circle[1]}
        else:
            return found


def crowded(root: Path) -> list[str]:
    folders = [root / top for top in PRODUCT]
    folders += [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_dir()]
    counts = {folder: sum(path.stem != "__init__" for path in folder.glob("*.py")) for folder in folders}
    return [
        f"{folder.relative_to(root)} holds {count} files; more than {MOST_FILES} are two rooms"
        for folder, count in counts.items()
        if count > MOST_FILES
    ]


# --- drawing --------------------------------------------------------------------------------------------------------


def drawn(text: str, files: Graph) -> str:
    """The page with its picture and table as the imports are now."""
    rooms = rooms_of(files)
    body = f"\n{picture(rooms)}\n{table(rooms)}\n"
    return _PART.sub(lambda found: found["open"] + body + found["close"], text)


def picture(rooms: Graph) -> str:
    """Mermaid: the rooms from the surface down, without arrows that a longer way implies."""
    order = _from_the_top(rooms)
    below = _closed(rooms, order)
    arrows = [
        f"    {_id(room)} --> {' & '.join(map(_id, targets))}"
        for room in order
        if (targets := [one for one in sorted(rooms[room]) if not _implied(rooms, below, room, one)])
    ]
    boxes = [f"    {_id(room)}[{room}]" for room in order]
    return "\n".join(["```mermaid", "flowchart TD", *boxes, *arrows, "```"]) + "\n"


def _from_the_top(rooms: Graph) -> list[str]:
    """Each room before those it imports, those of one height by name: the same rooms are always the same page."""
    sorter = TopologicalSorter(rooms)
    sorter.prepare()
    found: list[str] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        found += sorted(ready, reverse=True)
        sorter.done(*ready)
    return found[::-1]


def _closed(rooms: Graph, order: Iterable[str]) -> Graph:
    """Everything a room reaches."""
    reached: dict[str, frozenset[str]] = {}
    for room in reversed(list(order)):
        reached[room] = rooms[room].union(*(reached[one] for one in rooms[room]))
    return reached


def _implied(rooms: Graph, below: Graph, room: str, target: str) -> bool:
    return any(target in below[other] for other in rooms[room] - {target})


def table(rooms: Graph) -> str:
    """Every room with all that it imports."""
    lines = ["| room | imports |", "| --- | --- |"]
    lines += [f"| {_name(room)} | {', '.join(sorted(rooms[room])) or '–'} |" for room in _from_the_top(rooms)]
    return "\n".join(lines) + "\n"


def _name(room: str) -> str:
    return room if room == SHARED else f"`{room}`"


def _id(room: str) -> str:
    """One word, as Mermaid wants it."""
    return room.replace(" ", "_")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
