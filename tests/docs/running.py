"""Runs the blocks of one page in order, as a reader would: in one folder, against one database.

================== ====================================================================================================
 ``file=PATH``      any language: written there, below the page's folder
 ``yaml``           names what it is: ``playbook``, ``steps``, ``signals``, ``policy``, ``calendar`` or ``condition``;
                    it is read by the real readers and may hold no problem
 ``python``         executed; lines with ``>>>`` as a doctest; names stay for the page's next blocks
 ``sh``             every line is a call of ``orchestrator`` (or of ``pytest``, on a file that the page wrote) that
                    must end with 0, or with N after ``# exit N``
 ``http``           ``METHOD PATH`` and a JSON body, sent to the real application; ``status=N``, else 200
 ``sql``            one statement, run in the page's database
 ``text output``    every line stands in what the block before printed; ``...`` stands for anything
 ``json answer``    is contained in what the request before was answered; ``"..."`` stands for anything
 ``toml file=pyproject.toml``   the page's folder is an installed package, with these entry points
 ``mermaid`` ``html`` ``toml`` ``jinja`` ``json``   read by their own grammar, or by a plausible part of it
 ``no-run``         only looked at by people; every one is listed in ``not_run.txt``
================== ====================================================================================================
"""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import jinja2
from sqlalchemy import text as sql

from orchestrator.language.account.calendar import read_calendars
from orchestrator.language.account.policy import read_policy
from orchestrator.language.account.signals import read_vocabulary
from orchestrator.language.checking.playbook import check
from orchestrator.language.folder import AccountFiles, load_account
from orchestrator.language.problems import Problems
from orchestrator.language.reading.conditions import condition
from orchestrator.language.reading.playbook import read_playbook
from orchestrator.language.reading.yaml_tree import read_yaml
from tests.acceptance.cli import run
from tests.docs.diagrams import faults
from tests.docs.pages import ROOT, Block
from tests.support.packages import install, on_the_path

PLAYBOOKS = ROOT / "playbooks"
SIGNING_KEY = "the-signing-key-of-the-pages-that-are-run"
NOT_RUN = Path(__file__).with_name("not_run.txt")
_STEPS = """playbook: example
version: 1
title: Example
topic: upsell
enter: {because: it is an example, reentry: never}
steps:
"""


class Story:
    """A page being read from top to bottom. ``engine`` and ``client`` are made when a block first asks for them."""

    def __init__(
        self, folder: Path, database_url: str, engine: Callable[[], Any], client: Callable[[], httpx.Client]
    ) -> None:
        self.folder = folder
        self._url = database_url
        self._engine = engine
        self._client = client
        self._names: dict[str, Any] = {"__name__": "__page__"}
        self._printed = ""
        self._answer: Any = None

    def tell(self, block: Block) -> None:
        if "no-run" in block.marks:
            return
        if block.file is not None:
            target = self.folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        teller: Callable[[Block], None] = getattr(self, f"_{block.language}", self._unknown)
        with on_the_path(self.folder):
            teller(block)

    def _unknown(self, block: Block) -> None:
        raise AssertionError(
            f"{block.place}: nobody knows how to run {block.language!r}; see tests/docs/running.py"
        )

    # --- code -------------------------------------------------------------------------------------------------------

    def _python(self, block: Block) -> None:
        if block.file is not None:
            compile(block.text, block.place, "exec")
            return
        if "author" not in block.marks:
            self._engine()
        printed = StringIO()
        with chdir(self.folder), redirect_stdout(printed):
            if ">>>" in block.text:
                self._doctest(block)
            else:
                exec(compile(block.text, block.place, "exec"), self._names)
        self._printed = printed.getvalue()
        if "author" not in block.marks:
            self._work()

    def _doctest(self, block: Block) -> None:
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        example = doctest.DocTestParser().get_doctest(
            block.text, self._names, block.place, block.page, block.line
        )
        said = StringIO()
        runner = doctest.DocTestRunner(optionflags=options)
        runner.run(example, out=said.write, clear_globs=False)
        self._names = example.globs
        assert runner.failures == 0, f"{block.place}\n{said.getvalue()}"

    def _sh(self, block: Block) -> None:
        printed = ""
        for line in block.text.replace("\\\n", " ").splitlines():
            command, _, wanted = line.partition("# exit ")
            words = shlex.split(command, comments=True)
            if not words:
                continue
            if words[0] == "pytest":
                printed += self._tested(words[1:])
                continue
            assert words[0] == "orchestrator", f"{block.place}: {words[0]} is not run; mark the block no-run"
            folder = self.folder.as_posix()
            done = run(
                *map(self._placed, words[1:]),
                database_url=self._url,
                PLAYBOOKS=str(PLAYBOOKS),
                SECRET_KEYS=SIGNING_KEY,
            )
            printed += (done.out + done.err).replace(folder + "/", "")
            assert done.code == int(wanted or 0), (
                f"{block.place}: exit code {done.code}\n{done.out}{done.err}"
            )
        self._printed = printed

    def _tested(self, words: list[str]) -> str:
        """Our own plugin and no other, as where the package is installed."""
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "orchestrator.testing.plugin",
            "-p",
            "no:cacheprovider",
            *words,
        ]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _placed(self, word: str) -> str:
        """A path of the page, there already or about to be written into a folder that is, as it lies in our folder."""
        path = self.folder / word
        ours = path.exists() or ("/" in word and path.parent.is_dir())
        return path.as_posix() if ours else word

    def _http(self, block: Block) -> None:
        head, _, body = block.text.partition("\n")
        method, path = head.split(" ", 1)
        status = next((int(mark.removeprefix("status=")) for mark in block.marks if "status=" in mark), 200)
        given = json.loads(body) if body.strip() else None
        answer = self._client().request(method, self._filled(path), json=given)
        assert answer.status_code == status, f"{block.place}: {answer.status_code}\n{answer.text}"
        is_json = "json" in answer.headers.get("content-type", "")
        self._answer = answer.json() if is_json else None
        self._printed = answer.text
        self._work()

    def _filled(self, path: str) -> str:
        """``{id}`` in a path is taken from the answer before, or from its first item."""
        known = self._answer if isinstance(self._answer, dict) else {}
        items = known.get("items") or [{}]
        return re.sub(r"\{(\w+)\}", lambda match: str(known.get(match[1]) or items[0][match[1]]), path)

    def _sql(self, block: Block) -> None:
        with self._engine().database.begin() as connection:
            connection.execute(sql(block.text))

    def _work(self) -> None:
        """What the reader's workers do meanwhile."""
        while self._engine().drain().more:
            continue

    # --- what was answered ------------------------------------------------------------------------------------------

    def _text(self, block: Block) -> None:
        if "output" not in block.marks:
            return
        for line in block.text.splitlines():
            pattern = r"[^\n]*".join(
                re.escape(part) for part in re.split(r" ?\.\.\. ?", " ".join(line.split()))
            )
            found = re.search(pattern, "\n".join(" ".join(one.split()) for one in self._printed.splitlines()))
            assert found, f"{block.place}: {line!r} was not printed, but\n{self._printed}"

    def _json(self, block: Block) -> None:
        value = json.loads(block.text)
        if "answer" in block.marks:
            assert _contains(self._answer, value), f"{block.place}: answered was\n{json.dumps(self._answer)}"

    # --- what growth teams write ------------------------------------------------------------------------------------

    def _yaml(self, block: Block) -> None:
        name = Path(block.file).name if block.file else next(iter(block.marks), "")
        match name.removesuffix(".yaml"):
            case "playbook":
                self._playbook(block, block.text)
            case "steps":
                self._playbook(block, _STEPS + "".join(f"  {line}\n" for line in block.text.splitlines()))
            case "signals":
                _clean(block, read_vocabulary(block.text, block.place)[1])
            case "policy":
                _clean(block, read_policy(block.text, block.place)[1])
            case "calendar":
                _clean(block, read_calendars(block.text, block.place)[1])
            case "condition":
                problems = Problems()
                for node in [read_yaml(part, block.place, problems) for part in block.text.split("---\n")]:
                    if node is not None:
                        condition(node, "condition", problems)
                _clean(block, problems.sorted())
            case "texts.de":
                assert read_yaml(block.text, block.place, Problems()) is not None
            case _:
                raise AssertionError(
                    f"{block.place}: a yaml block names what it is; see tests/docs/running.py"
                )

    def _playbook(self, block: Block, text: str) -> None:
        playbook, problems = read_playbook(text, block.place)
        _clean(block, problems)
        assert playbook is not None
        account = self._account(block)
        _clean(
            block,
            check(
                playbook,
                vocabulary=account.vocabulary,
                policy=account.policy,
                calendars=account.calendars,
                path=block.place,
            ),
            warnings="steps" in block.marks,
        )

    def _account(self, block: Block) -> AccountFiles:
        """What lies beside a written playbook; else what lies beside the shipped ones."""
        if block.file is not None:
            folder = (self.folder / block.file).parents[1]
            if (folder / "signals.yaml").exists():
                return load_account(folder)
        return load_account(PLAYBOOKS)

    # --- other grammars ---------------------------------------------------------------------------------------------

    def _mermaid(self, block: Block) -> None:
        assert not faults(block.text), f"{block.place}: {faults(block.text)}"

    def _toml(self, block: Block) -> None:
        read = tomllib.loads(block.text)
        if block.file == "pyproject.toml":
            install(self.folder, read["project"]["name"], read["project"]["entry-points"])

    def _html(self, block: Block) -> None:
        parser = HTMLParser()
        parser.feed(block.text)
        parser.close()

    def _jinja(self, block: Block) -> None:
        jinja2.Environment(autoescape=True).parse(block.text)


def not_run(blocks: list[Block]) -> list[str]:
    """The blocks marked no-run as ``not_run.txt`` lists them."""
    return [
        f"{block.page}: {block.text.strip().splitlines()[0]}" for block in blocks if "no-run" in block.marks
    ]


def _clean(block: Block, problems: Any, *, warnings: bool = False) -> None:
    wrong = [str(one) for one in problems if not warnings or one.severity == "error"]
    assert not wrong, f"{block.place}\n" + "\n".join(wrong)


def _contains(whole: Any, part: Any) -> bool:
    match part:
        case "...":
            return whole is not None
        case dict():
            return isinstance(whole, dict) and all(
                name in whole and _contains(whole[name], value) for name, value in part.items()
            )
        case list():
            return isinstance(whole, list) and all(
                any(_contains(one, value) for one in whole) for value in part
            )
        case _:
            return bool(whole == part)


def write_not_run(blocks: list[Block]) -> None:
    """Accept the present list: ``python -m tests.docs`` calls this."""
    NOT_RUN.write_text("".join(f"{line}{os.linesep}" for line in not_run(blocks)), encoding="utf-8")
