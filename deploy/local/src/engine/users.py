"""PostgreSQL refuses root: which account runs it instead, and where that account can read."""

import os
import pwd
import stat
from pathlib import Path
from typing import TypedDict

import msgspec

from engine.errors import Missing

UNPRIVILEGED = ("postgres", "nobody")  # the first that exists on this machine


class Account(msgspec.Struct, frozen=True):
    """An account of the operating system."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """Give the account to drop to; None when we are no root and need not drop."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise Missing(
        "PostgreSQL does not run as root and neither `postgres` nor `nobody` exists here. "
        "Run as an ordinary user, or set SCRIP_POSTGRES_URL to a database of your own."
    )


def can_enter(account: Account, folder: Path) -> bool:
    """Tell whether `account` may walk down to `folder` (its missing part would be ours)."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    return all(_may_search(account, part) for part in (existing, *existing.parents))


def _may_search(account: Account, folder: Path) -> bool:
    state = folder.stat()
    if state.st_uid == account.uid:
        return bool(state.st_mode & stat.S_IXUSR)
    if state.st_gid == account.gid:
        return bool(state.st_mode & stat.S_IXGRP)
    return bool(state.st_mode & stat.S_IXOTH)


def give(account: Account, folder: Path) -> None:
    """Make `account` the owner of a folder and all in it."""
    os.chown(folder, account.uid, account.gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent) / name, account.uid, account.gid, follow_symlinks=False)


class Identity(TypedDict, total=False):
    """What `subprocess` must be told to start a program as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


def identity(account: Account | None) -> Identity:
    """Give the arguments that make a child process run as `account`; none to stay who we are."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}
