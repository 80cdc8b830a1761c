"""Whom the embedded PostgreSQL runs as: PostgreSQL refuses root, so root hands it to an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.errors import EmbeddedError

# What lets an unprivileged user pass through a closed folder such as /root, the smaller right first.
_PASSAGE = ("dac_read_search", "dac_override")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerUser:
    """How to run a program as the user who owns the database files.

    ``uid`` is None when that is simply the present user. ``launcher`` precedes the command where the project lies
    in a folder the server's user could not enter by itself: it grants the right to pass, and nothing to the files.
    """

    uid: int | None = None
    gid: int | None = None
    launcher: tuple[str, ...] = ()

    def run(self, command: Sequence[str | Path], *, seconds: float) -> subprocess.CompletedProcess[str]:
        """Run to the end and return its result with both outputs as one text. Raises EmbeddedError on a hang."""
        switch = self.uid is not None and not self.launcher
        try:
            return subprocess.run(
                [*self.launcher, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
                cwd="/",
                umask=0o077,
                env=_environment(os.environ),
                user=self.uid if switch else None,
                group=self.gid if switch else None,
                extra_groups=[] if switch else None,
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddedError(f"{Path(command[0]).name} did not end within {seconds:.0f} s") from error
        except OSError as error:
            raise EmbeddedError(f"{Path(command[0]).name} could not be run: {error.strerror}") from error

    def may_reach(self, path: Path) -> bool:
        """Whether every folder above ``path`` lets this user through by itself."""
        if self.uid is None or self.gid is None:
            return True
        return all(_may_enter(folder, self.uid, self.gid) for folder in path.parents)

    def own(self, path: Path, mode: int) -> None:
        """Give a file or folder to the server's user."""
        path.chmod(mode)
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def choose_user(home: Path) -> ServerUser:
    """The user for the database files under ``home``.

    An ordinary user runs PostgreSQL as themself. Root gives it to who owns ``home`` already, or to the owner of the
    folder around it, or to ``nobody``.
    """
    if os.geteuid() != 0:
        return ServerUser()
    account = _owner(home) or _owner(home.parent.parent) or _named("nobody")
    if account is None:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root and this machine has no user 'nobody' to run it as; run as an ordinary "
            "user, or set ORCHESTRATOR_DATABASE_URL to a PostgreSQL server"
        )
    uid, gid = account.pw_uid, account.pw_gid
    user = ServerUser(uid=uid, gid=gid)
    return user if user.may_reach(home) else replace(user, launcher=_passage(account, home))


def _passage(account: pwd.struct_passwd, home: Path) -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    for right in _PASSAGE if setpriv else ():
        launcher = (
            str(setpriv),
            f"--reuid={account.pw_uid}",
            f"--regid={account.pw_gid}",
            "--clear-groups",
            f"--inh-caps=+{right}",
            f"--ambient-caps=+{right}",
        )
        if ServerUser(launcher=launcher).run(["true"], seconds=10).returncode == 0:
            return launcher
    raise EmbeddedError(
        f"PostgreSQL refuses to run as root, and the user {account.pw_name!r} cannot enter {home.parent}; move the "
        "project to a folder others may enter, run as an ordinary user, or set ORCHESTRATOR_DATABASE_URL"
    )


def _owner(path: Path) -> pwd.struct_passwd | None:
    """Who owns a folder, unless that is root or a number without an account (PostgreSQL needs a name)."""
    try:
        uid = path.stat().st_uid
        return pwd.getpwuid(uid) if uid else None
    except (OSError, KeyError):
        return None


def _named(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _may_enter(folder: Path, uid: int, gid: int) -> bool:
    about = folder.stat()
    if about.st_uid == uid:
        return bool(about.st_mode & stat.S_IXUSR)
    return bool(about.st_mode & (stat.S_IXGRP if about.st_gid == gid else stat.S_IXOTH))


def _environment(source: Mapping[str, str]) -> dict[str, str]:
    """The caller's PG* variables and time zone are about other servers; messages are read by us, so in English."""
    kept = {name: value for name, value in source.items() if not name.startswith("PG") and name != "TZ"}
    return kept | {"LC_ALL": "C"}
