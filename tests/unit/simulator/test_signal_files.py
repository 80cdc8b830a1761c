"""Recorded signals: both forms read alike, and every problem is told with its line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.errors import DefinitionError
from orchestrator.records.intake import Identify, Track
from orchestrator.simulator.signal_files import read_signals

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_json_lines_hold_signals_and_profiles(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "a.jsonl",
        '{"customer": "c", "at": "2026-03-01T09:00:00Z", "traits": {"plan": "team"}}\n\n'
        '{"customer": "c", "at": "2026-03-01T09:00:00Z", "event": "used", "properties": {"n": 4}, "id": "1"}\n',
    )
    assert read_signals(path) == [
        Identify(key="c", traits={"plan": "team"}, occurred_at=NINE),
        Track(key="c", event="used", properties={"n": 4}, source_id="1", occurred_at=NINE),
    ]


def test_a_comma_separated_file_says_the_same(tmp_path: Path) -> None:
    text = "customer,at,event,id,plan,n\nc,2026-03-01T09:00:00Z,,,team,\nc,2026-03-01T09:00:00Z,used,1,,4\n"
    assert read_signals(written(tmp_path, "a.csv", text)) == [
        Identify(key="c", traits={"plan": "team"}, occurred_at=NINE),
        Track(key="c", event="used", properties={"n": 4}, source_id="1", occurred_at=NINE),
    ]


def test_the_names_of_the_tracking_api_are_understood(tmp_path: Path) -> None:
    text = '{"userId": "c", "timestamp": "2026-03-01T10:00:00+01:00", "event": "used", "messageId": "m"}'
    (signal,) = read_signals(written(tmp_path, "a.jsonl", text))
    assert signal == Track(key="c", event="used", source_id="m", occurred_at=NINE)


def test_an_account_may_be_meant(tmp_path: Path) -> None:
    text = "customer,at,event,account\na,2026-03-01,used,true\n"
    (signal,) = read_signals(written(tmp_path, "a.csv", text))
    assert signal.account


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("0.5", 0.5),
        ("true", True),
        ("007", "007"),
        ("1e3", "1e3"),
        ("é", "é"),
        ("0", 0),
    ],
)
def test_cells_are_numbers_flags_or_text(tmp_path: Path, cell: str, value: object) -> None:
    (signal,) = read_signals(written(tmp_path, "a.csv", f"customer,at,event,x\nc,2026-03-01,used,{cell}\n"))
    assert isinstance(signal, Track)
    assert signal.properties == {"x": value}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "no JSON"),
        ("[]", "expected one JSON object, got list"),
        ('{"at": "2026-03-01", "event": "x"}', "expected customer"),
        ('{"customer": 7, "at": "2026-03-01", "event": "x"}', "expected customer"),
        ('{"customer": "c", "event": "x"}', "at: expected an instant"),
        ('{"customer": "c", "at": "soon", "event": "x"}', "got 'soon'"),
        ('{"customer": "c", "at": "2026-03-01"}', "an event with properties, or traits"),
        ('{"customer": "c", "at": "2026-03-01", "event": 5}', "event: expected a name"),
        (
            '{"customer": "c", "at": "2026-03-01", "event": "x", "properties": []}',
            "properties: expected an object",
        ),
        ('{"customer": "c", "at": "2026-03-01", "event": "x", "id": 1}', "id: expected text"),
    ],
)
def test_a_bad_line_is_told_with_its_number(tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, "a.jsonl", f'{{"customer": "c", "at": "2026-03-01", "event": "x"}}\n{line}\n')
    with pytest.raises(DefinitionError) as caught:
        read_signals(path)
    (problem,) = caught.value.problems
    assert problem.line == 2
    assert said in problem.message


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_signals(written(tmp_path, "a.jsonl", "{\n[]\n{}\n"))
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]


def test_a_row_with_too_many_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="more cells"):
        read_signals(written(tmp_path, "a.csv", "customer,at,event\nc,2026-03-01,x,y\n"))


@pytest.mark.parametrize("name", ["missing.jsonl", "empty.jsonl"])
def test_a_file_that_is_missing_or_empty_is_refused(tmp_path: Path, name: str) -> None:
    written(tmp_path, "empty.jsonl", "\n")
    with pytest.raises(DefinitionError):
        read_signals(tmp_path / name)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DefinitionError, match="UTF-8"):
        read_signals(tmp_path / "a.jsonl")
