"""One language's lexicon made ready: a text as its patterns expect it, and what they find there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from channels.optout_keywords.patterns import CLAUSE_END, Compiler, Lexicon, entries, once_each, words_of
from channels.optout_keywords.shared_words import POLITE

_Patterns = list[tuple[str, re.Pattern[str]]]


class Language:
    """Finds in a text what a lexicon holds. Each answer is the word or the pattern that was found."""

    def __init__(self, lexicon: Lexicon) -> None:
        compiler = Compiler(lexicon)
        self.name = lexicon.name
        self._blank = " " if lexicon.spaced else ""
        self._alone = frozenset(map(plain, entries(lexicon.alone)))
        self._help = frozenset(map(plain, entries(lexicon.help)))
        self._firm = _compiled(lexicon.firm, compiler.anywhere)
        self._spare = _compiled(lexicon.spare, compiler.anywhere)
        self._stop = _compiled(lexicon.stop, compiler.anywhere)
        self._start = _compiled(lexicon.start, compiler.whole)
        self._same = {plain(way): plain(word) for word, ways in lexicon.same.items() for way in entries(ways)}
        self._same |= {plain(word): "" for word in entries(lexicon.idle)}
        longest_first = sorted(map(re.escape, self._same), key=len, reverse=True)
        self._other_ways = re.compile(rf"(?<= )(?:{'|'.join(longest_first)})(?= )")
        self._spelt = entries(lexicon.spelt)
        self._distinct = frozenset((*entries(lexicon.distinct), *self._spelt))

    def view(self, words: Sequence[str]) -> str:
        """The text for the patterns: each word written in one way and spelt right, idle words left out."""
        if self._same:
            words = self._other_ways.sub(lambda way: self._same[way[0]], f" {' '.join(words)} ").split()
        if self._spelt:
            only = len(words) == 2  # the word, and the clause's end
            words = [self._spelt_right(word, only=only) for word in words]
        return "".join(f"{word}{self._blank}" for word in once_each(words))

    def ends(self, spoken: Sequence[str], text: str) -> str | None:
        """Words that revoke when nothing else is said; ``spoken`` are forms of the whole that no view has changed."""
        return self._said_alone(spoken, text, self._alone)

    def insists(self, _spoken: Sequence[str], text: str) -> str | None:
        """A revocation that looks like a denial of one."""
        return _first(self._firm, text)

    def begins(self, _spoken: Sequence[str], text: str) -> str | None:
        return _first(self._start, text)

    def asks(self, spoken: Sequence[str], text: str) -> str | None:
        return self._said_alone(spoken, text, self._help)

    def without_spared(self, text: str) -> str:
        for _, pattern in self._spare:
            text = pattern.sub(f"_{self._blank}", text)
        return text

    def revokes(self, rest: str) -> str | None:
        """A revocation anywhere in what is left of a text."""
        return _first(self._stop, rest)

    def _said_alone(self, spoken: Sequence[str], text: str, words: frozenset[str]) -> str | None:
        viewed = text.replace(CLAUSE_END + self._blank, "").strip()
        return next((form for form in (*spoken, viewed) if form in words), None)

    def _spelt_right(self, word: str, *, only: bool) -> str:
        """The word that was meant, when a letter or two are wrong; the first letter only with good reason."""
        if len(word) < 4 or not word.isascii() or word in self._distinct:
            return word
        for known in self._spelt:
            near = only or word[0] in known[:2] or (len(known) > 5 and word[1:] == known[1:])
            if near and not word.startswith(known) and _alike(word, known):
                return known
        return word


def plain(words: str) -> str:
    """Words as they stand in a folded text, without the ends of its clauses."""
    return " ".join(word for word in words_of(words) if word != CLAUSE_END)


def without_manners(text: str) -> str:
    """The text without please, thanks and the like at either end."""
    changed = True
    while changed:
        changed = False
        for words in _POLITE:
            if text != words and (text.startswith(words + " ") or text.endswith(" " + words)):
                text = text.removeprefix(words + " ").removesuffix(" " + words)
                changed = True
    return text


def _compiled(patterns: Sequence[str], compiled: Callable[[str], re.Pattern[str]]) -> _Patterns:
    return [(source, compiled(source)) for source in patterns]


def _first(patterns: _Patterns, text: str) -> str | None:
    return next((source for source, pattern in patterns if pattern.search(text)), None)


def _alike(one: str, two: str) -> bool:
    """Whether few letters are missing, added, changed or swapped with their neighbour."""
    allowed = 2 if len(two) > 9 else 1
    if abs(len(one) - len(two)) > allowed:
        return False
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, b in enumerate(two, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1] <= allowed


_POLITE: Final = tuple(map(plain, entries(POLITE)))
