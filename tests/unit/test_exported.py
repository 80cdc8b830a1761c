"""The public surface is one list: what is on it stays, what is not may move."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args, get_type_hints

import pytest

import orchestrator
from orchestrator import ResponseOutcome, StartRefusalReason, errors
from orchestrator.language import author

AUTHORS = {
    "Ask", "Branch", "Call", "Choose", "Cooldown", "End", "Enter", "Goal", "Handoff", "OwnName", "Playbook", "Send",
    "Set", "Split", "Start", "Step", "WaitUntil", "all_of", "any_of", "at_least_of", "not_", "where",
}  # fmt: skip
PRODUCT = {"Engine", "connect", "identify", "opt_in", "opt_out", "respond", "start_playbook", "track"}
VALUES = {
    "Consent", "ConsentEntry", "ConsentEvidence", "ConsentFact", "ConsentHistory", "ConsentInForce", "Drained",
    "Enrollment", "ErasureReceipt", "Feed", "FeedItem", "Identify", "IngestReport", "OptOutReceipt", "Preferences",
    "ProviderForgot", "Refused", "ResponseOutcome", "StartRefusalReason", "StoppedMessage", "Track",
}  # fmt: skip
ERRORS = {
    "AdapterError", "BadToken", "Conflict", "Contended", "DefinitionError", "EmbeddedError", "ErasureIncomplete",
    "InputError", "NotFound", "OrchestratorError", "PlaybookError", "SchemaMismatch", "SettingsError", "StartRefused",
    "StoreError", "TimedOut", "Unavailable", "ValueRefused",
}  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert set(orchestrator.__all__) == AUTHORS | PRODUCT | VALUES | ERRORS
    assert dir(orchestrator) == sorted(orchestrator.__all__)


def test_every_word_of_authors_is_public() -> None:
    assert set(author.__all__) == AUTHORS


def test_every_error_is_public() -> None:
    tree = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert tree == ERRORS


@pytest.mark.parametrize("verb", sorted(PRODUCT - {"Engine"}))
def test_what_a_verb_gives_back_is_public(verb: str) -> None:
    given = get_type_hints(getattr(orchestrator, verb))["return"]
    assert given in (bool, type(None)) or given.__name__ in orchestrator.__all__


def test_every_record_a_verb_of_the_engine_takes_or_gives_back_is_public() -> None:
    verbs = [
        one for name, one in vars(orchestrator.Engine).items() if not name.startswith("_") and callable(one)
    ]
    named = {
        one.__name__
        for verb in verbs
        for hint in get_type_hints(verb).values()
        for one in (hint, *get_args(hint))
        if getattr(one, "__module__", "").startswith("orchestrator.records")
    }
    assert named <= set(orchestrator.__all__)


@pytest.mark.parametrize(
    ("verb", "words"),
    [("start_playbook", get_args(StartRefusalReason)), ("respond", get_args(ResponseOutcome))],
)
def test_a_verb_says_its_words(verb: str, words: tuple[str, ...]) -> None:
    said = getattr(orchestrator, verb).__doc__
    assert [word for word in words if f"``{word}``" not in said] == []


def test_a_name_that_is_none_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'orchestrator' has no attribute 'Playbok'"):
        orchestrator.Playbok  # type: ignore[attr-defined]  # noqa: B018


def test_every_public_name_is_there() -> None:
    assert all(hasattr(orchestrator, name) for name in orchestrator.__all__)


def test_an_author_loads_no_database_and_no_provider() -> None:
    heavy = "('sqlalchemy', 'twilio', 'fastapi')"
    words = f"import sys; from orchestrator import Playbook; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
