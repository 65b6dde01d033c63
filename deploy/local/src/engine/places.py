"""Where the engine keeps things: sources beside this package, everything made under `.local/`."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
POM = PACKAGE.parents[1] / "pom.xml"
REPOSITORY = PACKAGE.parents[3]
HOST = "127.0.0.1"  # never a public interface: the local engine asks nobody for a password


def local_dir() -> Path:
    """Give the folder for what can be made again; `SCRIP_LOCAL_DIR` moves it."""
    return Path(os.environ.get("SCRIP_LOCAL_DIR", REPOSITORY / ".local")).resolve()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process of this machine at a time do what two would spoil (downloads, starts)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
