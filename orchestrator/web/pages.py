"""HTML pages: templates that escape everything, and the pages said in place of an error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orchestrator.web.customer_pages.translations import Words, words_for

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def environment() -> Environment:
    return _ENVIRONMENT


def page(
    name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **facts: Any
) -> HTMLResponse:
    """A whole page from a template. Nothing of it may be kept by a cache or found by a search engine."""
    html = _ENVIRONMENT.get_template(name).render(facts)
    return HTMLResponse(html, status, headers={"X-Robots-Tag": "noindex, nofollow", **(headers or {})})


def reader_words(request: Request, locale: str | None = None) -> Words:
    return words_for(locale, request.headers.get("accept-language"))


def notice(
    request: Request,
    word: str,
    *,
    status: int,
    locale: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A customer page of a title and a sentence: ``bad_link``, ``gone``, ``busy``."""
    words = reader_words(request, locale)
    return page(
        "notice.html",
        status=status,
        headers=headers,
        words=words,
        title=words(f"{word}_title"),
        text=words(f"{word}_text"),
    )


def is_customer_page(path: str) -> bool:
    return path.startswith(("/u/", "/p/", "/a/", "/c/"))


def is_dashboard_page(request: Request) -> bool:
    """A page for operators: neither the API nor a provider's address, asked for by a browser."""
    path = request.url.path
    is_api = path.startswith(("/v1/", "/webhooks/", "/static/", "/metrics", "/healthz", "/readyz"))
    return not is_api and "text/html" in request.headers.get("accept", "")
