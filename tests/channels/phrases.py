"""Phrases that people write back, with what they mean: the measure of the classifier of inbound texts.

``python -m tests.channels.phrases`` says how often it is right, and with ``known`` or ``unseen`` where it is not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from channels.optout_keywords.classify import Meant, classify

LANGUAGES = {
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "de": "German",
    "pt": "Portuguese",
    "it": "Italian",
    "nl": "Dutch",
}
OTHERS, ALL = "others", "all"
_LISTS = Path(__file__).parent / "inbound"


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrase:
    text: str
    language: str
    meant: Meant | Literal["either"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """How a group of phrases was heard: revocations that were missed, and other texts that were taken for one."""

    group: str
    revocations: int
    missed: Sequence[str]
    others: int
    false: Sequence[str]

    @property
    def recall(self) -> float:
        return 1 - len(self.missed) / self.revocations

    @property
    def false_rate(self) -> float:
        return len(self.false) / self.others


def read(name: Literal["known", "unseen"]) -> list[Phrase]:
    phrases: list[Phrase] = []
    language, meant = "", ""
    for line in (_LISTS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            _, language, meant = line.split()
        elif line and language:
            given: Meant | Literal["either"] = "either" if meant == "either" else Meant(meant)
            phrases.append(Phrase(text=line, language=language, meant=given))
    return phrases


def measure(phrases: Iterable[Phrase]) -> list[Measured]:
    """Each language with many phrases, the others together, and all."""
    groups: dict[str, list[Phrase]] = {ALL: []}
    for one in phrases:
        if one.meant != "either":
            groups.setdefault(LANGUAGES.get(one.language, OTHERS), []).append(one)
            groups[ALL].append(one)
    heard = {one.text: classify(one.text).meant is Meant.STOP for one in groups[ALL]}
    measured: list[Measured] = []
    for group, members in groups.items():
        stops = [one.text for one in members if one.meant is Meant.STOP]
        others = [one.text for one in members if one.meant is not Meant.STOP]
        measured.append(
            Measured(
                group=group,
                revocations=len(stops),
                missed=[text for text in stops if not heard[text]],
                others=len(others),
                false=[text for text in others if heard[text]],
            )
        )
    return measured


def rows() -> list[tuple[str, str, str, str, str]]:
    """What the documentation shows of both lists: how many of how many, by group."""
    unseen = {one.group: one for one in measure(read("unseen"))}
    return [
        (known.group, *(cell for one in (known, unseen[known.group]) for cell in _cells(one)))
        for known in measure(read("known"))
    ]


def _cells(one: Measured) -> tuple[str, str]:
    heard = one.revocations - len(one.missed)
    return (
        f"{heard} of {one.revocations} ({one.recall:.1%})",
        f"{len(one.false)} of {one.others} ({one.false_rate:.1%})",
    )


def _main(name: str | None) -> None:
    if name is None:
        told = ["{:<12}{:>22}{:>20}{:>22}{:>20}".format(*row) for row in rows()]
    else:
        everything = measure(read("unseen" if name == "unseen" else "known"))[0]
        told = ["missed:", *everything.missed, "", "taken for a revocation:", *everything.false]
    sys.stdout.write("\n".join(told) + "\n")


if __name__ == "__main__":
    _main(sys.argv[1] if len(sys.argv) > 1 else None)
