"""Which answer a text means, where a question is answered by writing back: a number, or an answer's own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.language.model import Ask

_AROUND = " \t\r\n.,;:!?)('\"’“”"


def answer_of(ask: Ask, text: str, texts: Iterable[Mapping[str, str]] = ()) -> str | None:
    """The key of the answer, or the number on the scale; None for a text that says more, or something else.

    ``texts`` are the playbook's translations: a customer may answer in any of its languages.
    """
    said = text.strip(_AROUND).casefold()
    number = int(said) if said.isascii() and said.isdigit() and len(said) < 4 else None
    if ask.scale is not None:
        low, high = ask.scale
        return str(number) if number is not None and low <= number <= high else None
    if number is not None:
        return ask.answers[number - 1][0] if 1 <= number <= len(ask.answers) else None
    for key, words in ask.answers:
        spoken = (key, words, *(translated[words] for translated in texts if words in translated))
        if said in {one.strip(_AROUND).casefold() for one in spoken}:
            return key
    return None
