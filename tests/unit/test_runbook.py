"""Alarms, faults of ``doctor``, pages of the runbook and figures belong together: none is without the others."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator import metrics
from orchestrator.records.operations.faults import FAULTS
from orchestrator.telemetry import EVENTS

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "runbook"
PARTS = ["What it means", "How to see it", "What to do", "What never to do"]
FIGURES = {
    *metrics.GAUGES,
    *metrics.PROCESS_GAUGES,
    *(name for name, _ in metrics.samples()),
    *(f"{family.name}_total" for family in metrics.REGISTRY.collect() if family.type == "counter"),
    *(f"{family.name}_bucket" for family in metrics.REGISTRY.collect() if family.type == "histogram"),
}
SOURCES = ("orchestrator/store/monitoring/findings.py", "orchestrator/cli/processes/doctor.py")


def alerts() -> list[dict[str, Any]]:
    read = yaml.safe_load((RUNBOOK / "alerts.yml").read_text(encoding="utf-8"))
    rules: list[dict[str, Any]] = [rule for group in read["groups"] for rule in group["rules"]]
    return rules


def test_each_fault_has_its_page_and_each_page_its_fault() -> None:
    assert {path.stem for path in RUNBOOK.glob("*.md")} == {*FAULTS, "index"}


@pytest.mark.parametrize("name", FAULTS)
def test_a_page_says_what_somebody_at_night_needs(name: str) -> None:
    page = (RUNBOOK / f"{name}.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == PARTS
    assert f"({name}.md)" in (RUNBOOK / "index.md").read_text(encoding="utf-8")


def test_each_fault_is_named_by_something_that_looks() -> None:
    named = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse((ROOT / source).read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "fault" and isinstance(node.value, ast.Constant):
                named.add(node.value.value)
    assert named | {"locks-held"} == {*FAULTS}, "locks held long are seen over time alone"


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alarm_asks_for_figures_that_there_are_and_names_a_page(rule: dict[str, Any]) -> None:
    asked = set(re.findall(r"orchestrator_\w+", rule["expr"]))
    assert asked
    assert asked <= FIGURES
    assert set(re.findall(r'event="([^"]+)"', rule["expr"])) <= {*EVENTS}
    page = ROOT / rule["annotations"]["runbook"]
    assert page.parent == RUNBOOK
    assert page.stem in FAULTS
    told = page.read_text(encoding="utf-8")
    assert any(figure.removesuffix("_bucket") in told for figure in asked), (
        "its page tells of none of its figures"
    )


def test_labels_are_of_closed_sets() -> None:
    """Who adds a label answers for its values here: names of code and settings, nothing that an author writes."""
    bounded = {
        "event",
        "task",
        "channel",
        "provider",
        "result",
        "lane",
        "status",
        "policy",
        "reason",
        "role",
        "le",
    }
    gauges = (*metrics.GAUGES.values(), *metrics.PROCESS_GAUGES.values())
    declared = {label for gauge in gauges for label in gauge.labels}
    used = {label for _, labels in metrics.samples() for label, _ in labels}
    assert declared | used <= bounded
