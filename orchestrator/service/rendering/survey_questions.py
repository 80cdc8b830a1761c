"""An ``ask`` step as a message: the question, its answers as links, numbers or buttons, and the way out.

The words of the question are the growth team's; the few around it are ours, in the languages below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from channels.base import Content
from channels.table import traits_of
from channels.traits import ChannelTraits
from orchestrator.service.rendering.render import Renderer, RenderLinks, VersionKey
from orchestrator.service.rendering.template_files import locale_chain, translated

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "choose": "Choose the answer that fits best:",
        "confirm": "The page behind it asks you to confirm, and has room for a remark.",
        "reply": "Reply with a number",
        "scale": "Reply with a number from {low} to {high}",
        "because": "You get this because",
        "opt_out": "No more messages like this",
        "preferences": "Choose what we send you",
        "stop": "Reply STOP to opt out",
    },
    "de": {
        "choose": "Wählen Sie die Antwort, die am besten passt:",
        "confirm": "Auf der nächsten Seite bestätigen Sie sie und können etwas dazu schreiben.",
        "reply": "Antworten Sie mit einer Zahl",
        "scale": "Antworten Sie mit einer Zahl von {low} bis {high}",
        "because": "Sie erhalten dies, weil",
        "opt_out": "Keine solchen Nachrichten mehr",
        "preferences": "Auswählen, was wir Ihnen senden",
        "stop": "Abmelden mit STOP",
    },
}


def words_for(locale: str | None) -> tuple[str, Mapping[str, str]]:
    """The language spoken, and our words in it: the reader's when we have it, else English."""
    for tag in locale_chain(locale):
        if tag is not None and tag in WORDS:
            return tag, WORDS[tag]
    return "en", WORDS["en"]


def render_question(
    renderer: Renderer,
    version_key: VersionKey,
    templates: Mapping[str, str],
    *,
    texts: Mapping[str, Mapping[str, str]],
    channel: str,
    locale: str | None,
    question: str,
    answers: Sequence[tuple[str, str]] = (),
    scale: tuple[int, int] | None = None,
    comment: str | None = None,
    values: Mapping[str, Any],
    links: RenderLinks,
    because: str | None = None,
    promotional: bool = True,
    zone: tzinfo = UTC,
) -> Content:
    """The message of an ``ask`` step, in the reader's language when ``texts`` has the question in it.

    Everything around a question is in its language: a German frame around an English question helps nobody.
    """
    _, asked_in = translated(texts, locale, question)
    language, words = words_for(asked_in)
    tongue = locale if asked_in else renderer.default_locale

    def spoken(text: str) -> str:
        return renderer.render_text(
            version_key, templates, text, texts=texts, locale=tongue, values=values, zone=zone
        )

    asked = spoken(question)
    choices = tuple((key, spoken(text)) for key, text in answers)
    headline, mark, rest = asked.partition("?")
    headline = (headline + mark).strip()
    traits = traits_of(channel)
    header = {"subject": headline} if traits.mailbox else {}
    if comment is not None:
        header["comment"] = spoken(comment)
    if scale is not None:
        choices = tuple((str(step), str(step)) for step in range(scale[0], scale[1] + 1))

    if traits.mailbox:
        shown = [{"words": text, "url": links.answer_url(key)} for key, text in choices]
        out = _way_out(renderer, words, links, promotional=promotional)
        text = "\n".join(
            [asked, "", words["choose"], "", *(f"- {row['words']}: {row['url']}" for row in shown), "", *out]
        )
        html = renderer.render_house(
            version_key,
            templates,
            "question.email.html",
            locale=tongue,
            values={
                "language": language,
                "question": headline,
                "more": rest,
                "choices": shown,
                "words": dict(words),
                "because": spoken(because) if because else values.get("because"),
                "promotional": promotional,
                "opt_out_url": links.opt_out_url,
                "preferences_url": links.preferences_url,
            },
        )
    else:
        text, html = _spoken_question(traits, asked, choices, scale, words, promotional=promotional), None
    return Content(text=text, html=html, header=header, choices=() if scale else choices, scale=scale)


def _way_out(
    renderer: Renderer, words: Mapping[str, str], links: RenderLinks, *, promotional: bool
) -> list[str]:
    sender = f"{renderer.sender.get('name', '')}, {renderer.sender.get('postal_address', '')}"
    if not promotional:
        return ["--", sender]
    return [
        "--",
        f"{words['opt_out']}: {links.opt_out_url}",
        f"{words['preferences']}: {links.preferences_url}",
        sender,
    ]


def _spoken_question(
    traits: ChannelTraits,
    asked: str,
    choices: Sequence[tuple[str, str]],
    scale: tuple[int, int] | None,
    words: Mapping[str, str],
    *,
    promotional: bool,
) -> str:
    if traits.in_feed:  # the widget draws the answers
        return asked
    lines = [asked]
    if scale is not None:
        lines.append(words["scale"].format(low=scale[0], high=scale[1]))
    else:
        lines += [f"{place} {text}" for place, (_, text) in enumerate(choices, start=1)]
        lines.append(words["reply"])
    if promotional and traits.opt_out == "stop":
        lines.append(words["stop"])
    return "\n".join(lines)
