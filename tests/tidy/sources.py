"""Every source file of the repository, read and parsed once per session."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("contracts", "services", "deploy", "tests")
# Made here, not written here; .gitignore says the same.
NOT_OURS = {".git", ".venv", ".local", "__pycache__", "node_modules", "vendor"}
TEXT = {".cfg", ".css", ".html", ".ini", ".json", ".md", ".properties", ".py", ".sh", ".sql"}
TEXT |= {".svg", ".toml", ".txt", ".xml", ".yaml", ".yml", ".lock", ""}


class Source(msgspec.Struct, frozen=True):
    """A Python file: where it is, seen from the root, its text and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @property
    def is_test(self) -> bool:
        return self.path.parts[0] == "tests"


@functools.cache
def python() -> tuple[Source, ...]:
    """Give all Python files, tests included."""
    return tuple(
        Source(path.relative_to(ROOT), text := path.read_text(), ast.parse(text))
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if not NOT_OURS.intersection(path.relative_to(ROOT).parts)
    )


def production() -> tuple[Source, ...]:
    """Give the Python files that ship."""
    return tuple(source for source in python() if not source.is_test)


@functools.cache
def texts() -> tuple[tuple[Path, str], ...]:
    """Give every text file that a reader of the repository sees."""
    return tuple((path.relative_to(ROOT), path.read_text()) for path in _files(ROOT))


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in NOT_OURS or path.name.endswith(("_cache", ".egg-info")):
            continue
        if path.is_dir() and not path.is_symlink():
            if path.name != ".hypothesis":
                yield from _files(path)
        elif path.suffix in TEXT and path.is_file():
            yield path


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give every function of a file, methods and inner ones too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def classes(source: Source) -> Iterator[ast.ClassDef]:
    """Give every class of a file."""
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef))


def told(faults: list[str], rule: str) -> str:
    """Say the rule once and every place that breaks it."""
    return f"{rule}\n  " + "\n  ".join(faults)
