"""Publishes a folder: everything is checked first, and either all of it is stored or none."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import DefinitionError
from orchestrator.language.folder import (
    PlaybookFiles,
    called_functions,
    content_hash,
    load_account,
    load_folder,
)
from orchestrator.language.problems import has_errors
from orchestrator.language.writing.json_values import to_plain
from orchestrator.records.playbook_version import PlaybookVersion
from orchestrator.service.context import ServiceContext
from orchestrator.telemetry import emit

ACCOUNT_FILES = {"policy": "policy.yaml", "calendar": "calendar.yaml"}


def publish(services: ServiceContext, folder: Path) -> list[tuple[str, int, bool]]:
    """Store every playbook of ``folder`` with the account's files: (name, version, new).

    Raises DefinitionError with every problem, Conflict for changed content under a published version.
    """
    account = load_account(folder)
    bundles = load_folder(folder, account=account)
    problems = [*account.problems, *(problem for bundle in bundles for problem in bundle.problems)]
    if has_errors(problems) or not bundles:
        raise DefinitionError(problems)
    signals = _text(folder / "signals.yaml")
    versions = [_version(bundle, signals) for bundle in bundles]
    with services.store.begin() as transaction:
        now = transaction.instants().business
        transaction.playbooks.publish_policy(
            {name: _text(folder / file) for name, file in ACCOUNT_FILES.items()}, now
        )
        done = [(one.name, one.version, transaction.playbooks.publish(one, now)) for one in versions]
    for version, (_, _, new) in zip(versions, done, strict=True):
        if new:
            emit(
                "playbook.published",
                playbook=version.name,
                version=version.version,
                content_hash=version.content_hash,
            )
    return done


def _version(bundle: PlaybookFiles, signals: str) -> PlaybookVersion:
    playbook = bundle.playbook
    if playbook is None:
        raise DefinitionError(bundle.problems)
    return PlaybookVersion(
        name=playbook.name,
        version=playbook.version,
        content_hash=content_hash(bundle),
        definition=to_plain(playbook),
        templates=bundle.templates,
        texts=bundle.texts,
        vocabulary={"text": signals},
        functions=called_functions(playbook),
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
