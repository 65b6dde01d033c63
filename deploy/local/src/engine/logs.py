"""Show the end of some log files and what is added to them, each line under its file's name."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

END_LINES = 20
END_BYTES = 64 << 10  # of a file, looked at for its last lines
POLL_SECONDS = 0.2


def show(
    files: Sequence[Path],
    say: Callable[[str], None],
    *,
    last: int = END_LINES,
    more: Callable[[], bool] = lambda: False,
) -> None:
    """Say the last lines of each file, then what is added for as long as `more` is true."""
    positions = {file: _last_lines(file, last, say) for file in files}
    while more():
        time.sleep(POLL_SECONDS)
        for file, position in positions.items():
            positions[file] = _news(file, position, say)


def _last_lines(file: Path, last: int, say: Callable[[str], None]) -> int:
    if not file.exists():
        return 0
    with file.open("rb") as log:
        size = log.seek(0, 2)
        log.seek(max(0, size - END_BYTES))
        lines = log.read().splitlines()
        for line in lines[len(lines) - last :] if last < len(lines) else lines:
            say(f"{file.stem:<16} {line.decode(errors='replace')}")
    return size


def _news(file: Path, position: int, say: Callable[[str], None]) -> int:
    if not file.exists():
        return 0
    with file.open("rb") as log:
        if log.seek(0, 2) < position:  # moved aside and begun anew
            position = 0
        log.seek(position)
        added = log.read()
    whole = added.rfind(b"\n") + 1
    for line in added[:whole].splitlines():
        say(f"{file.stem:<16} {line.decode(errors='replace')}")
    return position + whole
