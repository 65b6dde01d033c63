"""The world is an argument: no clock, chance or environment where the rules live."""

import ast
from collections.abc import Iterator

from tests.tidy.sources import Source, production, told

PURE = ("contracts/src/contracts/", "services/ledger/src/ledger/domain/")
WORLD = {"os", "random", "secrets", "socket", "subprocess", "threading", "time", "uuid"}
CLOCKS = {"now", "today", "utcnow"}
# Settings are read at the door: these modules are the doors.
DOORS = {"settings", "config", "main", "cli"}
ENGINE = "deploy/local/"  # its subject is the machine


def _pure() -> Iterator[Source]:
    return (x for x in production() if x.path.as_posix().startswith(PURE))


def test_the_rules_import_nothing_of_the_world() -> None:
    faults = [
        f"{source.path} {name}"
        for source in _pure()
        for node in ast.walk(source.tree)
        for name in _imported(node)
        if name.partition(".")[0] in WORLD
    ]
    assert not faults, told(faults, "Contracts and domain take the world as an argument:")


def test_the_rules_ask_no_clock() -> None:
    faults = [
        f"{source.path}:{node.lineno}"
        for source in _pure()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
    ]
    assert not faults, told(faults, "`now` is an argument:")


def test_the_environment_is_read_at_the_door_only() -> None:
    faults = [
        f"{source.path}:{node.lineno}"
        for source in production()
        if source.path.stem not in DOORS and not source.path.as_posix().startswith(ENGINE)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("os", "environ"), ("os", "getenv")}
        and not _is_for_a_child(source, node)
    ]
    assert not faults, told(faults, f"Read settings in {', '.join(sorted(DOORS))} and pass them:")


def test_no_mutable_globals() -> None:
    faults = [
        f"{source.path}:{node.lineno}"
        for source in production()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Global)
    ]
    assert not faults, told(faults, "Wire state in main; no `global`:")


def test_no_exception_is_swallowed() -> None:
    faults = [
        f"{source.path}:{node.lineno}"
        for source in production()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and _catches_all(node) and _is_silent(node)
    ]
    assert not faults, told(faults, "A broad except must log, answer or raise:")


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []


def _is_for_a_child(source: Source, node: ast.Attribute) -> bool:
    line = source.text.splitlines()[node.lineno - 1]
    return "**os.environ" in line or "os.environ.clear()" in line


def _catches_all(node: ast.ExceptHandler) -> bool:
    names = ("Exception", "BaseException")
    return node.type is None or (isinstance(node.type, ast.Name) and node.type.id in names)


def _is_silent(node: ast.ExceptHandler) -> bool:
    return all(isinstance(part, ast.Pass | ast.Continue) for part in node.body)
