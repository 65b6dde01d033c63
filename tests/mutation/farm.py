"""A folder in which mutmut changes the rules: copies of the sources and of their fast tests.

    .local/mutation/src        contracts, bus and ledger, of which the rules are changed
    .local/mutation/tests      tests/unit/domain, tests/unit/ledger and the prices'
    .local/mutation/mutants    mutmut's: the changed sources and what became of each change

mutmut wants one `src` and one `tests`; ours lie in rooms. It keeps what it found until a function
or a test changes, so that a second run asks only what is new.
"""

import ast
import difflib
import filecmp
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".local" / "mutation"
SOURCES = (
    ("contracts/src/contracts", "src/contracts"),
    ("contracts/src/bus", "src/bus"),
    ("services/ledger/src/ledger", "src/ledger"),
    ("tests/unit/domain", "tests/unit/domain"),
    ("tests/unit/ledger", "tests/unit/ledger"),
    ("tests/unit/contracts/test_pricing.py", "tests/unit/contracts/test_pricing.py"),
    ("tests/mutation/cheap_first.py", "tests/mutation/cheap_first.py"),
)
EMPTY = ("tests/__init__.py", "tests/mutation/__init__.py")
WORKERS = 2
HISTORIES = 10  # of the property test: most changes are to be noticed by a test with a name
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/ledger/domain/*.py", "src/contracts/pricing.py"]
pytest_add_cli_args = [
  "-p", "tests.mutation.cheap_first", "-p", "no:asyncio", "--import-mode=importlib",
]
pytest_add_cli_args_test_selection = ["tests/unit"]
timeout_multiplier = 2.0
timeout_constant = 2.0
use_git_change_detection = false
on_dependency_change = "ignore"

[tool.pytest.ini_options]
pythonpath = ["."]
filterwarnings = ["error"]
timeout = 300
"""
STATUS = {0: "survived", 1: "killed", 3: "killed", 5: "no test", 33: "no test", None: "not asked"}


class Farm:
    """mutmut, run in a folder of its own."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._parsed: dict[str, dict[str, list[str]]] = {}

    def stock(self) -> None:
        """Bring the copies up to date; what did not change keeps its time, and its result."""
        for source, target in SOURCES:
            at = ROOT / source
            files = sorted(at.rglob("*")) if at.is_dir() else [at]
            for file in files:
                if file.is_file() and file.suffix != ".pyc":
                    self._copy(file, self.folder / target / file.relative_to(at))
        for name in EMPTY:
            (self.folder / name).touch()
        (self.folder / "pyproject.toml").write_text(SETTINGS)
        self._drop_gone()
        # Which test reaches what is asked anew: mutmut's notes name tests that may be gone.
        shutil.rmtree(self.folder / "mutants" / "tests", ignore_errors=True)
        (self.folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)

    def run(self, names: Iterable[str]) -> None:
        """Ask the tests about these mutants, or about all that were not asked yet."""
        mutmut = str(Path(sys.executable).with_name("mutmut"))
        asked = [mutmut, "run", "--max-children", str(WORKERS), *names]
        done = subprocess.run(
            asked,
            cwd=self.folder,
            env={**os.environ, "SCRIP_EXAMPLES": str(HISTORIES)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stdout.decode(errors="replace")[-4_000:])

    def found(self) -> dict[str, str]:
        """Every mutant by name, and what became of it: "killed", "survived", "timeout" ..."""
        told: dict[str, str] = {}
        for file in sorted((self.folder / "mutants" / "src").rglob("*.meta")):
            codes = msgspec.json.decode(file.read_bytes())["exit_code_by_key"]
            told |= {name: STATUS.get(code, "timeout") for name, code in codes.items()}
        return told

    def change(self, name: str) -> tuple[str, str]:
        """A mutant's lines before and after, without what both have."""
        module, _, mutant = name.rpartition(".")
        functions = self._functions(module)
        original = functions[mutant.partition("__mutmut_")[0] + "__mutmut_orig"]
        told = [*difflib.ndiff(original, functions[mutant])]
        before = " ".join(x[2:].strip() for x in told if x[0] == "-")
        after = " ".join(x[2:].strip() for x in told if x[0] == "+")
        return before, after

    def _functions(self, module: str) -> dict[str, list[str]]:
        """The lines of every function of a changed module, without its name."""
        if module not in self._parsed:
            file = self.folder / "mutants" / "src" / f"{module.replace('.', '/')}.py"
            lines = file.read_text().splitlines()
            self._parsed[module] = {
                node.name: lines[node.body[0].lineno - 1 : node.end_lineno]
                for node in ast.walk(ast.parse(file.read_text()))
                if isinstance(node, ast.FunctionDef)
            }
        return self._parsed[module]

    @staticmethod
    def _copy(file: Path, target: Path) -> None:
        if not target.exists() or not filecmp.cmp(file, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)

    def _drop_gone(self) -> None:
        for source, target in SOURCES:
            there = self.folder / target
            for file in there.rglob("*.py") if there.is_dir() else ():
                if not (ROOT / source / file.relative_to(there)).exists():
                    file.unlink()
