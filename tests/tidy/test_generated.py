"""Generated files in the repository are what their generator writes today."""

import subprocess
import sys
from pathlib import Path

from tests.tidy.sources import ROOT, told

ROOMS = ("contracts", "docs")
WRITTEN_BY_HAND = {".py", ".md"}


def _contents() -> dict[Path, bytes]:
    return {
        path.relative_to(ROOT): path.read_bytes()
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*"))
        if path.is_file() and path.suffix not in WRITTEN_BY_HAND | {".pyc"}
    }


def test_schemas_are_up_to_date() -> None:
    before = _contents()
    scrip = Path(sys.executable).with_name("scrip")
    done = subprocess.run(
        [scrip, "contracts", "schemas"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    after = _contents()
    faults = sorted(str(x) for x in before.keys() | after if before.get(x) != after.get(x))
    assert not faults, told(faults, "Out of date; `make schemas` wrote them anew, commit them:")
