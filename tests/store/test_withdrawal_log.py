"""The withdrawal log: whole lines whatever happens, nobody's name in it, and nothing committed that is in no place."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.engine.base import RootTransaction

from orchestrator.engine import Engine
from orchestrator.records.consent import ConsentEvidence
from orchestrator.records.intake import Identify
from orchestrator.records.restore import LoggedWithdrawal, LogMark
from orchestrator.store.restoring import withdrawal_log
from orchestrator.store.restoring.withdrawal_log import LogAway, WithdrawalLog, read_log
from tests.support.engine import real_engine

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)
EVIDENCE = ConsentEvidence(method="api", source="tests")


def entry(name: str = "a") -> LoggedWithdrawal:
    return LoggedWithdrawal(
        kind="revoked",
        channel="email",
        topic="*",
        method="api",
        occurred_at=AT,
        recorded_at=AT,
        customer=name,
        addresses=(("email", "h"),),
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    log = WithdrawalLog(tmp_path / "log")
    log.append([entry("a"), entry("b")])
    log.mark(LogMark(number=7, at=AT, unlogged=2))

    found = read_log([tmp_path / "log"])

    assert list(found.withdrawals) == [entry("a"), entry("b")]
    assert list(found.marks) == [LogMark(number=7, at=AT, unlogged=2)]
    assert (found.files, found.unreadable) == (1, 0)
    assert log.newest_mark() == LogMark(number=7, at=AT, unlogged=2)


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    log = WithdrawalLog(tmp_path)
    log.append([entry("a")])
    (file,) = tmp_path.iterdir()
    with file.open("ab") as out:
        out.write(b'\n{"v":1,"kind":"revo')  # the machine stopped here
    log.append([entry("b")])

    found = read_log([file])

    assert [one.customer for one in found.withdrawals] == ["a", "b"]
    assert found.unreadable == 1


def test_a_file_may_be_moved_away_at_any_time(tmp_path: Path) -> None:
    log = WithdrawalLog(tmp_path)
    log.append([entry("a")])
    (file,) = tmp_path.iterdir()
    file.rename(tmp_path / "old.jsonl")
    log.append([entry("b")])

    assert [one.customer for one in read_log([tmp_path]).withdrawals] == ["a", "b"]


def test_writers_do_not_mix_their_lines(tmp_path: Path) -> None:
    logs = [WithdrawalLog(tmp_path) for _ in range(4)]  # as many processes

    def write(number: int) -> None:
        logs[number % 4].append([entry(f"{number:03}" * 200)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(40)))

    found = read_log([tmp_path])
    assert (len(found.withdrawals), found.unreadable) == (40, 0)


def test_the_newest_mark_is_found_at_the_end_of_a_long_file(tmp_path: Path) -> None:
    log = WithdrawalLog(tmp_path)
    log.append([entry("x" * 200) for _ in range(600)])
    log.mark(LogMark(number=9, at=AT))
    assert log.newest_mark() == LogMark(number=9, at=AT)


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(LogAway, match="nowhere"):
        read_log([tmp_path / "nowhere.jsonl"])
    assert WithdrawalLog(tmp_path / "not yet").newest_mark() is None


# --- with a database ------------------------------------------------------------------------------------------------


@contextmanager
def engine_with(database_url: str, folder: Path) -> Iterator[Engine]:
    engine = real_engine(database_url, withdrawal_log=folder)
    engine.identify([Identify(key="anna", traits={"email": "anna@shop.example", "phone": "+4915112345678"})])
    engine.advance()
    yield engine
    engine.close()


def test_a_withdrawal_is_on_the_disk_before_it_is_committed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    flushed, commit = os.fsync, RootTransaction._do_commit

    def fsync(file: int) -> None:
        order.append("on the disk")
        flushed(file)

    def do_commit(self: RootTransaction) -> None:
        order.append("committed")
        commit(self)

    with engine_with(database_url, tmp_path / "log") as engine:
        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(RootTransaction, "_do_commit", do_commit)
        engine.opt_out("anna", channel="email", evidence=EVIDENCE)
        monkeypatch.undo()

    first = order.index("on the disk")
    assert "committed" in order[first:]
    written = read_log([tmp_path / "log"]).withdrawals
    assert [(one.channel, one.topic, one.method) for one in written] == [("email", "*", "api")]


def test_nothing_in_it_names_anybody(database_url: str, tmp_path: Path) -> None:
    with engine_with(database_url, tmp_path / "log") as engine:
        engine.opt_out("anna", evidence=EVIDENCE, source_id="mail from anna")
        engine.erase("anna")

    text = "".join(path.read_text() for path in (tmp_path / "log").iterdir())
    kinds = [(one.kind, len(one.addresses)) for one in read_log([tmp_path / "log"]).withdrawals]
    assert kinds == [("revoked", 2), ("erased", 2)]
    assert "anna" not in text
    assert "4915112345678" not in text


def test_a_log_that_is_away_stops_nobody_and_is_made_up_for(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file stands where the folder should be")
    with engine_with(database_url, tmp_path / "log") as engine:
        receipt = engine.opt_out("anna", channel="email", evidence=EVIDENCE)
        assert not receipt.already
        assert engine.reports.unlogged_withdrawals() == 1

        (tmp_path / "log").unlink()
        engine.services.store.log_keeper._next_mark = 0.0  # type: ignore[attr-defined]  # the minute is over
        engine.sweep()

        assert engine.reports.unlogged_withdrawals() == 0
    assert [one.channel for one in read_log([tmp_path / "log"]).withdrawals] == ["email"]


def test_a_disk_that_hangs_holds_nobody_up(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawal_log, "WRITE_WITHIN", 0.05)
    flushed = os.fsync

    def fsync(file: int) -> None:
        threading.Event().wait(0.5)
        flushed(file)

    monkeypatch.setattr(os, "fsync", fsync)
    with engine_with(database_url, tmp_path / "log") as engine:
        for channel in ("email", "sms", "in_app"):
            assert not engine.opt_out("anna", channel=channel, evidence=EVIDENCE).already
        assert engine.reports.unlogged_withdrawals() == 3
