"""The figures as bars. matplotlib is of the extra ``benchmarks``: the tables need nobody to have it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.harness.report import Table


def draw(tables: Sequence[Table], folder: Path) -> Path | None:
    """A panel for each table that has bars; None without matplotlib or without bars."""
    shown = [table for table in tables if table.bars]
    if not shown or find_spec("matplotlib") is None:
        return None
    import matplotlib as mpl  # noqa: PLC0415 - heavy, and not always there

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    heights = [0.6 + 0.34 * len(table.bars) for table in shown]
    figure, axes = plt.subplots(
        len(shown), 1, figsize=(9, sum(heights) + 0.6 * len(shown)), squeeze=False, height_ratios=heights
    )
    for axis, table in zip(axes[:, 0], shown, strict=True):
        bars = list(reversed(table.bars))
        errors = [[bar.value - bar.low for bar in bars], [bar.high - bar.value for bar in bars]]
        drawn = axis.barh(
            [bar.label for bar in bars], [bar.value for bar in bars], xerr=errors, color="#4a7aa7"
        )
        axis.bar_label(drawn, labels=[f"{bar.value:,.3g}" for bar in bars], padding=4, fontsize=8)
        axis.set_title(table.title, loc="left", fontsize=10)
        axis.set_xlabel(table.unit, fontsize=8)
        axis.tick_params(labelsize=8)
        axis.margins(x=0.12)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    path = folder / "latest.svg"
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path
