"""The demo as somebody sees it who just unpacked the project: one command, no service, pages that work."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.cli import COMMAND, ROOT, environment, run

SMALL = ("--customers", "40", "--days", "14", "--tick", "2h")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo")
    yield folder
    run("db", "stop", DATA_DIR=str(folder))


class Demo:
    """A running demo: what it printed, and a visitor who logged in by the printed link."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "demo", *SMALL],
            cwd=ROOT,
            env=environment(DATA_DIR=str(home)) | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.printed = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed += line
            if line.startswith("Ctrl-C"):
                break
        self.visitor = httpx.Client(follow_redirects=True, timeout=30)
        self.visitor.get(self.link("Open the dashboard")).raise_for_status()

    def link(self, label: str) -> str:
        found = re.search(rf"{re.escape(label)} +(http\S+)", self.printed)
        assert found, f"no link for {label!r} in:\n{self.printed}"
        return found.group(1)

    def end(self) -> int:
        self.visitor.close()
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def demo(home: Path) -> Iterator[Demo]:
    running = Demo(home)
    yield running
    if running.process.poll() is None:
        running.end()


@pytest.mark.timeout(600)
def test_the_report_comes_first(demo: Demo) -> None:
    for words in ("What each playbook did", "Messages by channel", "Held back, and why", "Every invariant"):
        assert words in demo.printed


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("a playbook, drawn", "<svg"),
        ("somebody's timeline", "customer-"),
        ("messages received", "customer-"),
        ("opt-out link", "<form"),
        ("preferences", "<form"),
    ],
)
def test_every_printed_address_shows_its_page(demo: Demo, label: str, shown: str) -> None:
    page = demo.visitor.get(demo.link(label))
    assert page.status_code == 200
    assert shown in page.text


def test_the_printed_opt_out_link_works_and_shows_in_the_timeline(demo: Demo) -> None:
    answer = httpx.post(demo.link("opt-out link"), data={"List-Unsubscribe": "One-Click"}, timeout=30)
    assert answer.status_code == 200
    timeline = demo.visitor.get(demo.link("somebody's timeline")).text
    assert "opted out of everything" in timeline


def test_the_clock_goes_on_from_the_last_virtual_day(demo: Demo) -> None:
    assert "2026-10-19" in demo.visitor.get(demo.link("somebody's timeline")).text


def test_control_c_ends_it_and_its_database(demo: Demo, home: Path) -> None:
    assert demo.end() in (0, 130, -signal.SIGINT)
    deadline = time.monotonic() + 20
    while (home / "postgres" / "data" / "postmaster.pid").exists():
        assert time.monotonic() < deadline, "the embedded server outlived the demo"
        time.sleep(0.2)


@pytest.mark.timeout(600)
def test_without_serving_it_ends_by_itself_with_the_same_report_each_time(home: Path) -> None:
    first, second = (
        run("demo", "--no-serve", "--json", *SMALL, DATA_DIR=str(home), seconds=300, new_interpreter=new)
        for new in (False, True)
    )
    assert first.code == 0, first.err
    assert first.json["violations"] == []
    assert first.out == second.out
