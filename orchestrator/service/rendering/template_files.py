"""Template files of one playbook version: which file speaks to which locale, and where its header ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FENCE = "---"


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """The files that carry one message in one locale; ``locale`` is None for the default words."""

    locale: str | None
    html: str | None
    text: str | None


def locale_chain(locale: str | None) -> Iterator[str | None]:
    """``de-AT``, ``de``, then None: the default."""
    parts = (locale or "").replace("_", "-").split("-")
    while parts and parts[0]:
        yield "-".join(parts)
        parts.pop()
    yield None


def choose(names: Mapping[str, str], base: str, channel: str, locale: str | None) -> Chosen | None:
    """The first locale of the chain that has any file for the message. Locales are never mixed within one message."""
    by_folded = {name.casefold(): name for name in names}
    for wanted in locale_chain(locale):
        stem = ".".join(part for part in (base, wanted, channel) if part).casefold()
        html, text = by_folded.get(f"{stem}.html"), by_folded.get(f"{stem}.txt")
        if html or text:
            return Chosen(locale=wanted, html=html, text=text)
    return None


def translated(
    texts: Mapping[str, Mapping[str, str]], locale: str | None, words: str
) -> tuple[str, str | None]:
    """Words of the playbook itself in the reader's language, and their locale (None: as written).

    ``texts`` are the folder's ``texts.<locale>.yaml``: locale to original words to translation.
    """
    by_folded = {name.casefold(): found for name, found in texts.items()}
    for wanted in locale_chain(locale):
        found = by_folded.get((wanted or "").casefold(), {}).get(words)
        if found:
            return found, wanted
    return words, None


def split(source: str) -> tuple[dict[str, str], str]:
    """Header and body. The header is what stands between a first line ``---`` and the next: ``name: rest of line``."""
    first, _, rest = source.removeprefix("\ufeff").replace("\r\n", "\n").partition("\n")
    if first.strip() != FENCE:
        return {}, source.replace("\r\n", "\n")
    header: dict[str, str] = {}
    lines = rest.split("\n")
    for index, line in enumerate(lines):
        if line.strip() == FENCE:
            return header, "\n".join(lines[index + 1 :])
        name, colon, value = line.partition(":")
        if colon:
            header[name.strip()] = value.strip()
    return header, ""
