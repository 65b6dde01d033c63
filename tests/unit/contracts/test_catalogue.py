"""A catalogue that does not add up does not load, and says where."""

import pytest
from contracts.catalogue import NOOP, CatalogueError, Mode, bundled, bundled_text, load, served


def test_the_bundled_catalogue_loads_and_is_whole() -> None:
    found = bundled()
    assert found.version
    assert {plan.id for plan in found.plans.values()} == {"free", "supporter", "pro"}
    assert {pack.id for pack in found.packs.values()} == {"starter", "standard", "professional"}
    for tool in found.tools.values():
        assert min(tool.limits.cpu_ms, tool.limits.memory_mb, tool.limits.duration_ms) > 0
        assert (tool.max_credits == 0) == (tool.mode is Mode.CLIENT_ONLY)
        assert tool.path == f"/api/{tool.studio}-studio/{tool.id.split('-studio-')[1]}/run"


def test_the_share_of_a_typical_run_is_exact() -> None:
    """0.7 as a float would round some typical prices up by one."""
    share = bundled().pricing.typical_share
    assert (share.numerator, share.denominator) == (7, 10)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('id = "dev-studio-cicd"', 'id = "dev-studio-cost"'),
        ("max_credits = 100", 'max_credits = "100"'),
        ("cpu_ms_per_credit = 2000", "cpu_ms_per_credit = 0.5"),
        ("cpu_ms_per_credit = 2000", "cpu_ms_per_credit = 0"),
        ("min_credits = 3", "min_credits = -3"),
        ("typical_share = 0.7", "typical_share = 7"),
        ("memory_mb = 512", "memory_mb = 0"),
        ("[pricing]", "[prices]"),
        ("scale = 0", "scale = "),
        ('version = "', 'edition = "'),
        ('mode = "hybrid"', 'mode = "somewhere"'),
        ('status = "enabled"', "status = 1"),
    ],
)
def test_a_wrong_catalogue_does_not_load(right: str, wrong: str) -> None:
    text = bundled_text()
    assert right in text
    with pytest.raises(CatalogueError, match="catalogue"):
        load(text.replace(right, wrong, 1))


def test_the_tool_that_does_nothing_is_sold_on_test_machines_only() -> None:
    assert NOOP.id in served("local").tools
    assert NOOP.id not in served("production").tools
    assert served("production") == bundled()
