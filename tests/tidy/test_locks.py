"""PostgreSQL locks are numbers that all services share: one number for two purposes stops both."""

import ast
from collections import defaultdict

from tests.tidy.sources import production, told


def test_no_two_locks_have_the_same_number() -> None:
    where: dict[int, list[str]] = defaultdict(list)
    for source in production():
        for node in source.tree.body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, int)
                and any(isinstance(name, ast.Name) and name.id == "_LOCK" for name in node.targets)
            ):
                where[node.value.value].append(str(source.path))
    faults = [f"{number:#x}: {', '.join(paths)}" for number, paths in where.items() if paths[1:]]
    assert len(where) > 1, "no locks were found"
    assert not faults, told(faults, "Give each advisory lock a number of its own:")
