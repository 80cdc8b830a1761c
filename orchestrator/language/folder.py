"""Loads a folder of playbooks with everything beside them: the only file of the language that reads a disk.

::

    playbooks/
      policy.yaml  signals.yaml  calendar.yaml
      power_user_upsell/   playbook.yaml or playbook.py, templates, texts.de.yaml

A ``playbook.py`` is the author's own program, run as such; it may import ``orchestrator``'s author
names, ``datetime.timedelta`` and nothing else.
"""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType
from typing import Any

from orchestrator.errors import DefinitionError
from orchestrator.language import author, author_parts
from orchestrator.language.account.calendar import Calendars, read_calendars_file
from orchestrator.language.account.policy import AccountPolicy, read_policy_file
from orchestrator.language.account.signals import Vocabulary, read_vocabulary_file
from orchestrator.language.checking.guardrails import check_negative, check_policy
from orchestrator.language.checking.names import unknown_starts
from orchestrator.language.checking.playbook import check
from orchestrator.language.conditions.computed import Computed, computed_needs
from orchestrator.language.conditions.playbook_requirements import attributes_needed
from orchestrator.language.model import Call, Playbook
from orchestrator.language.problems import PlacedProblem, Problems, SourcePosition, has_errors
from orchestrator.language.reading.playbook import parse_playbook
from orchestrator.language.reading.tree import Leaf, Map, Node
from orchestrator.language.reading.yaml_tree import MAX_BYTES, read_yaml_file
from orchestrator.language.templates import FILE_NAME, template_names
from orchestrator.language.writing.json_values import canonical, json_values, to_plain
from orchestrator.language.writing.plain_writer import plain_computed

_BUILTINS = (
    "abs", "all", "any", "bool", "dict", "enumerate", "filter", "float", "int", "isinstance", "len", "list", "map",
    "max", "min", "print", "range", "reversed", "round", "set", "sorted", "str", "sum", "tuple", "zip",
    "ValueError", "KeyError", "TypeError", "Exception", "frozenset", "repr",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountFiles:
    """What holds for every playbook of a folder."""

    policy: AccountPolicy
    vocabulary: Vocabulary
    calendars: Calendars
    problems: tuple[PlacedProblem, ...] = ()
    policy_tree: Node | None = None
    policy_path: str = "policy.yaml"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaybookFiles:
    """One playbook with its templates (file name to text) and translations (locale to original words to words)."""

    playbook: Playbook | None
    templates: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    policy: AccountPolicy = field(default_factory=AccountPolicy)
    calendars: Calendars = field(default_factory=Calendars)
    problems: tuple[PlacedProblem, ...] = ()
    path: Path = Path()

    @property
    def ok(self) -> bool:
        """Whether it may be published: warnings do not stop it."""
        return self.playbook is not None and not has_errors(self.problems)

    @property
    def name(self) -> str:
        return self.playbook.name if self.playbook else self.path.name


def load_account(folder: Path) -> AccountFiles:
    """policy.yaml, signals.yaml and calendar.yaml of a folder, with their problems; absent files are defaults."""
    path = folder / "policy.yaml"
    policy, tree, first = read_policy_file(path)
    vocabulary, second = read_vocabulary_file(folder / "signals.yaml")
    calendars, third = read_calendars_file(folder / "calendar.yaml")
    wrong = check_policy(policy, vocabulary=vocabulary, tree=tree, path=str(path))
    return AccountFiles(
        policy=policy,
        vocabulary=vocabulary,
        calendars=calendars,
        problems=(*first, *second, *third, *wrong),
        policy_tree=tree,
        policy_path=str(path),
    )


def load_folder(folder: Path, *, account: AccountFiles | None = None) -> list[PlaybookFiles]:
    """Every playbook of a folder, by folder name, checked. The account's own problems are in each bundle's list."""
    shared = account or load_account(folder)
    paths = sorted(
        path for one in ("*/playbook.yaml", "*/playbook.py") for path in folder.glob(one) if path.is_file()
    )
    bundles = [load_playbook(path, account=shared) for path in paths]
    names = {bundle.playbook.name for bundle in bundles if bundle.playbook}
    unanswered = check_negative(shared.policy, names, tree=shared.policy_tree, path=shared.policy_path)
    bundles = [_with(bundle, unanswered) for bundle in bundles]
    return [_refuse_twin(bundle, bundles) for bundle in _known_starts(bundles, names)]


def load_playbook(path: Path, *, account: AccountFiles) -> PlaybookFiles:
    """One playbook file with what lies beside it, checked."""
    problems = Problems()
    problems.extend(account.problems)
    playbook, tree = _read(path, problems)
    templates = _templates(path.parent, problems)
    texts = _texts(path.parent, problems)
    if playbook is not None:
        problems.extend(
            check(
                playbook,
                vocabulary=account.vocabulary,
                policy=account.policy,
                calendars=account.calendars,
                templates=templates,
                tree=tree,
                path=str(path),
            )
        )
    return PlaybookFiles(
        playbook=playbook,
        templates=templates,
        texts=texts,
        vocabulary=account.vocabulary,
        policy=account.policy,
        calendars=account.calendars,
        problems=tuple(problems.sorted()),
        path=path.parent,
    )


def content_hash(bundle: PlaybookFiles) -> str:
    """SHA-256 of everything a published version means.

    That is the definition, its templates and texts, the computed values it uses (and those they use), and the names of
    the functions it calls.
    """
    if bundle.playbook is None:
        raise DefinitionError(bundle.problems)
    content = {
        "playbook": to_plain(bundle.playbook),
        "templates": dict(bundle.templates),
        "texts": {locale: dict(words) for locale, words in bundle.texts.items()},
        "computed": {name: json_values(plain_computed(one)) for name, one in used_computed(bundle).items()},
        "functions": list(called_functions(bundle.playbook)),
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def used_computed(bundle: PlaybookFiles) -> Mapping[str, Computed]:
    """The computed values a playbook or its templates ask for, with those they are made from, by name."""
    if bundle.playbook is None:
        return {}
    known = bundle.vocabulary.computed_named
    names = set(attributes_needed(bundle.playbook))
    for text in bundle.templates.values():
        names |= template_names(text)
    todo = [name for name in names if name in known]
    used: dict[str, Computed] = {}
    while todo:
        name = todo.pop()
        if name not in used:
            used[name] = known[name]
            todo.extend(one for one in computed_needs(known[name])[1] if one in known)
    return dict(sorted(used.items()))


def called_functions(playbook: Playbook) -> tuple[str, ...]:
    """The Python functions the playbook's call steps name."""
    steps = (step.action for step in playbook.steps)
    return tuple(
        sorted({action.function for action in steps if isinstance(action, Call) and action.function})
    )


def _read(path: Path, problems: Problems) -> tuple[Playbook | None, Node | None]:
    if path.suffix == ".py":
        return _run(path, problems)
    tree = read_yaml_file(path, problems)
    if tree is None:
        if not problems.errors:
            problems.error(SourcePosition(str(path), 1, 1), "expected a playbook, got an empty file")
        return None, None
    playbook, found = parse_playbook(tree)
    problems.extend(found)
    return (None if has_errors(found) else playbook), tree


def _run(path: Path, problems: Problems) -> tuple[Playbook | None, Node | None]:
    place = SourcePosition(str(path), 1, 1)
    code = _compiled(path, problems)
    if code is None:
        return None, None
    with author_parts.collected() as made:
        try:
            exec(code, {"__name__": "playbook", "__file__": str(path), "__builtins__": _safe()})  # noqa: S102 - the author's own program
        except DefinitionError as error:
            problems.extend(one for one in error.problems if isinstance(one, PlacedProblem))
            return None, None
        except Exception as error:  # noqa: BLE001 - whatever the author's program raises is a problem of that file
            problems.error(
                SourcePosition(str(path), _line_of(error, str(path))), f"{type(error).__name__}: {error}"
            )
            return None, None
    if len(made) != 1:
        problems.error(place, f"expected one Playbook(...), got {len(made)}")
        return None, None
    return made[0]


def _compiled(path: Path, problems: Problems) -> CodeType | None:
    try:
        source = path.read_bytes()
        if len(source) > MAX_BYTES:
            problems.error(SourcePosition(str(path), 1, 1), f"the file is larger than {MAX_BYTES:,} bytes")
            return None
        return compile(source, str(path), "exec")
    except SyntaxError as error:
        problems.error(
            SourcePosition(str(path), error.lineno or 1, error.offset or 1),
            f"this is not Python: {error.msg}",
        )
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        problems.error(SourcePosition(str(path), 1, 1), f"the file cannot be read as Python: {error}")
    return None


def _safe() -> dict[str, Any]:
    return {name: getattr(builtins, name) for name in _BUILTINS if hasattr(builtins, name)} | {
        "__import__": _import
    }


def _import(
    name: str, globals_: object = None, locals_: object = None, fromlist: Any = (), level: int = 0
) -> Any:
    if name == "__future__" or (name == "datetime" and tuple(fromlist or ()) == ("timedelta",)):
        return builtins.__import__(name, fromlist=fromlist)
    unknown = [one for one in fromlist or () if one not in author.__all__]
    if name != "orchestrator" or not fromlist or unknown:
        asked = unknown[0] if unknown and name == "orchestrator" else name
        raise ImportError(
            f"a playbook imports orchestrator's author names, timedelta and nothing else, got '{asked}'"
        )
    return author


def _line_of(error: BaseException, path: str) -> int:
    line = 1
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _templates(folder: Path, problems: Problems) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or FILE_NAME.fullmatch(path.name) is None:
            continue
        try:
            data = path.read_bytes()
            if len(data) > MAX_BYTES:
                problems.error(
                    SourcePosition(str(path), 1, 1), f"the template is larger than {MAX_BYTES:,} bytes"
                )
                continue
            found[path.name] = data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            problems.error(SourcePosition(str(path), 1, 1), "expected UTF-8 text, got bytes that are none")
        except OSError as error:
            problems.error(SourcePosition(str(path), 1, 1), f"the template cannot be read: {error.strerror}")
    return found


def _texts(folder: Path, problems: Problems) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("texts.*.yaml")):
        locale = path.name.removeprefix("texts.").removesuffix(".yaml")
        tree = read_yaml_file(path, problems)
        if tree is None:
            continue
        if not isinstance(tree, Map):
            problems.error(tree.place, "expected the words of the playbook with their translation each")
            continue
        words: dict[str, str] = {}
        for entry in tree.entries:
            if isinstance(entry.node, Leaf) and not entry.node.empty:
                words[entry.key] = entry.node.text
            else:
                problems.error(entry.node.place, f"expected the translation of '{entry.key}'")
        found[locale] = words
    return found


def _known_starts(bundles: list[PlaybookFiles], names: set[str]) -> list[PlaybookFiles]:
    """Bundles with a problem added for each start step that names no playbook of the folder."""
    made = []
    for bundle in bundles:
        found = unknown_starts(bundle.playbook, names, str(bundle.path)) if bundle.playbook else []
        made.append(_with(bundle, found))
    return made


def _refuse_twin(bundle: PlaybookFiles, bundles: list[PlaybookFiles]) -> PlaybookFiles:
    twins = [one for one in bundles if one.playbook and bundle.playbook and one.name == bundle.name]
    if len(twins) < 2 or twins[0].path == bundle.path:
        return bundle
    message = f"'{bundle.name}' is the name of the playbook in {twins[0].path} too"
    return _with(bundle, [PlacedProblem(path=str(bundle.path), line=1, column=1, message=message)])


def _with(bundle: PlaybookFiles, more: list[PlacedProblem]) -> PlaybookFiles:
    if not more:
        return bundle
    return replace(bundle, problems=(*bundle.problems, *more))
