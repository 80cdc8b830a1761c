"""Keys: who may call the HTTP API, and what signs links. Nothing here prints a key."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from pydantic import SecretStr

from orchestrator.errors import SettingsError
from orchestrator.ids import new_secret
from orchestrator.telemetry import emit

Scope = Literal["signals", "product", "read", "operate", "erase"]
SCOPES: frozenset[str] = frozenset(get_args(Scope))
_DEFAULT_SCOPES: frozenset[Scope] = frozenset({"product", "read"})
_CONTAINS: dict[Scope, Scope] = {"signals": "product"}  # who may do the second may do the first
_HASH = re.compile(r"sha256\$([0-9a-f]{64})")
_SHORTEST_API_KEY = 16
_SHORTEST_SIGNING_KEY = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """One caller of the HTTP API. Only a hash of its secret is held.

    ``signals`` reports what customers did and who they are, and is what a page may show; ``product`` does so too,
    starts playbooks, responds, keeps consent; ``read`` reads customers and figures, ``operate`` publishes and changes,
    ``erase`` deletes a customer.
    """

    name: str
    sha256: str = field(repr=False)
    scopes: frozenset[Scope] = _DEFAULT_SCOPES

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes or _CONTAINS.get(scope) in self.scopes


def find_api_key(keys: Iterable[ApiKey], secret: str) -> ApiKey | None:
    """The key this secret belongs to. Every key is compared, in constant time."""
    presented = hashlib.sha256(secret.encode()).hexdigest()
    found = None
    for key in keys:
        if hmac.compare_digest(key.sha256, presented):
            found = key
    return found


def parse_api_keys(text: str) -> tuple[ApiKey, ...]:
    """Read ``name:secret[:scope+scope]``, several separated by commas or blanks.

    Instead of the secret, ``sha256$<64 hex digits>`` of it may stand. Raises ValueError.
    """
    keys = tuple(
        _parse_api_key(part, place) for place, part in enumerate(text.replace(",", " ").split(), start=1)
    )
    names = [key.name for key in keys]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        msg = f"each key needs a name of its own; given twice: {', '.join(doubled)}"
        raise ValueError(msg)
    return keys


def parse_secret_keys(text: str) -> tuple[SecretStr, ...]:
    """Read signing keys, newest first, separated by commas or blanks. Raises ValueError."""
    keys = text.replace(",", " ").split()
    for place, key in enumerate(keys, start=1):
        if len(key) < _SHORTEST_SIGNING_KEY:
            msg = f"key {place} has {len(key)} characters; at least {_SHORTEST_SIGNING_KEY} are needed"
            raise ValueError(msg)
    return tuple(SecretStr(key) for key in keys)


def dev_key(path: Path) -> str:
    """The key in this file, made on first use and readable by its owner alone; two processes make one key."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(new_secret() + "\n")
            try:
                path.hardlink_to(draft)  # fails when another process was first: then its key counts
                emit("secret_key.made", path=str(path))
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        key = path.read_text().strip()
    except OSError as error:
        raise SettingsError(
            [f"{path} cannot be read or made ({error.strerror}); set the keys in the environment"]
        ) from error
    if len(key) < _SHORTEST_SIGNING_KEY:
        raise SettingsError(
            [f"{path} holds no key; delete it and a new one is made (old links stop working)"]
        )
    return key


def _parse_api_key(text: str, place: int) -> ApiKey:
    name, _, rest = text.partition(":")
    secret, _, scopes = rest.partition(":")
    if not name or not secret:
        msg = f"key {place}: expected name:secret or name:secret:scope+scope"
        raise ValueError(msg)
    hashed = _HASH.fullmatch(secret)
    if not hashed and len(secret) < _SHORTEST_API_KEY:
        msg = (
            f"key {name!r}: the secret has {len(secret)} characters; at least {_SHORTEST_API_KEY} are needed"
        )
        raise ValueError(msg)
    wanted = {scope for scope in scopes.split("+") if scope}
    if wanted - SCOPES:
        msg = f"key {name!r}: unknown scope {', '.join(sorted(wanted - SCOPES))}; known: {', '.join(sorted(SCOPES))}"
        raise ValueError(msg)
    return ApiKey(
        name=name,
        sha256=hashed.group(1) if hashed else hashlib.sha256(secret.encode()).hexdigest(),
        scopes=frozenset(cast(Scope, scope) for scope in wanted) or _DEFAULT_SCOPES,
    )
