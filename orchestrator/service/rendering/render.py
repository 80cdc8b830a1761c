"""Rendering: a playbook version's templates and one customer's values become what the customer will see.

Templates run in a sandbox, are compiled once per published version and kept. Whatever goes wrong with one is a
:class:`RenderFailed`, which the engine turns into the outcome ``failed``: a bad template never parks an enrollment.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, Protocol

import nh3
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, FunctionLoader, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from channels.base import Content
from channels.table import traits_of
from orchestrator.errors import OrchestratorError
from orchestrator.language.templates import LINK_NAME, LINK_TARGETS
from orchestrator.service.rendering import formats, html_text, template_files

VersionKey = tuple[str, int]

HOUSE_TEMPLATES = Path(__file__).with_name("templates")
KEPT_VERSIONS = 64
IN_APP_TAGS = {"a", "b", "br", "em", "h2", "h3", "i", "img", "li", "ol", "p", "strong", "ul"}
IN_APP_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "width", "height"}}


class RenderFailed(OrchestratorError):
    """A message cannot be rendered for this customer. ``reason`` names template and value, never what was in it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class RenderLinks(Protocol):
    """The signed addresses of one message. Asking twice for the same gives the same."""

    @property
    def opt_out_url(self) -> str: ...

    @property
    def preferences_url(self) -> str: ...

    @property
    def one_click_url(self) -> str:
        """The RFC 8058 address of the List-Unsubscribe header; no template shows it."""
        ...

    def click_url(self, name: str, target: str) -> str:
        """An address that records the click as ``name`` and leads on to ``target``."""
        ...

    def answer_url(self, answer: str) -> str:
        """The page on which this answer of an ``ask`` step is confirmed by a POST."""
        ...


class RenderPolicy(Protocol):
    """What rendering needs of policy.yaml: the account's policy is one."""

    @property
    def sender(self) -> tuple[tuple[str, str], ...]:
        """Who speaks: ``name``, ``postal_address`` and whatever else templates say of it."""
        ...

    @property
    def booking(self) -> tuple[tuple[str, str], ...]:
        """Names of booking links with their addresses."""
        ...


@dataclass(kw_only=True)
class _LinkWriter:
    """``link()`` and ``booking_link()`` of one rendering, and the addresses they gave out."""

    links: RenderLinks
    booking: Mapping[str, str]
    targets: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)

    def link(self, name: str, target: str) -> str:
        if not LINK_NAME.fullmatch(str(name)):
            raise RenderFailed("a link's name is small letters, digits and _, at most 40 of them")
        if not str(target).startswith(LINK_TARGETS):
            raise RenderFailed(f"link '{name}' must lead to an absolute https:// address")
        if self.targets.setdefault(name, target) != target:
            raise RenderFailed(f"link '{name}' leads to two addresses in one message; give each its own name")
        if name not in self.written:
            self.written[name] = self.links.click_url(name, target)
        return self.written[name]

    def booking_link(self, name: str) -> str:
        if name not in self.booking:
            known = ", ".join(sorted(self.booking)) or "none"
            raise RenderFailed(f"policy.yaml names no booking link '{name}' (it names: {known})")
        return self.link(name, self.booking[name])


class _Version:
    """The compiled templates of one published version."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = dict(sources)
        self.parts = {name: template_files.split(source) for name, source in self.sources.items()}
        loaders: list[BaseLoader] = [FunctionLoader(self._body), FileSystemLoader(HOUSE_TEMPLATES)]
        self.environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader(loaders),
            undefined=formats.Missing,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            auto_reload=False,
            cache_size=-1,
            keep_trailing_newline=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters.update(formats.FILTERS)
        self.environment.filters.pop("safe", None)  # a customer's values never become markup
        self._phrases: dict[str, Template] = {}

    def _body(self, name: str) -> str | None:
        found = self.parts.get(name)
        return found[1] if found else None

    def phrase(self, text: str) -> Template:
        """A one-line template: a header value, a ``because``, a question."""
        if text not in self._phrases:
            self._phrases[text] = self.environment.from_string(text)
        return self._phrases[text]


class Renderer:
    """Turns templates into :class:`~channels.base.Content`. Shared by threads."""

    def __init__(self, policy: RenderPolicy, *, default_locale: str = "en", currency: str = "USD") -> None:
        self.sender = dict(policy.sender)
        self._sender = formats.Group("sender", self.sender)
        self._booking = dict(policy.booking)
        self.default_locale = default_locale
        self._currency = currency
        self._lock = threading.Lock()
        self._versions: OrderedDict[VersionKey, _Version] = OrderedDict()

    def render(
        self,
        version_key: VersionKey,
        templates: Mapping[str, str],
        *,
        base: str,
        channel: str,
        locale: str | None,
        values: Mapping[str, Any],
        links: RenderLinks,
        because: str | None = None,
        texts: Mapping[str, Mapping[str, str]] | None = None,
        zone: tzinfo = UTC,
    ) -> Content:
        """One message.

        ``values`` are attributes, computed values, context and run facts, dotted names as they are. ``because`` is the
        reason as the playbook words it: it is translated by ``texts`` and rendered in the language of the message.
        """
        version = self._version(version_key, templates)
        chosen = template_files.choose(templates, base, channel, locale)
        if chosen is None:
            raise RenderFailed(f"there is no template '{base}.{channel}' in {_spoken(version_key)}")
        writer = _LinkWriter(links=links, booking=self._booking)
        spoken = self._spoken_locale(chosen.locale, locale)
        names = self._values(values, locale=spoken, zone=zone, writer=writer)
        if because is not None:
            words, _ = template_files.translated(texts or {}, spoken, because)
            names["because"] = _phrase(version, words, names)
        with _failing_as(chosen.html or chosen.text or base):
            header = {
                name: _one_line(version.phrase(value).render(names))
                for name, value in self._header(version, chosen).items()
            }
            html = self._body(version, chosen.html, names) if chosen.html else None
            text = self._body(version, chosen.text, names) if chosen.text else None
        if html is not None and text is None:
            text = html_text.plain(html)
        traits = traits_of(channel)
        if html is not None and traits.in_feed:
            html = _sanitised(html)
        text = (text or "").strip()
        if traits.narrow_text:
            text = html_text.narrow(text)
        return Content(text=text, html=html, header=header, links=dict(writer.written))

    def render_text(
        self,
        version_key: VersionKey,
        templates: Mapping[str, str],
        text: str,
        *,
        texts: Mapping[str, Mapping[str, str]],
        locale: str | None,
        values: Mapping[str, Any],
        zone: tzinfo = UTC,
    ) -> str:
        """One line of words from inside the playbook, in the reader's language: ``because``, a question, an answer."""
        text, spoken = template_files.translated(texts, locale, text)
        names = self._values(values, locale=self._spoken_locale(spoken, locale), zone=zone, writer=None)
        return _phrase(self._version(version_key, templates), text, names)

    def render_house(
        self,
        version_key: VersionKey,
        templates: Mapping[str, str],
        name: str,
        *,
        locale: str | None,
        values: Mapping[str, Any],
    ) -> str:
        """A template of the engine's own, drawn in the version's frame."""
        names = self._values(values, locale=locale, zone=UTC, writer=None)
        with _failing_as(name):
            return self._version(version_key, templates).environment.get_template(name).render(names)

    def _version(self, key: VersionKey, sources: Mapping[str, str]) -> _Version:
        with self._lock:
            known = self._versions.get(key)
            # A draft being rehearsed may change under its number.
            if known is None or known.sources != sources:
                known = self._versions[key] = _Version(sources)
            self._versions.move_to_end(key)
            while len(self._versions) > KEPT_VERSIONS:
                self._versions.popitem(last=False)
            return known

    def _spoken_locale(self, chosen: str | None, reader: str | None) -> str:
        """The locale whose marks fit the words: the reader's own region when the words are in the reader's language."""
        words = chosen or self.default_locale
        same = (reader or "").replace("_", "-").split("-")[0].casefold() == words.split("-")[0].casefold()
        return reader if reader and same else words

    def _values(
        self, values: Mapping[str, Any], *, locale: str | None, zone: tzinfo, writer: _LinkWriter | None
    ) -> dict[str, Any]:
        names = formats.as_facts(values)
        names["customer"] = formats.Group("customer", dict(names))  # customer.first_name reads well, too
        names["sender"] = self._sender
        if writer is not None:
            names["link"], names["booking_link"] = writer.link, writer.booking_link
            names["opt_out_url"] = writer.links.opt_out_url
            names["preferences_url"] = writer.links.preferences_url
        names[formats.LOCALE] = formats.locale_for(locale, self.default_locale)
        names[formats.ZONE] = zone
        names[formats.CURRENCY] = names.get("currency") or self._currency
        return names

    @staticmethod
    def _header(version: _Version, chosen: template_files.Chosen) -> dict[str, str]:
        text = version.parts[chosen.text][0] if chosen.text else {}
        html = version.parts[chosen.html][0] if chosen.html else {}
        return {**text, **html}

    @staticmethod
    def _body(version: _Version, name: str, names: Mapping[str, Any]) -> str:
        return version.environment.get_template(name).render(names)


@contextmanager
def _failing_as(what: str) -> Iterator[None]:
    try:
        yield
    except RenderFailed as problem:
        raise RenderFailed(f"{what}: {problem.reason}") from problem
    except TemplateError as problem:
        raise RenderFailed(f"{what}: {problem.message or type(problem).__name__}") from problem
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as problem:
        # The message of such an error may quote the customer's value: only its kind is told.
        raise RenderFailed(
            f"{what}: a value is not of the kind it is used as ({type(problem).__name__})"
        ) from problem


def _phrase(version: _Version, text: str, names: Mapping[str, Any]) -> str:
    with _failing_as(f"the text {text[:40]!r}"):
        return _one_line(version.phrase(text).render(names))


def _one_line(text: str) -> str:
    """Without line breaks, which would end a header, and without doubled blanks."""
    return " ".join(text.split())


def _sanitised(html: str) -> str:
    return nh3.clean(
        html, tags=IN_APP_TAGS, attributes=IN_APP_ATTRIBUTES, url_schemes={"https", "http", "mailto", "tel"}
    ).strip()


def _spoken(key: VersionKey) -> str:
    return f"{key[0]} version {key[1]}"
