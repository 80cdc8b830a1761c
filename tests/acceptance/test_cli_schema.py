"""``orchestrator schema``: what an editor is given accepts every file that is shipped, and refuses a slip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.acceptance.cli import PLAYBOOKS, run

FILES = sorted(PLAYBOOKS.glob("*.yaml")) + sorted(PLAYBOOKS.glob("*/playbook.yaml"))


class OnlyTexts(yaml.SafeLoader):
    """Reads as editors do, but dates and clock times stay the words they are in our files."""


OnlyTexts.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in found if "timestamp" not in tag]
    for letter, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def slips(path: Path, schema: Any, text: str | None = None) -> list[str]:
    document = yaml.load(text or path.read_text(), OnlyTexts)
    return [
        error.json_path + ": " + error.message[:200]
        for error in Draft202012Validator(schema).iter_errors(document)
    ]


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("schemas")
    assert run("schema", "--write", folder).code == 0
    made = {path.name.split(".")[0]: json.loads(path.read_text()) for path in folder.iterdir()}
    for one in made.values():
        Draft202012Validator.check_schema(one)
    return made


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_shipped_file_is_accepted(schemas: dict[str, Any], path: Path) -> None:
    assert slips(path, schemas[path.stem]) == []


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("power_user_upsell/playbook.yaml", "priority:", "prioriti:"),
        ("policy.yaml", "waiting: {holds: defer", "waiting: {holds: sleep"),
        ("signals.yaml", "events:", "evnts:"),
    ],
)
def test_a_slip_is_marked(schemas: dict[str, Any], name: str, right: str, wrong: str) -> None:
    path = PLAYBOOKS / name
    written = path.read_text()
    assert right in written
    assert slips(path, schemas[path.stem], written.replace(right, wrong, 1)) != []


def test_one_schema_is_printed_by_the_name_of_its_file() -> None:
    assert run("schema", "policy.yaml").json["title"] == "Policy"
    assert run("schema").json["title"] == "Playbook"


def test_a_name_without_a_schema_is_explained() -> None:
    ran = run("schema", "polcy")
    assert ran.code == 2
    assert "did you mean 'policy'?" in ran.err
