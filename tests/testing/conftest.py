"""The kit's engine on the tests' own server, whether or not the plugin is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.testing import TestEngine, account_files, playbook_files

STEPS = """
hello: {send: {channel: in_app, template: hello}, wait: 1d, then: {clicked: done, no_response: mail}}
mail:  {send: {channel: email, template: mail}, wait: 2d, then: {clicked: done, no_response: silent}}
done:  {end: finished}
silent: {end: no_conversion}
"""


@pytest.fixture
def kit(database_url: str) -> Iterator[TestEngine]:
    with TestEngine.open(database_url) as engine:
        engine.publish(account_files(attributes={"plan": "text"}) | playbook_files("welcome", STEPS))
        yield engine
        engine.assert_invariants()
