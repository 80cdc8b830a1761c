"""Another package, as it lies there once it was installed: found by its entry points, here and in child processes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from channels.table import channel_table

ROOT = Path(__file__).parents[2]


def install(folder: Path, name: str, entry_points: Mapping[str, Mapping[str, str]]) -> None:
    """Write to ``folder`` what an installer writes for a package of this name; ``entry_points`` are by group."""
    about = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    groups = (
        f"[{group}]\n" + "".join(f"{point} = {value}\n" for point, value in points.items())
        for group, points in entry_points.items()
    )
    (about / "entry_points.txt").write_text("\n".join(groups))


@contextmanager
def on_the_path(folder: Path) -> Iterator[None]:
    """What lies in ``folder`` can be imported, and packages installed there are found, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(folder), *sys.path])
        patch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{ROOT}")
        importlib.invalidate_caches()
        channel_table.cache_clear()
        yield
    importlib.invalidate_caches()
    channel_table.cache_clear()
    for path in folder.glob("*.py"):
        sys.modules.pop(path.stem, None)
