"""``python -m tests.faults [SCENARIO ...]``: the deployed system under faults, judged by the providers' own ledger."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from types import FrameType

from tests.faults.harness.conduct import Result, conduct
from tests.faults.harness.judge import Violation
from tests.faults.harness.report import append, table
from tests.faults.harness.scenarios import SCENARIOS
from tests.support.run_folder import close_run, open_run

LONGEST_MORE = 900  # seconds a scenario may take beyond its faults; then it is ended


def main() -> int:
    asked = _arguments()
    if asked.list:
        for name, scenario in SCENARIOS.items():
            _say(f"{name:20} {scenario.about}")
        return 0
    seed = asked.seed if asked.seed is not None else secrets.randbelow(1_000_000)
    folder = Path(asked.folder or tempfile.mkdtemp(prefix="orchestrator-faults-")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    run = open_run()
    results: list[Result] = []
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _end)
    _say(f"seed {seed}, results in {folder}")
    try:
        for name in _chosen(asked.scenarios):
            results.append(_one(name, asked, seed, folder))
            append(folder / "results.jsonl", results[-1])
    except KeyboardInterrupt:
        _say("ended by hand")
    finally:
        signal.alarm(0)
        if run is not None:
            close_run(run)
    _say(table(results))
    _say(f"seed {seed}; again: python -m tests.faults {' '.join(asked.scenarios)} --seed {seed}")
    return 0 if results and all(result.ok for result in results) else 1


def _one(name: str, asked: argparse.Namespace, seed: int, folder: Path) -> Result:
    scenario = SCENARIOS[name]
    seconds = asked.minutes * 60 if asked.minutes is not None else scenario.seconds
    place = folder / f"{name}-{seed}"
    shutil.rmtree(place, ignore_errors=True)
    began = time.monotonic()
    signal.alarm(int(seconds) + LONGEST_MORE)
    try:
        result = conduct(
            name,
            scenario,
            folder=place,
            seed=seed,
            seconds=seconds,
            customers=asked.customers or _fitting(scenario.customers, scenario.seconds, seconds),
            rabbitmq_url=os.environ.get("ORCHESTRATOR_TEST_RABBITMQ_URL"),
            say=_say,
        )
    except Exception:  # noqa: BLE001 - the other scenarios are worth their time
        wrong = Violation(law="scenario", about=traceback.format_exc())
        result = Result(
            scenario=name, seed=seed, seconds=time.monotonic() - began, figures={}, violations=[wrong]
        )
    finally:
        signal.alarm(0)
        shutil.rmtree(place / "postgres", ignore_errors=True)
    _say(table([result]))
    return result


def _fitting(customers: int, usual: float, seconds: float) -> int:
    """As many a second as usual."""
    return max(20, round(customers * seconds / usual))


def _chosen(names: list[str]) -> list[str]:
    return [name for name in SCENARIOS if not name.startswith("random")] if names == ["all"] else names


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "scenarios", nargs="*", default=["random"], metavar="SCENARIO",
        help="names (see --list); 'all' is every one but the random ones; default: random",
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, help="how long faults last, for each scenario")
    parser.add_argument("--customers", type=int, help="default: as many a second as the scenario says")
    parser.add_argument("--seed", type=int, help="default: by chance; it is printed")
    parser.add_argument(
        "--folder", help="where logs and results.jsonl go; default: a new one in the temp folder"
    )
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    asked = parser.parse_args()
    if unknown := set(asked.scenarios) - {*SCENARIOS, "all"}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(SCENARIOS)}")
    return asked


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(f"ended by signal {number}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
