"""For pytest: the tests that try many random histories come last; most mutants die before.

A history that fails is not made smaller: that a mutant dies is all that is asked.
"""

import pytest
from hypothesis import Phase, settings

DEAR = ("test_invariants", "test_wild.py", "test_windows.py::test_every", "test_more_expiries")

settings.register_profile("mutation", phases=[Phase.generate])
settings.load_profile("mutation")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (any(dear in item.nodeid for dear in DEAR), item.nodeid))
