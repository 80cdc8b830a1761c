"""A type checker knows the author's words: what cannot be meant is refused in the editor, before anything runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from orchestrator.language import author
from orchestrator.language.folder import load_folder
from orchestrator.language.reading import conditions
from orchestrator.language.writing.author_writer import AUTHOR, author_source
from orchestrator.language.writing.python_writer import to_python

ROOT = Path(__file__).parents[3]
WORDS = f"from datetime import timedelta\nfrom orchestrator import {', '.join(author.__all__)}\n"
HEAD = 'name="nudge", version=1, title="One nudge", topic="upsell"'

RIGHT = f"""
enter = Enter(reentry={{"after": timedelta(days=30)}}, when="limit_reached", if_=where("plan", ["pro", "team"]))
goal = Goal(event=["plan_upgraded", "seats_added"], within=timedelta(days=45), by="account")
mail = Send(channel=["in_app", "email"], template="mail", as_="banner", when_capped={{"fallback": "sms"}})
push = Send(channel=OwnName("push"), template="mail", patience="next 09:00", stale_after=timedelta(hours=36))
odd = any_of(where("health", less_than=40), {{"trial": True}}, not_(where("opened", times=5, within="14d")))
links = {{"plans": "arms", "else": "rest"}}
first = Step("mail", mail, wait="2d", then={{"clicked": links, OwnName("bought"): "rest"}})
arms = Step("arms", Split({{"full": "50%", "less": "50%"}}), then={{"full": "rest", "less": "push"}})
pick = Step("pick", Choose(Branch(if_=odd, go="push"), Branch(go="rest")))
rest = Step("rest", Cooldown(timedelta(days=21), scope="topic"), then="done")
until = Step("look", WaitUntil(odd), wait="5d", then={{"met": "rest", "no_response": "rest"}})
ends = [Step("done", End("no_conversion")), Step("sold", End(OwnName("sold")))]
steps = [first, arms, pick, Step("push", push, wait="2d", then="rest"), until, rest, *ends]
Playbook({HEAD}, enter=enter, goal=goal, steps=steps, at_any_step={{"negative": "rest", OwnName("booked"): "rest"}})
"""

WRONG = f"""
Step("x", Enter(reentry="never"))
Step("x", Step("y"))
Step("x", wait=3)
Step("x", End("left"), at_most="twice")
Step("x", Send(channel="email", template="mail"), then={{"clickd": "done"}})
Step("x", Cooldown("21d"), then=["done"])
Send(channel="emial", template="mail")
Send(channel=["email", "smss"], template="mail")
Send(channel="email")
Send(channel="email", template="mail", as_="popup")
Send(channel="email", template="mail", when_capped="later")
Send(channel="email", template="mail", patience=2)
Send(channel="preferred", among=["fax"], template="mail")
Ask(channel="email", question="Why?", answers=["yes", "no"])
Handoff(to="crm")
Call(function=print)
Cooldown("21d", scope="all")
Cooldown(21)
End("no_converison")
Enter(when="limit_reached")
Enter(reentry="often")
Enter(reentry={{"gap": "90d"}})
Enter(reentry="never", every="week")
Enter(reentry="never", if_=End("left"))
Goal(event="bought", within=45)
Goal(event="bought", within="45d", by="company")
any_of(End("left"))
not_(Goal(event="bought", within="45d"))
where("health", les_than=40)
where("opened", times="five")
Choose(End("left"))
Branch(if_=where("plan", "pro"))
Split({{"full": 50, "less": 50}})
Playbook({HEAD}, enter=Goal(event="bought", within="45d"), steps=[Step("done", End("left"))])
Playbook({HEAD}, enter=Enter(reentry="never"), steps=[End("left")])
Playbook({HEAD}, enter=Enter(reentry="never"), steps=[Step("done", End("left"))], goal="bought")
Playbook({HEAD}, enter=Enter(reentry="never"), steps=[Step("done", End("left"))], at_any_step={{"booked": "done"}})
Playbook({HEAD.replace("name", "playbook")}, enter=Enter(reentry="never"), steps=[Step("done", End("left"))])
"""


def test_a_type_checker_refuses_each_wrong_use_and_no_right_one(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(WORDS + RIGHT, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WORDS + WRONG, encoding="utf-8")
    for bundle in load_folder(ROOT / "playbooks"):
        assert bundle.playbook is not None
        (tmp_path / f"shipped_{bundle.name}.py").write_text(to_python(bundle.playbook), encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", *tmp_path.glob("*.py")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.findall(r"(\w+)\.py:(\d+): error", checked.stdout)
    assert [file for file, _ in found if file != "wrong"] == [], checked.stdout
    source = (WORDS + WRONG).splitlines()
    refused = {source[int(line) - 1] for file, line in found if file == "wrong"}
    assert [line for line in WRONG.split("\n") if line and line not in refused] == [], checked.stdout


def test_what_a_type_checker_accepts_is_read(tmp_path: Path) -> None:
    names: dict[str, object] = {}
    exec(WORDS + RIGHT, names)


def test_the_builders_are_those_that_the_declared_fields_make() -> None:
    said = "run python -m orchestrator.language.writing.author_writer"
    assert AUTHOR.read_text(encoding="utf-8") == author_source(), said


def test_where_asks_everything_a_condition_can_say() -> None:
    asked = set(author.where.__annotations__) - {"name", "value", "because", "return"}
    known = {
        *conditions.COMPARISONS,
        *conditions.COUNTED,
        *conditions.DROPPED,
        *conditions.FOLLOWED,
        "same_as",
    }
    assert {word.removesuffix("_") for word in asked} == known
