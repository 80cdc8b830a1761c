"""The shipped playbooks are what growth teams copy: they must check clean, read the same in every face, and say
something fit to be seen to every kind of customer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from channels.base import Content
from orchestrator.language.conditions.computed import WithComputed
from orchestrator.language.conditions.evaluate import holds
from orchestrator.language.conditions.facts import SignalOccurrence
from orchestrator.language.folder import PlaybookFiles, load_account, load_folder, load_playbook
from orchestrator.language.model import All, Ask, AtLeastOf, Handoff, Send, Split
from orchestrator.language.model import Any as Any_
from orchestrator.language.outcomes import channels_of
from orchestrator.language.reading.playbook import read_playbook
from orchestrator.language.writing.json_values import from_plain, to_plain
from orchestrator.language.writing.python_writer import to_python
from orchestrator.language.writing.yaml_writer import to_yaml
from orchestrator.service.rendering import html_text
from orchestrator.service.rendering.links import LinkSigner
from orchestrator.service.rendering.render import Renderer
from orchestrator.service.rendering.survey_questions import render_question

ROOT = Path(__file__).parents[2] / "playbooks"
CUSTOMERS: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "fixtures/sample_customers.json").read_text()
)
SHIPPED = (
    "at_risk_win_back",
    "cross_sell_on_activation",
    "event_push",
    "export_limit_modal",
    "power_user_upsell",
)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

# The default alphabet of text messages; the second row costs two places a letter.
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWO_PLACES = set("^{}\\[~]|€")
VOID = {"br", "hr", "img", "meta", "link", "input"}


BUNDLES = {bundle.name: bundle for bundle in load_folder(ROOT)}


@dataclass(frozen=True, kw_only=True)
class Person:
    """A sample customer as conditions and templates see her: attributes, and nothing in her history."""

    name: str
    now: datetime
    values: Mapping[str, Any]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(CUSTOMERS[self.name]["timezone"])

    @property
    def locale(self) -> str | None:
        locale: str | None = CUSTOMERS[self.name]["locale"]
        return locale

    @property
    def entered_at(self) -> datetime | None:
        return self.now

    def value(self, name: str) -> Any | None:
        found: Any = self.values
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def history(self, event: str) -> list[SignalOccurrence]:
        if event == "orders_reported" and self.name == "rich":
            return [
                SignalOccurrence(
                    name=event, occurred_at=self.now, properties={"orders": 1840, "revenue": 91200.5}
                )
            ]
        return []


class SignedLinks:
    """The real signed links of one message."""

    def __init__(self) -> None:
        self._links = LinkSigner(
            base_url="https://go.quillmere.example", keys=["a key of the tests, long enough"]
        )

    @property
    def opt_out_url(self) -> str:
        return self._links.opt_out_url(42, "upsell", message_id="m_g-7")

    @property
    def preferences_url(self) -> str:
        return self._links.preferences_url(42)

    @property
    def one_click_url(self) -> str:
        return self._links.one_click_url(42, "upsell", message_id="m_g-7")

    def click_url(self, name: str, target: str) -> str:
        return self._links.click_url("m_g-7", name, target)

    def answer_url(self, answer: str) -> str:
        return self._links.answer_url("m_g-7", answer)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One message as one sample customer would see it."""

    playbook: str
    step: str
    channel: str
    customer: str
    content: Content
    for_colleagues: bool = False  # the brief of a hand-over

    def __str__(self) -> str:
        return f"{self.playbook}/{self.step}/{self.channel} to {self.customer}"


def values_of(bundle: PlaybookFiles, person: Person) -> dict[str, Any]:
    """Everything a template may name: attributes, computed values, context, offers, variants and the event."""
    playbook = bundle.playbook
    assert playbook is not None
    facts = WithComputed(base=person, computed=bundle.vocabulary.computed_named)
    computed = {name: facts.value(name) for name in bundle.vocabulary.computed_named}
    offers = {
        offer.name: dict(next(row.facts for row in offer.rows if row.if_ is None or holds(row.if_, facts)))
        for offer in playbook.offers
    }
    variants = {
        step.name: step.action.shares[0][0] for step in playbook.steps if isinstance(step.action, Split)
    }
    event: dict[str, Any] = {}
    if playbook.enter.calendar:
        event = {
            "event_key": "black-friday-2026",
            "event_name": "Black Friday",
            "event_starts": "2026-11-27",
            "event_ends": "2026-11-30",
        }
    context = {name: 25 if kind in ("number", "money") else "text" for name, kind in playbook.context}
    return {**person.values, **computed, **context, **event, "offer": offers, "variant": variants}


def reasons(bundle: PlaybookFiles) -> list[str]:
    """Every ``because`` the playbook can give."""
    assert bundle.playbook is not None
    found = [bundle.playbook.enter.because] if bundle.playbook.enter.because else []
    todo = [bundle.playbook.enter.if_] if bundle.playbook.enter.if_ else []
    while todo:
        one = todo.pop()
        found += [one.because] if one.because else []
        if isinstance(one, All | Any_ | AtLeastOf):
            todo.extend(one.parts)
    return found


def seen_by(bundle: PlaybookFiles, customer: str) -> Iterator[Seen]:
    """Every message of a playbook on every channel it may take."""
    playbook = bundle.playbook
    assert playbook is not None
    person = Person(name=customer, now=NOW, values=CUSTOMERS[customer]["values"])
    renderer = Renderer(bundle.policy)
    key = (playbook.name, playbook.version)
    values = values_of(bundle, person)
    # A reason is rendered only when it is true: its figures are there. The poor customer has the plain one.
    because = reasons(bundle)[0]
    for step in playbook.steps:
        action = step.action
        if isinstance(action, Send | Handoff):
            for channel in channels_of(action) if isinstance(action, Send) else (action.to,):
                content = renderer.render(
                    key,
                    bundle.templates,
                    texts=bundle.texts,
                    base=action.template,
                    channel=channel,
                    locale=person.locale,
                    values=values,
                    because=because,
                    links=SignedLinks(),
                    zone=person.zone,
                )
                yield Seen(
                    playbook=bundle.name,
                    step=step.name,
                    channel=channel,
                    customer=customer,
                    content=content,
                    for_colleagues=isinstance(action, Handoff),
                )
        elif isinstance(action, Ask):
            for channel in channels_of(action):
                content = render_question(
                    renderer,
                    key,
                    bundle.templates,
                    texts=bundle.texts,
                    channel=channel,
                    locale=person.locale,
                    question=action.question,
                    answers=action.answers,
                    scale=action.scale,
                    comment=action.comment,
                    values=values,
                    because=because,
                    links=SignedLinks(),
                    promotional=bundle.policy.promotional(playbook.topic),
                    zone=person.zone,
                )
                yield Seen(
                    playbook=bundle.name, step=step.name, channel=channel, customer=customer, content=content
                )


def everything_seen() -> list[Seen]:
    return [
        seen for bundle in BUNDLES.values() for customer in CUSTOMERS for seen in seen_by(bundle, customer)
    ]


class Page(HTMLParser):
    """Reads markup and remembers what is wrong with its shape."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.hrefs: list[str] = []
        self.images_without_words = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.wrong.append(f"<{tag}> has an attribute twice")
        given = dict(attrs)
        if tag == "a":
            self.hrefs.append(given.get("href") or "")
        if tag == "img" and not given.get("alt"):
            self.images_without_words += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing at {self.getpos()}")


def page(markup: str) -> Page:
    reader = Page()
    reader.feed(markup)
    reader.close()
    return reader


HELPERS = ("negative_answer",)  # playbooks the engine starts by itself: they sell nothing and measure nothing


def test_all_of_them_are_there() -> None:
    assert tuple(sorted(BUNDLES)) == tuple(sorted((*SHIPPED, *HELPERS)))
    assert (ROOT / "at_risk_win_back" / "playbook.py").is_file()


@pytest.mark.parametrize("name", SHIPPED)
def test_it_checks_clean_without_a_warning(name: str) -> None:
    assert [str(problem) for problem in BUNDLES[name].problems] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_complete_as_an_example(name: str) -> None:
    playbook = BUNDLES[name].playbook
    assert playbook is not None
    assert playbook.goal is not None
    assert playbook.holdout > 0
    assert playbook.measures
    assert reasons(BUNDLES[name])
    assert playbook.enter.reentry.after or playbook.enter.reentry.per


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_the_same_after_every_way_of_writing_it_down(name: str, tmp_path: Path) -> None:
    playbook = BUNDLES[name].playbook
    assert playbook is not None
    again, problems = read_playbook(to_yaml(playbook))
    assert problems == []
    assert again == playbook
    (tmp_path / "playbook.py").write_text(to_python(playbook))
    assert load_playbook(tmp_path / "playbook.py", account=load_account(ROOT)).playbook == playbook
    assert from_plain(json.loads(json.dumps(to_plain(playbook)))) == playbook


@pytest.mark.parametrize("name", SHIPPED)
def test_every_template_belongs_to_a_step(name: str) -> None:
    playbook = BUNDLES[name].playbook
    assert playbook is not None
    bases = {step.action.template for step in playbook.steps if isinstance(step.action, Send | Handoff)}
    assert {file.split(".")[0] for file in BUNDLES[name].templates} == bases


@pytest.mark.parametrize("customer", CUSTOMERS)
@pytest.mark.parametrize("name", SHIPPED)
def test_every_message_can_be_rendered_for_every_customer(name: str, customer: str) -> None:
    for seen in seen_by(BUNDLES[name], customer):
        words = " ".join((seen.content.text, seen.content.html or "", *seen.content.header.values()))
        assert seen.content.text, seen
        assert not re.search(r"\{\{|\}\}|\{%|None|undefined|Undefined", words), seen
        assert " ," not in seen.content.text, seen
        assert "  " not in seen.content.text, seen


@pytest.mark.parametrize("name", SHIPPED)
def test_every_reason_can_be_told_to_whom_it_is_true_for(name: str) -> None:
    bundle = BUNDLES[name]
    person = Person(name="rich", now=NOW, values=CUSTOMERS["rich"]["values"])
    values = values_of(bundle, person)
    for reason in reasons(bundle):
        told = Renderer(bundle.policy).render_text(
            (name, 1), bundle.templates, reason, texts=bundle.texts, locale="en", values=values
        )
        assert told, reason
        assert "{" not in told


@pytest.mark.parametrize("name", ["power_user_upsell", "export_limit_modal", "cross_sell_on_activation"])
def test_a_german_customer_reads_german_all_the_way(name: str) -> None:
    bundle = BUNDLES[name]
    for reason in reasons(bundle):
        assert all(reason in words for words in bundle.texts.values())
        assert "de" in bundle.texts
    for seen in seen_by(bundle, "german"):
        if seen.for_colleagues:
            continue
        words = f"{seen.content.text} {' '.join(seen.content.header.values())}"
        assert not re.search(r"\b(the|you|your|because|off|see)\b", words, re.IGNORECASE), seen


def test_money_follows_the_customers_region() -> None:
    bundle = BUNDLES["export_limit_modal"]
    texts = {
        customer: next(seen.content.text for seen in seen_by(bundle, customer) if seen.step == "modal")
        for customer in CUSTOMERS
    }
    assert "$42" in texts["rich"]
    assert "$42" in texts["poor"]
    assert "€ 39" in texts["german"]  # as Austria writes it


def test_no_figure_is_invented_for_whom_none_is_known() -> None:
    for name, steps in (
        ("cross_sell_on_activation", ("prompt", "email")),
        ("event_push", ("results", "recap")),
    ):
        told = {
            customer: " ".join(
                f"{seen.content.text} {html_text.plain(seen.content.html or '')}"
                for seen in seen_by(BUNDLES[name], customer)
                if seen.step in steps
            )
            for customer in ("rich", "poor")
        }
        assert re.search(r"\d%", told["rich"])
        assert "%" not in told["poor"]
        assert not re.search(r"\b0\b", told["poor"])


def test_a_text_message_fits_one() -> None:
    texts = [seen for seen in everything_seen() if seen.channel == "sms"]
    assert {seen.playbook for seen in texts} == {"cross_sell_on_activation", "at_risk_win_back"}
    for seen in texts:
        letters = seen.content.text
        assert set(letters) <= GSM | GSM_TWO_PLACES, f"{seen}: {set(letters) - GSM}"
        assert len(letters) + sum(letter in GSM_TWO_PLACES for letter in letters) <= 160, seen


def test_whoever_is_promoted_to_finds_the_way_out() -> None:
    for seen in everything_seen():
        if seen.for_colleagues:
            assert SignedLinks().opt_out_url not in seen.content.text, (
                f"{seen}: a colleague could opt them out"
            )
        if seen.channel == "email":
            html = seen.content.html or ""
            for words in (seen.content.text, html.replace("&amp;", "&")):
                assert SignedLinks().opt_out_url in words, seen
                assert SignedLinks().preferences_url in words, seen
                assert "1 Example Street, 12345 Exampletown" in words, seen
        if seen.channel == "sms":
            assert "STOP" in seen.content.text, seen


def test_markup_is_well_formed_and_its_links_lead_somewhere() -> None:
    pages = [(seen, page(seen.content.html)) for seen in everything_seen() if seen.content.html]
    assert len(pages) > 40
    for seen, read in pages:
        assert read.wrong == [], seen
        assert read.open == [], seen
        assert read.images_without_words == 0, seen
        assert all(href.startswith("https://") for href in read.hrefs), seen


def test_every_email_says_its_language_has_a_subject_and_one_headline() -> None:
    for seen in everything_seen():
        if seen.channel == "email":
            html = seen.content.html or ""
            german = seen.customer == "german" and BUNDLES[seen.playbook].texts
            assert f'<html lang="{"de" if german else "en"}">' in html or seen.content.choices, seen
            assert 0 < len(seen.content.header["subject"]) <= 100, seen
            assert html.count("<h1") == 1, seen
            assert html.count('<table role="presentation"') + html.count("<table class=") == html.count(
                "<table"
            ), seen


def test_what_is_shown_in_the_product_has_a_title_and_a_way_on() -> None:
    for seen in everything_seen():
        if seen.channel == "in_app" and not (seen.content.choices or seen.content.scale):
            assert seen.content.header["title"], seen
            assert seen.content.header["button"], seen
            assert seen.content.header["button_url"].startswith("https://"), seen
