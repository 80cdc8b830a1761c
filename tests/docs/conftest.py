"""A scratch database, an engine and a served application for each page, made only when the page asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from orchestrator import client as product
from orchestrator.bootstrap import build_engine
from orchestrator.settings import Settings
from orchestrator.store import published
from tests.docs.running import PLAYBOOKS, SIGNING_KEY, Story
from tests.support.services import free_port
from tests.web.served import KEY, serving


def published_names(engine: Any) -> list[str]:
    with engine.database.connect() as connection:
        return [one.name for one in published.newest(connection)]


@pytest.fixture
def story(
    postgres_url: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Story]:
    monkeypatch.setenv("ORCHESTRATOR_TEST_DATABASE_URL", postgres_url)  # what a page's own tests run on
    settings = Settings(
        env="test",
        port=free_port(),
        database_url=database_url,
        data_dir=tmp_path / "data",
        api_keys=f"shop:{KEY}:product+read+operate+erase",
        secret_keys=SIGNING_KEY,
    )
    folder = tmp_path / "page"
    folder.mkdir()
    made: dict[str, Any] = {}
    with ExitStack() as stack:
        stack.callback(product._opened.clear)  # a page's engine is closed when the page is over

        def engine() -> Any:
            if "engine" not in made:
                made["engine"] = build_engine(settings)
                stack.callback(made["engine"].close)
                if not published_names(made["engine"]):  # the page may have published its own
                    made["engine"].publish(PLAYBOOKS)
                product.connect(made["engine"])
            return made["engine"]

        def client() -> httpx.Client:
            if "client" not in made:
                web = stack.enter_context(serving(engine(), settings))
                web.client.headers.update(web.key)
                made["client"] = web.client
            return made["client"]

        yield Story(folder, database_url, engine, client)
