"""YAML and Python are two faces of one model: equal objects, each written out as the other, and as JSON."""

# ruff: noqa: E501 - rows of a table read best on one line
from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestrator.errors import PlaybookError
from orchestrator.language import author
from orchestrator.language.drawing.diagram import to_mermaid, to_svg
from orchestrator.language.model import Playbook
from orchestrator.language.problems import Problems, SourcePosition
from orchestrator.language.reading.playbook import parse_playbook, read_playbook
from orchestrator.language.reading.python_tree import tree_of
from orchestrator.language.reading.yaml_tree import ambiguous
from orchestrator.language.writing.json_values import from_plain, to_plain
from orchestrator.language.writing.plain_writer import OrderedFields
from orchestrator.language.writing.python_writer import to_python
from orchestrator.language.writing.yaml_writer import to_yaml
from tests.support.effort import examples
from tests.unit.language.builders import book, design_examples, reads

# A playbook is large to make: few of them, and the first found failure is shown as it is.
FEW = settings(
    max_examples=examples(40), phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None
)


def run(text: str) -> Playbook:
    """What an author's file defines."""
    names: dict[str, Any] = {}
    exec(text.replace("from orchestrator import", "from orchestrator.language.author import"), names)
    made = names["playbook"]
    assert isinstance(made, Playbook)
    return made


def test_the_python_face_gives_the_same_object_as_yaml() -> None:
    written = author.Playbook(
        name="nudge",
        version=1,
        title="One friendly nudge",
        topic="upsell",
        enter=author.Enter(when="limit_reached", because="you reached your limit", reentry={"after": "30d"}),
        steps=[
            author.Step(
                "mail", author.Send(channel="email", template="mail", as_=None), wait="2d", then="pick"
            ),
            author.Step(
                "pick",
                author.Choose(
                    author.Branch(
                        if_=author.any_of(
                            author.where("plan", ["pro", "team"]),
                            author.all_of(author.not_(author.where("health", less_than=40)), {"trial": True}),
                            author.at_least_of(
                                1, author.where("opened", times=5, within="14d"), because="often"
                            ),
                        ),
                        go="rest",
                    ),
                    author.Branch(go="done"),
                ),
            ),
            author.Step("rest", author.Cooldown("21d", scope="topic"), then="done"),
            author.Step("done", author.End("no_conversion")),
        ],
    )
    read = reads(
        book(
            """
mail: {send: {channel: email, template: mail}, wait: 2d, then: pick}
pick:
  choose:
    - if:
        any:
          - {plan: [pro, team]}
          - all: [{not: {health: {less_than: 40}}}, {trial: true}]
          - {at_least: 1, of: [{opened: {times: 5, within: 14d}}], because: often}
      go: rest
    - {go: done}
rest: {cooldown: {for: 21d, scope: topic}, then: done}
done: {end: no_conversion}
"""
        )
    )
    assert written == read
    assert repr(written) == repr(read)


def test_a_mistake_in_python_names_the_file_and_the_line_of_the_call() -> None:
    with pytest.raises(PlaybookError) as raised:
        author.Playbook(
            name="nudge",
            version=1,
            title="One friendly nudge",
            topic="upsell",
            enter=author.Enter(reentry="often"),
            steps=[
                author.Step("wait", wait="5m", then="done"),
                author.Step("done", author.End("no_conversion")),
            ],
        )
    source = Path(__file__).read_text(encoding="utf-8").splitlines()
    lines = {source[problem.line - 1].strip() for problem in raised.value.problems}
    assert {problem.path for problem in raised.value.problems} == {__file__}
    assert lines == {'enter=author.Enter(reentry="often"),', 'author.Step("wait", wait="5m", then="done"),'}


@pytest.mark.parametrize(
    ("span", "written"),
    [(timedelta(days=14), "14d"), (timedelta(hours=36), "36h"), (timedelta(minutes=90), "90min")],
)
def test_a_timedelta_is_read_as_the_duration_it_is(span: timedelta, written: str) -> None:
    assert tree_of(span, SourcePosition("made up"), Problems()) == tree_of(
        written, SourcePosition("made up"), Problems()
    )


@pytest.mark.parametrize("span", [timedelta(seconds=30), timedelta(0), timedelta(days=-1)])
def test_a_timedelta_that_the_language_cannot_write_is_a_problem(span: timedelta) -> None:
    problems = Problems()
    tree_of(span, SourcePosition("made up"), problems)
    assert [one.message for one in problems.errors] == [
        f"expected a duration of whole minutes, one or more, got {span}"
    ]


def test_names_the_engine_cannot_know_are_written_as_the_author_s_own() -> None:
    playbook = reads(
        book(
            """
mail: {send: {channel: [push, email], template: mail}, wait: 2d, then: {bought: sold, no_response: sold}}
sold: {end: sold}
"""
        )
    )
    written = to_python(playbook)
    assert written.startswith("from orchestrator import End, Enter, OwnName, Playbook, Send, Step\n")
    assert 'channel=[OwnName("push"), "email"]' in written
    assert 'then={OwnName("bought"): "sold", "no_response": "sold"}' in written
    assert 'End(OwnName("sold"))' in written


def test_the_reference_examples_survive_every_way_of_writing() -> None:
    for text in design_examples():
        playbook = reads(text)
        assert reads(to_yaml(playbook)) == playbook
        assert run(to_python(playbook)) == playbook
        stored = json.loads(json.dumps(to_plain(playbook), sort_keys=True))
        assert from_plain(stored) == playbook


def test_what_another_yaml_reader_would_not_read_as_text_is_written_in_quotes() -> None:
    playbook = reads(book("done: {end: no_conversion}").replace("One friendly nudge", '"NO"'))
    assert 'title: "NO"' in to_yaml(playbook)
    assert read_playbook(to_yaml(playbook))[1] == []


# --- any playbook at all --------------------------------------------------------------------------------------------

names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(lambda name: not ambiguous(name) and name not in (
    "because", "any", "all", "not", "of", "at_least", "at_most", "more_than", "less_than", "contains", "in_next", "in_last",
    "before", "after", "present", "missing", "else", "null", "next", "tomorrow", "ago", "at", "now", "today"))  # fmt: skip
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x85"), min_size=1, max_size=20
).filter(lambda text: text.strip() != "")
spans = st.builds("{}{}".format, st.integers(1, 90), st.sampled_from(["min", "h", "d", "w"]))
moments = spans | st.sampled_from(["next 09:00", "next workday 17:30", "3d before renews_at", "renews_at"])
decimals = st.decimals(Decimal("0.1"), Decimal(999), places=2).filter(
    lambda one: one != one.to_integral_value()
)
scalars = (
    texts.filter(lambda text: text not in ("present", "missing")) | st.booleans() | st.integers(-999, 999) | decimals
    | st.just("80%")
)  # fmt: skip
operands = st.integers(0, 99) | decimals | st.just("12.5%") | st.builds(lambda name: {"same_as": name}, names)


def questions() -> st.SearchStrategy[Any]:
    compared = st.one_of(
        scalars,
        st.sampled_from(["present", "missing"]),
        st.lists(scalars, min_size=1, max_size=3),
        st.builds(lambda op, value: {op: value}, st.sampled_from(["at_least", "less_than"]), operands),
        st.builds(lambda span: {"in_next": span}, spans),
        st.builds(lambda moment: {"before": moment}, moments | st.just("60d ago")),
        st.builds(lambda times, span: {"times": times, "within": span}, st.integers(0, 9), spans),
        st.builds(lambda field, n: {"sum": field, "more_than": n, "since": "entry"}, names, st.integers(0, 9)),
        st.builds(lambda span, p: {"down_by": "40%", "against": span, "where": {p: True}}, spans, names),
        st.builds(lambda key, other, span: {key: other, "within": span}, st.sampled_from(["then", "not_then"]), names, spans),
    )  # fmt: skip
    leaf = st.builds(lambda name, asked, why: {name: asked, **why}, names, compared, whys)
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(lambda key, parts, why: {key: parts, **why}, st.sampled_from(["any", "all"]), st.lists(inner, min_size=1, max_size=3), whys),
            st.builds(lambda part: {"not": part}, inner),
            st.builds(lambda parts: {"at_least": 1, "of": parts}, st.lists(inner, min_size=1, max_size=3)),
        ),
        max_leaves=4,
    )  # fmt: skip


whys = st.just({}) | st.builds(lambda text: {"because": text}, texts)
routes = names | st.dictionaries(
    names, names | st.dictionaries(names, names, min_size=1, max_size=2), min_size=1, max_size=3
)
actions = st.one_of(
    st.builds(lambda c, t, w: {"send": {"channel": c, "template": t}, "wait": w}, names | st.lists(names, min_size=1, max_size=3), names, moments),
    st.builds(lambda q, a: {"ask": {"channel": "email", "question": q, "answers": a}, "wait": "1d"}, texts, st.dictionaries(names, texts, min_size=2, max_size=3)),
    st.builds(lambda f, w: {"call": {"function": f, "with": w}}, names, st.dictionaries(names, scalars, max_size=2)),
    st.builds(lambda a, b: {"choose": [{"if": a, "go": b}, {"go": b}]}, questions(), names),
    st.just({"split": {"a": "12.5%", "b": "87.5%"}}),
    st.builds(lambda a: {"set": {"attributes": a}}, st.dictionaries(names, scalars, min_size=1, max_size=2)),
    st.builds(lambda w: {"wait": w}, moments),
    st.builds(lambda q: {"wait_until": q, "wait": "2d"}, questions()),
    st.builds(lambda s: {"cooldown": {"for": s, "scope": "topic"}}, spans),
    st.builds(lambda p, r: {"start": {"playbook": p, "one_of": [r]}}, names, names),
)  # fmt: skip
steps = st.builds(lambda action, then: {**action, "then": then}, actions, routes)


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    """A playbook as the parser accepts it, whether or not it makes sense."""
    spelled = {
        "playbook": draw(names),
        "version": draw(st.integers(1, 99)),
        "title": draw(texts),
        "topic": draw(names),
        "priority": draw(st.integers(0, 99)),
        "enter": {"when": draw(names), "if": draw(questions()), "reentry": draw(st.sampled_from(["never", {"after": "9d"}]))},
        "holdout": draw(st.sampled_from(["0%", "10%", "2.5%"])),
        "context": OrderedFields(draw(st.dictionaries(names, st.sampled_from(["text", "money"]), max_size=3)).items()),
        "offers": {draw(names): [{"if": draw(questions()), "percent": 10, "words": draw(texts)}, {"percent": 5}]},
        "guardrails": {"caps": [{"at_most": 3, "within": draw(spans)}], "quiet_hours": {"sms": {"from": "20:00", "until": "09:00"}}},
        "at_any_step": draw(st.dictionaries(names, names, min_size=1, max_size=2)),
        "steps": draw(st.dictionaries(names, steps, min_size=1, max_size=4)),
    }  # fmt: skip
    problems = Problems()
    made, found = parse_playbook(tree_of(_mapping(spelled), SourcePosition("made up"), problems))
    assert made is not None, [str(one) for one in found]
    return made


def _mapping(value: Any) -> Any:
    return {key: dict(inner) if isinstance(inner, OrderedFields) else inner for key, inner in value.items()}


@FEW
@given(playbooks())
def test_any_playbook_survives_yaml_python_and_json(playbook: Playbook) -> None:
    text = to_yaml(playbook)
    read, problems = read_playbook(text)
    assert read == playbook, [*map(str, problems), text]
    assert problems == [], "what the writer writes every reader reads alike"
    assert run(to_python(playbook)) == playbook
    assert from_plain(json.loads(json.dumps(to_plain(playbook), sort_keys=True))) == playbook


@FEW
@given(playbooks())
def test_any_playbook_can_be_drawn(playbook: Playbook) -> None:
    from xml.etree import ElementTree as ET

    picture = ET.fromstring(to_svg(playbook, counts={playbook.steps[0].name: 7}))
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert picture.findtext("svg:title", namespaces=space)
    assert playbook.steps[0].name in (picture.findtext("svg:desc", namespaces=space) or "")
    drawn = {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {step.name for step in playbook.steps} <= drawn
    assert to_mermaid(playbook).startswith("stateDiagram-v2\n    [*] --> ")


def test_a_title_that_looks_like_markup_is_drawn_as_text() -> None:
    playbook = reads(
        book("done: {end: no_conversion}").replace("One friendly nudge", '"<script>alert(1)</script>"')
    )
    picture = to_svg(playbook)
    assert "<script" not in picture
    assert "&lt;script&gt;" in picture


def test_a_value_that_json_does_not_know_is_a_problem_not_a_crash() -> None:
    problems = Problems()
    tree_of({"title": object(), "priority": float("nan")}, SourcePosition("made up"), problems)
    assert len(problems.errors) == 2
    with pytest.raises(PlaybookError):
        from_plain({"playbook": SimpleNamespace()})
