"""The log of withdrawals outside the database: one file a host and day, appended to and never changed.

A line is one JSON object and begins and ends with a line break of its own, so that a line torn by a crash or a full
disk costs itself alone. A file is opened for each write (whoever rotates or removes old ones disturbs nobody), written
by one call with ``O_APPEND`` (processes of a host do not mix their lines) and flushed to the disk before the write
counts. Nothing in it names a person: keys and addresses are keyed hashes.
"""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.clock import system_now
from orchestrator.errors import StoreError
from orchestrator.records.restore import LogContents, LoggedWithdrawal, LogMark

FORMAT = 1
SUFFIX = ".jsonl"
WRITE_WITHIN = 2.0  # seconds: a disk that hangs must not keep anybody from withdrawing
_TAIL = 65_536  # bytes in which the newest mark of a file is found: one is written every minute
_NO_FILE_NAME = re.compile(r"[^A-Za-z0-9.-]")


class LogAway(StoreError):
    """The log could not be written in time."""


@dataclass
class WithdrawalLog:
    """One per process. ``folder`` is where its files are; it is made when it is not there."""

    folder: Path
    unmarked: bool = field(default=False, init=False)  # something was written since the last mark
    _hanging: threading.Thread | None = field(default=None, repr=False)

    def append(self, entries: Sequence[LoggedWithdrawal]) -> None:
        """Write the entries and have them on the disk. Raises LogAway; a part of them may be written then."""
        self._write([entry_to_json(entry) for entry in entries])
        self.unmarked = True

    def mark(self, mark: LogMark) -> None:
        """Write down what the database counted. Raises LogAway."""
        self._write(
            [{"v": FORMAT, "mark": mark.number, "at": mark.at.isoformat(), "unlogged": mark.unlogged}]
        )
        self.unmarked = False

    def newest_mark(self) -> LogMark | None:
        """The highest mark in any file, looked for at their ends. Raises LogAway when a file cannot be read."""
        newest: LogMark | None = None
        if not self.folder.exists():
            return None  # nothing was written yet
        for path in files_of([self.folder]):
            for line in _lines(path, tail=_TAIL):
                mark = _mark(line)
                if mark is not None and (newest is None or mark.number > newest.number):
                    newest = mark
        return newest

    def _write(self, lines: Sequence[dict[str, Any]]) -> None:
        """In a thread of its own, for a write to a disk that hangs cannot be called off."""
        if not lines:
            return
        if self._hanging is not None and self._hanging.is_alive():
            raise LogAway(f"{self.folder}: a write before this one still hangs")
        block = "".join(
            f"\n{json.dumps(line, separators=(',', ':'), sort_keys=True)}\n" for line in lines
        ).encode()
        failed: list[OSError] = []
        writing = threading.Thread(
            target=self._written, args=(block, failed), name="withdrawal-log", daemon=True
        )
        writing.start()
        writing.join(WRITE_WITHIN)
        if writing.is_alive():
            self._hanging = writing
            raise LogAway(f"{self.folder}: not written within {WRITE_WITHIN:g} s")
        if failed:
            raise LogAway(f"{self.folder}: {failed[0].strerror or type(failed[0]).__name__}") from failed[0]

    def _written(self, block: bytes, failed: list[OSError]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / file_name()
            new = not path.exists()
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                if os.write(file, block) != len(block):
                    raise OSError(0, "written in part only")
                os.fsync(file)
            finally:
                os.close(file)
            if new:
                _sync_folder(self.folder)
        except OSError as error:
            failed.append(error)


def file_name() -> str:
    """Of this host, today: ``withdrawals-2026-03-03-web-1.jsonl``."""
    host = _NO_FILE_NAME.sub("_", socket.gethostname())
    return f"withdrawals-{system_now():%Y-%m-%d}-{host}{SUFFIX}"


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files among ``paths``, and those in folders among them. Raises LogAway for a path that is not there."""
    found: list[Path] = []
    for path in paths:
        try:
            found += sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        except OSError as error:
            raise LogAway(f"{path}: {error.strerror}") from error
    return found


def read_log(paths: Iterable[Path]) -> LogContents:
    """Everything in these files and folders. Raises LogAway when one cannot be read."""
    withdrawals: list[LoggedWithdrawal] = []
    marks: list[LogMark] = []
    unreadable = 0
    files = files_of(paths)
    for path in files:
        for line in _lines(path):
            mark = _mark(line)
            entry = None if mark is not None else _entry(line)
            if mark is not None:
                marks.append(mark)
            elif entry is not None:
                withdrawals.append(entry)
            else:
                unreadable += 1
    return LogContents(withdrawals=withdrawals, marks=marks, unreadable=unreadable, files=len(files))


def entry_to_json(entry: LoggedWithdrawal) -> dict[str, Any]:
    """The line of one withdrawal."""
    return {
        "v": FORMAT,
        "kind": entry.kind,
        "channel": entry.channel,
        "topic": entry.topic,
        "method": entry.method,
        "at": entry.occurred_at.isoformat(),
        "recorded": entry.recorded_at.isoformat(),
        "customer": entry.customer,
        "addresses": [list(pair) for pair in entry.addresses],
    }


def entry_from_json(plain: dict[str, Any]) -> LoggedWithdrawal:
    """The withdrawal that :func:`entry_to_json` wrote. Raises KeyError, TypeError and ValueError."""
    return LoggedWithdrawal(
        kind=plain["kind"],
        channel=plain["channel"],
        topic=plain["topic"],
        method=plain["method"],
        occurred_at=datetime.fromisoformat(plain["at"]),
        recorded_at=datetime.fromisoformat(plain["recorded"]),
        customer=plain["customer"],
        addresses=tuple((channel, hashed) for channel, hashed in plain["addresses"]),
    )


def _lines(path: Path, *, tail: int | None = None) -> Iterable[dict[str, Any] | None]:
    """Each line's object; None for one that cannot be read. With ``tail`` only of the file's last bytes."""
    try:
        with path.open("rb") as file:
            if tail is not None:
                file.seek(0, os.SEEK_END)
                start = max(0, file.tell() - tail)
                file.seek(start)
                if start:
                    file.readline()
            for line in file:
                if line.strip():
                    yield _object(line)
    except OSError as error:
        raise LogAway(f"{path}: {error.strerror}") from error


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        plain = json.loads(line)
    except ValueError:
        return None
    return plain if isinstance(plain, dict) else None


def _mark(plain: dict[str, Any] | None) -> LogMark | None:
    if plain is None or "mark" not in plain:
        return None
    try:
        return LogMark(
            number=int(plain["mark"]), at=datetime.fromisoformat(plain["at"]), unlogged=plain["unlogged"]
        )
    except (KeyError, TypeError, ValueError):
        return None


def _entry(plain: dict[str, Any] | None) -> LoggedWithdrawal | None:
    if plain is None:
        return None
    try:
        return entry_from_json(plain)
    except (KeyError, TypeError, ValueError):
        return None


def _sync_folder(folder: Path) -> None:
    """A new file is found after a crash only when its folder is on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
