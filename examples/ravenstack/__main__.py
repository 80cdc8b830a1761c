"""``python -m examples.ravenstack``: two years of RavenStack through four playbooks, in virtual time.

The data is looked for in ``$ORCHESTRATOR_SHARED/data/ravenstack`` (default ``../shared/data/ravenstack``).
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from examples.ravenstack.jsonl import write_jsonl
from examples.ravenstack.mapping import Fact, facts
from orchestrator.cli.opening import database_url, load_settings
from orchestrator.cli.output import print_json, show
from orchestrator.cli.playbooks.report_view import drawn
from orchestrator.cli.progress import virtual_days
from orchestrator.errors import OrchestratorError
from orchestrator.simulator.rehearse import Rehearsal, replay
from orchestrator.store.reports.rehearsals.report import Report
from orchestrator.store.scratch import scratch_database

PLAYBOOKS = Path(__file__).with_name("playbooks")
FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
MONTHS = 24
_MONTH = timedelta(days=30.4375)


def data_folder() -> Path:
    return Path(os.environ.get("ORCHESTRATOR_SHARED", "../shared")) / "data" / "ravenstack"


def rehearse(told: list[Fact], *, months: int, seed: int) -> Report:
    """The first ``months`` of the data in a scratch database; invented people of each account answer the messages."""
    end = FIRST_DAY + months * _MONTH
    wanted = [fact for fact in told if fact.occurred_at and fact.occurred_at < end]
    asked = Rehearsal(folder=PLAYBOOKS, start=FIRST_DAY, end=end, seed=seed, tick=timedelta(hours=6))
    with (
        scratch_database(database_url(load_settings())) as url,
        virtual_days(FIRST_DAY, end, "RavenStack") as watch,
    ):
        world, report = replay(url, asked, wanted, react=True, watch=watch)
        world.close()
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.ravenstack", description=__doc__)
    parser.add_argument("--months", type=int, default=MONTHS, choices=range(1, MONTHS + 1), metavar="1..24")
    parser.add_argument("--seed", type=int, default=1, help="the people who answer are invented from it")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the signals for `orchestrator replay` and end"
    )
    asked = parser.parse_args()
    folder = data_folder()
    if not folder.is_dir():
        print(f"no data in {folder}; set ORCHESTRATOR_SHARED", file=sys.stderr)
        return 3
    told = facts(folder)
    if asked.write:
        write_jsonl(told, asked.write)
        print(f"{len(told):,} facts in {asked.write}")
        return 0
    try:
        report = rehearse(told, months=asked.months, seed=asked.seed)
    except OrchestratorError as error:
        print(error, file=sys.stderr)
        return 1
    if asked.json:
        print_json(report)
    else:
        show(drawn(report))
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
