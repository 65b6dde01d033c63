"""What the README and the Makefile name can be called."""

import re
import subprocess
from importlib.metadata import entry_points

from tests.tidy.sources import ROOT, texts, told

TARGETS = {"demo", "up", "down", "test", "check", "unit", "integration", "e2e", "sim", "bench"}
TARGETS |= {"schemas"}
TARGET = re.compile(r"^([a-z][a-z0-9-]*):[^#=]*## (.+)$", re.MULTILINE)
CODE = re.compile(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)


def _described() -> dict[str, str]:
    return dict(TARGET.findall((ROOT / "Makefile").read_text()))


def test_bare_make_lists_every_target() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    described = _described()
    assert set(described) >= TARGETS
    for name, text in described.items():
        assert re.search(rf"^  {name}\s+{re.escape(text)}$", listed, re.MULTILINE), name


def test_every_make_target_in_the_documents_exists() -> None:
    known = set(_described())
    faults = [
        f"{path}: make {name}"
        for path, text in texts()
        if path.suffix == ".md"
        for block, inline in CODE.findall(text)
        for name in re.findall(r"(?:^|[\s&;])make ([a-z][a-z0-9-]*)", block or inline)
        if name not in known
    ]
    assert not faults, told(faults, "No such target in the Makefile:")


def test_every_scrip_verb_in_the_documents_exists() -> None:
    known = {verb.name for verb in entry_points(group="scrip.commands")}
    faults = [
        f"{path}: scrip {name}"
        for path, text in texts()
        if path.suffix == ".md"
        for block, inline in CODE.findall(text)
        for name in re.findall(r"(?:^|/|\$ )scrip ([a-z][a-z-]*)", block or inline, re.MULTILINE)
        if name not in known
    ]
    assert not faults, told(faults, "No package brings this verb:")


def test_the_continuous_run_calls_make_test() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands[-1] == "make test"
    assert "set -euo pipefail" in commands
