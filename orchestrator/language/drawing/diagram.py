"""Draws a playbook as its state machine: Mermaid text, or an SVG laid out in layers by ourselves.

The SVG has no script and no outside reference, a title and description for readers who cannot see it, and an optional
head count on each step.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.language.drawing.layout import LINE, DrawnLink, Layout, lay_out
from orchestrator.language.drawing.ranks import Link
from orchestrator.language.graph.edges import own_edges
from orchestrator.language.graph.routes import ANY, any_hops
from orchestrator.language.model import Playbook
from orchestrator.language.outcomes import channels_of, kind_of

_CHAR = 7.2  # the width of a letter at 13px, near enough for a box
_BOX_HEIGHT = 46
_WRAP = 22  # letters in a line of a label
_WORDS = 6  # words on one arrow
_FILL = {
    "send": "#e8f0fe", "ask": "#e8f0fe", "handoff": "#fdf0e0", "call": "#f1eafc", "wait": "#f3f4f6",
    "cooldown": "#e6f4ea", "choose": "#fff8d6", "split": "#fff8d6", "set": "#f1eafc", "start": "#f1eafc",
    "end": "#e5e7eb",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class _Arrow:
    source: str
    to: str
    label: str


def to_mermaid(playbook: Playbook, *, counts: Mapping[str, int] | None = None) -> str:
    """A Mermaid ``stateDiagram-v2``. ``counts`` are the enrollments now in each step."""
    lines = ["stateDiagram-v2", f"    [*] --> {playbook.steps[0].name}"]
    for step in playbook.steps:
        label = _label(step.name, kind_of(step.action), channels_of(step.action))
        if counts is not None and kind_of(step.action) != "end":
            label += f" ({counts.get(step.name, 0)})"
        lines.append(f"    {step.name} : {_mermaid(label)}")
    lines += [f"    {arrow.source} --> {arrow.to} : {_mermaid(arrow.label)}" for arrow in _arrows(playbook)]
    lines += [f"    {step.name} --> [*]" for step in playbook.steps if kind_of(step.action) == "end"]
    anywhere = [f"{hop.trigger.removeprefix(ANY)} to {hop.to}" for hop in any_hops(playbook.at_any_step)]
    if anywhere:
        lines += [
            f"    note right of {playbook.steps[0].name}",
            *(f"        at any step: {_mermaid(one)}" for one in anywhere),
            "    end note",
        ]
    return "\n".join(lines) + "\n"


def to_svg(playbook: Playbook, *, counts: Mapping[str, int] | None = None) -> str:
    """An SVG picture, top to bottom in layers from the first step; every text escaped."""
    labels = {
        step.name: (step.name, _subtitle(kind_of(step.action), channels_of(step.action)))
        for step in playbook.steps
    }
    widths = {name: max(104.0, max(len(text) for text in pair) * _CHAR + 40) for name, pair in labels.items()}
    arrows = _arrows(playbook)
    anywhere = [(hop.trigger.removeprefix(ANY), hop.to) for hop in any_hops(playbook.at_any_step)]
    anywhere = [(outcome, to) for outcome, to in anywhere if to in labels]
    layout = lay_out(widths, _links(arrows, anywhere), _BOX_HEIGHT)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" '
            f'width="{layout.width:.0f}" height="{layout.height:.0f}" role="img" '
            'aria-labelledby="diagram-title diagram-desc" font-family="system-ui, sans-serif" font-size="13">'
        ),
        f'<title id="diagram-title">{escape(f"Playbook {playbook.name}: {playbook.title}")}</title>',
        f'<desc id="diagram-desc">{escape(_described(playbook, arrows, anywhere, counts))}</desc>',
        (
            '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="#4b5563"/></marker></defs>'
        ),
    ]
    parts += [_svg_route(route) for route in layout.routes]
    for step in playbook.steps:
        count = None if counts is None or kind_of(step.action) == "end" else counts.get(step.name, 0)
        parts.append(_svg_box(layout, step.name, labels[step.name], kind_of(step.action), count))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _arrows(playbook: Playbook) -> list[_Arrow]:
    edges = (edge for step in playbook.steps for edge in own_edges(step))
    names = {step.name for step in playbook.steps}  # a playbook may be drawn before it is checked
    return [
        _Arrow(source=edge.source, to=edge.to, label=_word(edge.outcome))
        for edge in edges
        if edge.to in names
    ]


def _links(arrows: list[_Arrow], anywhere: list[tuple[str, str]]) -> list[Link]:
    """One link for all arrows between the same two steps, and one for what leads to a step from everywhere."""
    merged: dict[tuple[str | None, str], list[str]] = {}
    for arrow in arrows:
        merged.setdefault((arrow.source, arrow.to), []).append(arrow.label)
    for outcome, to in anywhere:
        merged.setdefault((None, to), []).append(_word(outcome))
    return [
        Link(source=source, to=to, lines=_lines(words, "at any step: " if source is None else ""))
        for (source, to), words in merged.items()
    ]


def _lines(words: list[str], before: str) -> tuple[str, ...]:
    """The words of one arrow, wrapped; those that are too many are in the description only."""
    several = list(dict.fromkeys(words))
    shown = several[:_WORDS] + (["…"] if len(several) > _WORDS else [])
    lines = [before + shown[0]]
    for outcome in shown[1:]:
        lines[-1] += " /"
        if len(lines[-1]) + len(outcome) < _WRAP:
            lines[-1] += f" {outcome}"
        else:
            lines.append(outcome)
    return tuple(lines)


def escape(text: str) -> str:
    """Text for XML, without the control characters that XML cannot hold."""
    return html.escape("".join(letter for letter in text if letter.isprintable()))


def _word(trigger: str) -> str:
    head, colon, tail = trigger.partition(":")
    if head == "go":
        return f"row {int(tail) + 1}" if colon else "next"
    return f"{head} {tail}".strip().replace("_", " ")


def _label(name: str, kind: str, channels: tuple[str, ...]) -> str:
    return f"{name}: {_subtitle(kind, channels)}"


def _subtitle(kind: str, channels: tuple[str, ...]) -> str:
    return f"{kind} {' / '.join(channels[:3])}{' …' if len(channels) > 3 else ''}".strip()


def _mermaid(text: str) -> str:
    return text.replace(":", " -").replace(";", ",").replace("#", "no. ").replace("\n", " ").replace('"', "'")


def _described(
    playbook: Playbook,
    arrows: list[_Arrow],
    anywhere: list[tuple[str, str]],
    counts: Mapping[str, int] | None,
) -> str:
    sentences = [f"Begins at {playbook.steps[0].name}."]
    for step in playbook.steps:
        ways = ", ".join(f"{arrow.label} to {arrow.to}" for arrow in arrows if arrow.source == step.name)
        here = (
            f", {counts.get(step.name, 0)} here now"
            if counts is not None and kind_of(step.action) != "end"
            else ""
        )
        sentences.append(f"{step.name} ({kind_of(step.action)}{here}): {ways or 'the end'}.")
    if anywhere:
        sentences.append("At any step: " + ", ".join(f"{outcome} to {to}" for outcome, to in anywhere) + ".")
    return " ".join(sentences)


def _svg_box(layout: Layout, name: str, words: tuple[str, str], kind: str, count: int | None) -> str:
    box = layout.boxes[name]
    radius = 22 if kind == "end" else 8
    lines = [
        (
            f'<g><rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius}" '
            f'fill="{_FILL.get(kind, "#ffffff")}" stroke="#4b5563"/>'
        ),
        (
            f'<text x="{box.middle:.1f}" y="{box.y + 19:.1f}" text-anchor="middle" font-weight="600" fill="#111827">'
            f"{escape(words[0])}</text>"
        ),
        (
            f'<text x="{box.middle:.1f}" y="{box.y + 36:.1f}" text-anchor="middle" font-size="11" fill="#4b5563">'
            f"{escape(words[1])}</text>"
        ),
    ]
    if count is not None:
        width = 14 + 8 * len(str(count))
        x = box.x + box.width - width / 2
        lines.append(
            f'<rect x="{x:.1f}" y="{box.y - 10:.1f}" width="{width}" height="20" rx="10" fill="#1f2937"/>'
            f'<text x="{x + width / 2:.1f}" y="{box.y + 4:.1f}" text-anchor="middle" font-size="11" fill="#ffffff">'
            f"{count}</text>"
        )
    return "".join(lines) + "</g>"


def _svg_route(route: DrawnLink) -> str:
    link, label = route.link, route.label
    begins = "" if link.source is None else f' data-from="{escape(link.source)}"'
    dashes = ' stroke-dasharray="4 3"' if link.source is None else ""
    lines = [
        (
            f'<g{begins} data-to="{escape(link.to)}">'
            f'<path d="{route.path}" fill="none" stroke="#4b5563"{dashes} marker-end="url(#arrow)"/>'
        )
    ]
    lines += [
        f'<text x="{label.middle:.1f}" y="{label.y + LINE * number + 12:.1f}" text-anchor="middle" font-size="11" '
        f'fill="#1f2937">{escape(line)}</text>'
        for number, line in enumerate(link.lines)
    ]
    return "".join(lines) + "</g>"
