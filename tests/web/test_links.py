"""Signed links: good for one purpose, readable after a change of keys, useless when touched."""

from __future__ import annotations

import pytest

from orchestrator.errors import BadToken
from orchestrator.service.rendering.links import LinkSigner

OLD, NEW = "o" * 32, "n" * 32


def links(*keys: str, **how: object) -> LinkSigner:
    return LinkSigner(base_url="https://engine.example/", keys=keys, **how)  # type: ignore[arg-type]


def token(url: str) -> str:
    return url.rsplit("/", 1)[1]


def test_each_link_gives_back_what_was_signed_into_it() -> None:
    made = links(NEW)
    assert made.read_opt_out(token(made.opt_out_url(7, "upsell"))) == (7, "*", "upsell", None)
    assert made.read_opt_out(token(made.one_click_url(7, "upsell", channel="email", message_id="m_7-1"))) == (
        7, "email", "upsell", "m_7-1",
    )  # fmt: skip
    assert made.read_preferences(token(made.preferences_url(7))) == 7
    assert made.read_click(token(made.click_url("m_7-1", "plans", "https://shop.example/?a=1&b=2"))) == (
        "m_7-1", "plans", "https://shop.example/?a=1&b=2",
    )  # fmt: skip
    assert made.read_answer(token(made.answer_url("m_7-1", "price"))) == ("m_7-1", "price")
    assert made.read_feed_token(made.feed_token(7)) == 7


def test_links_are_absolute_and_need_no_escaping() -> None:
    url = links(NEW).click_url("m_7-1", "plans", "https://shop.example/ü?x=y z")
    assert url.startswith("https://engine.example/c/")
    assert set(token(url)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def test_a_link_signed_with_an_old_key_still_opens_while_that_key_is_listed() -> None:
    sent_last_year = links(OLD).opt_out_url(7, "upsell")
    assert links(NEW, OLD).read_opt_out(token(sent_last_year))[0] == 7
    with pytest.raises(BadToken):
        links(NEW).read_opt_out(token(sent_last_year))


def test_new_links_are_signed_with_the_newest_key() -> None:
    made_now = links(NEW, OLD).preferences_url(7)
    assert links(NEW).read_preferences(token(made_now)) == 7


def test_a_token_is_good_for_its_own_purpose_alone() -> None:
    made = links(NEW)
    with pytest.raises(BadToken):
        made.read_preferences(token(made.opt_out_url(7)))
    with pytest.raises(BadToken):
        made.read_opt_out(made.feed_token(7))
    with pytest.raises(BadToken):
        made.read_feed_token(token(made.preferences_url(7)))


@pytest.mark.parametrize("bad", ["", ".", "x", "ä", "a.b.c", "WzdfQ", "x" * 5000, "\x00"])
def test_what_is_no_token_of_ours_is_refused(bad: str) -> None:
    for read in (links(NEW).read_opt_out, links(NEW).read_click, links(NEW).read_feed_token):
        with pytest.raises(BadToken):
            read(bad)


def test_a_token_changed_in_one_character_is_refused() -> None:
    made = links(NEW)
    good = token(made.opt_out_url(7, "upsell"))
    changed = ("A" if good[0] != "A" else "B") + good[1:]
    with pytest.raises(BadToken):
        made.read_opt_out(changed)


def test_feed_tokens_expire_and_opt_out_links_do_not() -> None:
    times = iter([1_000, 1_000 + 24 * 3600, 1_000, 1_001 + 24 * 3600])
    made = links(NEW, now=lambda: next(times))
    assert made.read_feed_token(made.feed_token(7)) == 7
    with pytest.raises(BadToken):
        made.read_feed_token(made.feed_token(7))
    assert made.read_opt_out(token(made.opt_out_url(7)))[0] == 7
