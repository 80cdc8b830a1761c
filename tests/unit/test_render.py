"""Rendering: what a customer sees, in her language, with her values, and what must never get through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jinja2.environment import Environment

from channels.base import Content
from orchestrator.language.account.policy import AccountPolicy
from orchestrator.service.rendering.render import Renderer, RenderFailed
from orchestrator.service.rendering.survey_questions import render_question

VERSION = ("power_user_upsell", 1)
GREETINGS = {"m.chat.txt": "Hello", "m.de.chat.txt": "Guten Tag", "m.de-AT.chat.txt": "Grüß Gott"}
FLAT: dict[str, Any] = {"plan.seats": 10}


TEXTS = {
    "de": {
        "It costs too much": "Zu teuer",
        "How was it?": "Wie war es?",
        "you use {{ seats }} seats": "Sie {{ seats }} Plätze nutzen",
    }
}
ACCOUNT: dict[str, Any] = {"account.name": "Shop"}
POLICY = AccountPolicy(
    sender=(("name", "Quillmere"), ("postal_address", "1 Example Street, Exampletown")),
    booking=(("call_back", "https://book.example/call"),),
)


class PlainLinks:
    """Readable addresses instead of signed ones; counts how often each was made."""

    opt_out_url = "https://go.example/u/t?a=1&b=2"
    preferences_url = "https://go.example/p/t"
    one_click_url = "https://go.example/u/t"

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []

    def click_url(self, name: str, target: str) -> str:
        self.made.append((name, target))
        return f"https://go.example/c/{name}"

    def answer_url(self, answer: str) -> str:
        return f"https://go.example/a/{answer}"


def rendered(
    templates: Mapping[str, str],
    *,
    base: str = "email",
    channel: str = "email",
    locale: str | None = None,
    renderer: Renderer | None = None,
    zone: ZoneInfo | None = None,
    **values: Any,
) -> Content:
    return (renderer or Renderer(POLICY)).render(
        VERSION,
        templates,
        texts=TEXTS,
        base=base,
        channel=channel,
        locale=locale,
        values=values,
        links=PlainLinks(),
        zone=zone or ZoneInfo("UTC"),
    )


def words(text: str, *, locale: str | None = None, zone: ZoneInfo | None = None, **values: Any) -> str:
    return rendered({"m.chat.txt": text}, base="m", channel="chat", locale=locale, zone=zone, **values).text


def reason(text: str, **values: Any) -> str:
    with pytest.raises(RenderFailed) as failure:
        words(text, **values)
    return failure.value.reason


class TestChoosingWords:
    @pytest.mark.parametrize(
        ("locale", "expected"),
        [
            ("de-AT", "Grüß Gott"), ("de_AT", "Grüß Gott"), ("de-CH", "Guten Tag"), ("DE", "Guten Tag"),
            ("fr", "Hello"), (None, "Hello"), ("", "Hello"),
        ],
    )  # fmt: skip
    def test_the_nearest_locale_speaks(self, locale: str | None, expected: str) -> None:
        assert rendered(GREETINGS, base="m", channel="chat", locale=locale).text == expected

    def test_two_languages_are_never_mixed_in_one_message(self) -> None:
        content = rendered(
            {
                "email.email.html": "<p>Hello</p>",
                "email.email.txt": "Hello",
                "email.de.email.html": "<p>Guten Tag</p>",
            },
            locale="de",
        )
        assert (content.html, content.text) == ("<p>Guten Tag</p>", "Guten Tag")

    @pytest.mark.parametrize(
        ("templates", "expected"),
        [
            ({"m.chat.txt": "Because {{ because }}"}, "Because you use 9 seats"),
            ({"m.chat.txt": "x", "m.de.chat.txt": "Weil {{ because }}"}, "Weil Sie 9 Plätze nutzen"),
        ],
    )
    def test_the_reason_is_told_in_the_language_of_the_message(
        self, templates: dict[str, str], expected: str
    ) -> None:
        content = Renderer(POLICY).render(
            VERSION,
            templates,
            texts=TEXTS,
            base="m",
            channel="chat",
            locale="de",
            values={"seats": 9},
            because="you use {{ seats }} seats",
            links=PlainLinks(),
        )
        assert content.text == expected

    def test_a_channel_without_words_is_said_so(self) -> None:
        with pytest.raises(RenderFailed, match=r"no template 'm\.sms' in power_user_upsell version 1"):
            rendered(GREETINGS, base="m", channel="sms")


class TestHeader:
    def test_its_values_are_rendered_and_kept_to_one_line(self) -> None:
        content = rendered(
            {"email.email.txt": "---\nsubject: For {{ first_name }}: {{ seats }} seats\n---\nbody\n"},
            first_name="Ann\r\nBcc: everyone@example.org",
            seats=9,
        )
        assert content.header == {"subject": "For Ann Bcc: everyone@example.org: 9 seats"}
        assert content.text == "body"

    def test_a_subject_is_text_and_a_body_is_markup(self) -> None:
        content = rendered(
            {"email.email.html": "---\nsubject: {{ name }}\n---\n<p>{{ name }}</p>"}, name="Fish & <Chips>"
        )
        assert content.header["subject"] == "Fish & <Chips>"
        assert content.html == "<p>Fish &amp; &lt;Chips&gt;</p>"

    def test_a_rule_inside_a_body_is_no_header(self) -> None:
        assert words("Hello\n---\nsubject: no\n---") == "Hello\n---\nsubject: no\n---"


class TestValues:
    def test_dotted_names_are_groups(self) -> None:
        assert words("{{ plan.seats }}", **FLAT) == "10"
        assert words("{{ offer.discount.percent }}", offer={"discount": {"percent": 10}}) == "10"

    def test_a_customers_own_facts_may_be_called_hers(self) -> None:
        assert (
            words("{{ customer.first_name }} {{ customer.account.name }}", first_name="Ann", **ACCOUNT)
            == "Ann Shop"
        )
        assert "'customer.first_name' has no value" in reason("{{ customer.first_name }}")

    def test_a_fact_named_like_a_method_is_still_a_fact(self) -> None:
        assert (
            words("{{ answer.items }} {{ answer.copy }}", answer={"items": "two", "copy": "one"}) == "two one"
        )

    @pytest.mark.parametrize("values", [{}, {"first_name": None}, {"first_name": "  "}])
    def test_none_and_blank_are_missing(self, values: dict[str, Any]) -> None:
        assert words("{{ first_name | default('there') }}", **values) == "there"
        assert "'first_name' has no value here" in reason("Hello {{ first_name }}", **values)

    @pytest.mark.parametrize("values", [{}, {"account": {}}, {"account": {"renews_at": None}}])
    def test_a_part_of_something_missing_takes_a_default(self, values: dict[str, Any]) -> None:
        assert words("{{ account.renews_at | day | default('soon') }}", **values) == "soon"
        assert words("{{ account.renews_at | default('soon') }}", **values) == "soon"

    def test_a_missing_value_is_false_and_compares_with_nothing_as_in_conditions(self) -> None:
        for question in (
            "n",
            "n > 0",
            "n < 0",
            "n == 0",
            "n >= 0",
            "n <= 0",
            "n in [n]",
            "1 in n",
            "a.b.c == 1",
        ):
            assert words("{% if " + question + " %}yes{% else %}no{% endif %}") == "no", question
        assert words("{{ n | day if n else 'not known' }}") == "not known"
        assert "'n' has no value here" in reason("{{ n * 40 }}")

    def test_a_missing_part_is_named_in_full(self) -> None:
        assert "'offer.boost.price' has no value here" in reason(
            "{{ offer.boost.price }}", offer={"boost": {"currency": "EUR"}}
        )
        assert "'offer.boost.price' has no value here" in reason("{{ offer.boost.price }}")

    def test_a_failure_names_template_and_kind_but_not_the_value(self) -> None:
        told = reason("{{ seats | number }}", seats="Anna Schmidt")
        assert told == "m.chat.txt: a value is not of the kind it is used as (TypeError)"

    def test_printing_a_whole_group_fails_and_says_what_to_write(self) -> None:
        assert "TypeError" in reason("{{ offer }}", offer={"percent": 1})

    def test_a_template_that_does_not_parse_is_a_failure_of_the_message(self) -> None:
        assert reason("{% if %}").startswith("m.chat.txt: ")

    def test_the_sender_comes_from_policy(self) -> None:
        assert (
            words("{{ sender.name }}, {{ sender.postal_address }}")
            == "Quillmere, 1 Example Street, Exampletown"
        )


class TestFilters:
    @pytest.mark.parametrize(
        ("locale", "expected"),
        [
            (None, "March 1, 2027"),
            ("en-GB", "1 March 2027"),
            ("de-AT", "1. März 2027"),
            ("xx-YY", "March 1, 2027"),
        ],
    )
    def test_a_day(self, locale: str | None, expected: str) -> None:
        templates = {"m.chat.txt": "{{ d | day }}", "m.de.chat.txt": "{{ d | day }}"}
        assert rendered(templates, base="m", channel="chat", locale=locale, d="2027-03-01").text == expected

    def test_english_words_keep_english_marks_for_a_german_reader(self) -> None:
        assert (
            words("{{ d | day }}: {{ n | number }}", locale="de", d="2027-03-01", n=1234.5)
            == "March 1, 2027: 1,234.5"
        )

    def test_an_instant_is_a_day_in_the_customers_zone(self) -> None:
        late = datetime(2027, 3, 1, 23, 30, tzinfo=UTC)
        assert words("{{ t | day }}", t=late, zone=ZoneInfo("Asia/Tokyo")) == "March 2, 2027"
        assert (
            words("{{ t | day }}", t=late.isoformat(), zone=ZoneInfo("America/New_York")) == "March 1, 2027"
        )

    @pytest.mark.parametrize(
        ("locale", "amount", "currency", "expected"),
        [
            ("en", 39, "EUR", "€39"), ("en", 39.5, "USD", "$39.50"), ("en-GB", 1200, "GBP", "£1,200"),
            ("de", 39, "EUR", "39\u00a0€"), ("de", "1234.5", "EUR", "1.234,50\u00a0€"), ("en", 500, "JPY", "¥500"),
        ],
    )  # fmt: skip
    def test_money(self, locale: str, amount: Any, currency: str, expected: str) -> None:
        templates = {"m.chat.txt": "{{ a | money(c) }}", "m.de.chat.txt": "{{ a | money(c) }}"}
        assert (
            rendered(templates, base="m", channel="chat", locale=locale, a=amount, c=currency).text
            == expected
        )

    def test_money_takes_the_customers_currency_when_none_is_named(self) -> None:
        assert words("{{ 5 | money }}") == "$5"
        assert words("{{ 5 | money }}", currency="EUR") == "€5"

    def test_percent_and_number(self) -> None:
        assert (
            words("{{ 0.625 | percent }} {{ 1234567 | number }} {{ 2.345 | number }}") == "62% 1,234,567 2.34"
        )

    @pytest.mark.parametrize("name", ["day", "money", "percent", "number"])
    @pytest.mark.parametrize("value", [True, [1], float("nan"), "2027-13-45"])
    def test_what_is_no_such_thing_fails(self, name: str, value: Any) -> None:
        assert "not of the kind" in reason("{{ v | " + name + " }}", v=value)


class TestLinks:
    def test_a_link_is_signed_once_and_listed(self) -> None:
        links = PlainLinks()
        content = Renderer(POLICY).render(
            VERSION,
            {
                "email.email.html": "<a href=\"{{ link('plans', 'https://x.example/?a=1&b=2') }}\">Plans</a>",
                "email.email.txt": "{{ link('plans', 'https://x.example/?a=1&b=2') }} {{ opt_out_url }}",
            },
            base="email",
            channel="email",
            locale=None,
            values={},
            links=links,
        )
        assert links.made == [("plans", "https://x.example/?a=1&b=2")]
        assert content.links == {"plans": "https://go.example/c/plans"}
        assert content.text == "https://go.example/c/plans https://go.example/u/t?a=1&b=2"

    def test_two_targets_under_one_name_are_refused(self) -> None:
        told = reason("{{ link('a', 'https://x.example') }} {{ link('a', 'https://y.example') }}")
        assert "leads to two addresses" in told

    @pytest.mark.parametrize("target", ["javascript:alert(1)", "/plans", "x.example"])
    def test_a_link_leads_to_the_web(self, target: str) -> None:
        assert "absolute https:// address" in reason("{{ link('a', t) }}", t=target)

    def test_booking_links_come_from_policy(self) -> None:
        assert words("{{ booking_link('call_back') }}") == "https://go.example/c/call_back"
        assert "names no booking link 'call' (it names: call_back)" in reason("{{ booking_link('call') }}")


class TestSafety:
    def test_in_app_keeps_simple_tags_and_nothing_that_runs(self) -> None:
        html = rendered(
            {
                "m.in_app.html": "<h2 onclick='x()'>Hi</h2><script>steal()</script><p style='x'><img src='https://i.example/a.png'"
                " alt='A' onerror='x()'><a href='javascript:x()'>a</a><iframe src='//x'></iframe><strong>b</strong></p>"
            },
            base="m",
            channel="in_app",
        ).html
        assert html == (
            '<h2>Hi</h2><p><img src="https://i.example/a.png" alt="A">'
            '<a rel="noopener noreferrer">a</a><strong>b</strong></p>'
        )

    def test_a_customers_name_never_becomes_markup(self) -> None:
        name = "<img src=x onerror=alert(1)>"
        assert "<img" not in str(
            rendered({"m.in_app.html": "<p>{{ n }}</p>"}, base="m", channel="in_app", n=name).html
        )
        assert "No filter named 'safe'" in reason("{{ n | safe }}", n=name)

    @pytest.mark.parametrize(
        "escape",
        [
            "{{ ''.__class__.__mro__ }}", "{{ link.__globals__ }}", "{{ link.__self__.links }}",
            "{{ cycler.__init__.__globals__ }}", "{% set x = [] %}{{ x.append(1) }}",
        ],
    )  # fmt: skip
    def test_the_sandbox_holds(self, escape: str) -> None:
        reason(escape)

    def test_a_template_cannot_read_files_outside(self) -> None:
        reason("{% include '../render.py' %}")
        reason("{% include '/etc/passwd' %}")


class TestText:
    def test_words_are_made_of_markup_when_no_text_was_written(self) -> None:
        text = rendered(
            {
                "m.in_app.html": "<h2>One &amp; two</h2>\n<ul><li>first</li>\n<li>second</li></ul>"
                "<p>See <a href=\"{{ link('plans', 'https://x.example') }}\">the plans</a>.</p>"
            },
            base="m",
            channel="in_app",
        ).text
        assert text == "One & two\n- first\n- second\nSee the plans (https://go.example/c/plans)."

    def test_marks_that_halve_a_text_message_are_made_plain(self) -> None:
        templates = {"m.de.sms.txt": "„Für {{ 39 | money('EUR') }}“ – jetzt…", "m.sms.txt": "x"}
        assert rendered(templates, base="m", channel="sms", locale="de").text == '"Für 39 €" - jetzt...'


class TestVersions:
    def test_a_version_is_compiled_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        renderer = Renderer(POLICY)
        templates = {"m.chat.txt": "Hello {{ n }}"}
        rendered(templates, base="m", channel="chat", renderer=renderer, n=1)

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("compiled again")

        monkeypatch.setattr(Environment, "compile", refuse)
        assert rendered(dict(templates), base="m", channel="chat", renderer=renderer, n=2).text == "Hello 2"

    def test_a_draft_that_changed_is_compiled_again(self) -> None:
        renderer = Renderer(POLICY)
        assert rendered({"m.chat.txt": "one"}, base="m", channel="chat", renderer=renderer).text == "one"
        assert rendered({"m.chat.txt": "two"}, base="m", channel="chat", renderer=renderer).text == "two"

    def test_a_playbooks_own_frame_wins_over_the_house_frame(self) -> None:
        child = '{% extends "frame.email.html" %}{% block content %}<p>Hello</p>{% endblock %}'
        house = rendered({"email.email.html": child}).html
        assert house is not None
        assert house.startswith("<!doctype html>")
        assert "<p>Hello</p>" in house
        own = {"email.email.html": child, "frame.email.html": "<b>{% block content %}{% endblock %}</b>"}
        assert rendered(own).html == "<b><p>Hello</p></b>"


class TestQuestions:
    ANSWERS = (("price", "It costs too much"), ("time", "No time"))

    def asked(
        self,
        channel: str,
        *,
        question: str = "What stopped you, {{ first_name | default('friend') }}?",
        locale: str | None = None,
        scale: tuple[int, int] | None = None,
    ) -> Content:
        return render_question(
            Renderer(POLICY),
            VERSION,
            {},
            texts=TEXTS,
            channel=channel,
            locale=locale,
            question=question,
            answers=() if scale else self.ANSWERS,
            scale=scale,
            comment="Anything else?",
            values={"first_name": "<Ann>"},
            because="your trial ended",
            links=PlainLinks(),
        )

    def test_by_email_each_answer_is_a_link_and_the_way_out_is_there(self) -> None:
        content = self.asked("email")
        assert content.header == {"subject": "What stopped you, <Ann>?", "comment": "Anything else?"}
        assert "- It costs too much: https://go.example/a/price" in content.text
        assert PlainLinks.opt_out_url in content.text
        assert content.html is not None
        assert 'href="https://go.example/a/time"' in content.html
        assert "What stopped you, &lt;Ann&gt;?" in content.html
        assert "https://go.example/u/t?a=1&amp;b=2" in content.html
        assert "1 Example Street, Exampletown" in content.html
        assert "You get this because your trial ended." in content.html

    def test_the_subject_ends_with_the_question_mark(self) -> None:
        content = self.asked("email", question="Your trial is over. What held you back? You get 500 exports.")
        assert content.header["subject"] == "Your trial is over. What held you back?"
        assert "<p>You get 500 exports.</p>" in str(content.html)

    def test_by_sms_answers_are_numbered_and_stop_is_named(self) -> None:
        assert self.asked("sms").text.split("\n") == [
            "What stopped you, <Ann>?", "1 It costs too much", "2 No time", "Reply with a number",
            "Reply STOP to opt out",
        ]  # fmt: skip

    def test_answers_are_translated_as_far_as_words_are_there(self) -> None:
        content = self.asked("in_app", question="How was it?", locale="de-AT")
        assert content.text == "Wie war es?"
        assert content.choices == (("price", "Zu teuer"), ("time", "No time"))

    def test_a_question_nobody_translated_stays_in_one_language(self) -> None:
        assert self.asked("sms", locale="de").text.endswith("Reply with a number\nReply STOP to opt out")
        assert self.asked("sms", locale="de").choices == self.ANSWERS

    def test_a_scale_says_its_ends(self) -> None:
        german = self.asked("chat", question="How was it?", locale="de-AT", scale=(0, 10)).text
        assert german == "Wie war es?\nAntworten Sie mit einer Zahl von 0 bis 10"
        assert self.asked("email", scale=(0, 2)).text.count("https://go.example/a/") == 3

    def test_in_the_product_the_widget_draws_the_answers(self) -> None:
        content = self.asked("in_app")
        assert (content.text, content.choices) == ("What stopped you, <Ann>?", self.ANSWERS)
