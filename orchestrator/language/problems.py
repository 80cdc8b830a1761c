"""What is wrong with a text somebody wrote, and where: the parsers collect these, never stopping at the first."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from orchestrator import errors

Severity = Literal["error", "warning"]


class SourcePosition(NamedTuple):
    """A position in a file; lines and columns count from 1, 0 means not known."""

    path: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedProblem(errors.Problem):
    """One thing wrong. A warning does not stop a playbook from being published."""

    severity: Severity = "error"

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        return f"{place}: {'warning: ' if self.severity == 'warning' else ''}{self.message}"


class Problems:
    """Collects problems while a text is read."""

    def __init__(self) -> None:
        self._found: list[PlacedProblem] = []

    def error(self, place: SourcePosition, message: str) -> None:
        self._add(place, message, "error")

    def warning(self, place: SourcePosition, message: str) -> None:
        self._add(place, message, "warning")

    def extend(self, problems: Iterable[PlacedProblem]) -> None:
        for problem in problems:
            if problem not in self._found:
                self._found.append(problem)

    def _add(self, place: SourcePosition, message: str, severity: Severity) -> None:
        self.extend(
            [
                PlacedProblem(
                    path=place.path, line=place.line, column=place.column, message=message, severity=severity
                )
            ]
        )

    @property
    def errors(self) -> list[PlacedProblem]:
        return [problem for problem in self._found if problem.severity == "error"]

    def sorted(self) -> list[PlacedProblem]:
        """Everything found, in the order of the files."""
        return sorted(self._found, key=lambda problem: (problem.path, problem.line, problem.column))


def has_errors(problems: Iterable[PlacedProblem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def shown(text: object, *, limit: int = 60) -> str:
    """``text`` as an error message quotes it: one line, never longer than a screen is wide."""
    plain = str(text).replace("\n", " ").replace("\r", " ")
    return f"'{plain if len(plain) <= limit else plain[: limit - 1] + '…'}'"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` when a known word is near, else an empty text."""
    names = list(dict.fromkeys(known))
    if len(word) > 80 or not names:
        return ""
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if not near:
        lowered = {name.lower(): name for name in names}
        match = lowered.get(word.strip().lower())
        near = [match] if match else []
    return f"; did you mean '{near[0]}'?" if near else ""


def one_of(words: Iterable[str]) -> str:
    """``a, b or c`` for a message that lists what was expected."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} or {items[-1]}"
