"""Files and functions stay small enough to be read in one sitting."""

import ast

from tests.tidy.sources import functions, production, python, told

MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60


def test_modules_are_short() -> None:
    faults = [f"{x.path}: {x.lines} lines" for x in python() if x.lines > MODULE_LINES_MAX]
    rule = f"A module has at most {MODULE_LINES_MAX} lines; split it by rule, not by layer:"
    assert not faults, told(faults, rule)


def test_functions_are_short() -> None:
    faults = [
        f"{source.path}:{node.lineno} {node.name}: {length} lines"
        for source in python()
        for node in functions(source)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    rule = f"A function has at most {FUNCTION_LINES_MAX} lines; name its steps:"
    assert not faults, told(faults, rule)


def test_modules_open_with_their_promise() -> None:
    faults = [
        str(source.path)
        for source in python()
        if source.tree.body and not ast.get_docstring(source.tree)
    ]
    assert not faults, told(faults, "A module opens with a docstring that says what it promises:")


def test_nothing_is_left_to_do_later() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    faults = [
        f"{source.path}:{number} {line.strip()}"
        for source in python()
        for number, line in enumerate(source.text.splitlines(), start=1)
        if any(f"# {mark}" in line for mark in marks)
    ]
    assert not faults, told(faults, "Do it now or open an issue; a comment reminds nobody:")


def test_modules_do_nothing_when_imported() -> None:
    """Statements at the top of a shipped module only define; calls belong into functions."""
    faults = [
        f"{source.path}:{node.lineno}"
        for source in production()
        if source.path.parts[-2:] != ("migrations", "env.py")  # a script that Alembic runs
        for node in source.tree.body
        if isinstance(node, ast.For | ast.While | ast.With | ast.Try)
        or (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and source.path.stem != "cli"  # `app.add_typer` is how a command line is declared
        )
    ]
    assert not faults, told(faults, "Importing a module does nothing; move this into a function:")
