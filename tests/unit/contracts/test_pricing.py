"""The price rule reproduces every worked example of the catalogue, and rounds up exactly once."""

import math
import tomllib
from fractions import Fraction
from typing import Any

import pytest
from contracts.catalogue import bundled, bundled_text
from contracts.commands import Limits, Usage
from contracts.pricing import parts, price, quote
from contracts.units import AMOUNT_MAX
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

CATALOGUE = bundled()
WRITTEN = tomllib.loads(bundled_text())
TOOLS = WRITTEN["tools"]
CHARGES = WRITTEN["charge_examples"]
counts = st.integers(0, 10_000_000)


@pytest.mark.parametrize("entry", TOOLS, ids=lambda entry: entry["id"])
def test_a_tool_costs_what_its_example_says_at_its_own_limits(entry: dict[str, Any]) -> None:
    tool = CATALOGUE.tools[entry["id"]]
    priced = quote(tool, tool.limits, CATALOGUE)
    assert {"min": priced.min, "typical": priced.typical, "max": priced.max} == entry["example"]


@pytest.mark.parametrize("entry", CHARGES, ids=lambda entry: entry["tool"])
def test_a_run_is_charged_what_its_example_says(entry: dict[str, Any]) -> None:
    tool = CATALOGUE.tools[entry["tool"]]
    held = quote(tool, tool.limits, CATALOGUE)
    used = Usage(entry["cpu_ms"], entry["memory_mb"], entry["duration_ms"])
    assert price(used, held.min, held.max, CATALOGUE) == entry["credits"]


def test_every_tool_has_an_example_and_there_are_24() -> None:
    assert len(TOOLS) == len(CATALOGUE.tools) == 24
    assert all("example" in entry for entry in TOOLS)
    assert len(CHARGES) >= 6


def test_an_overrun_cannot_be_expressed() -> None:
    endless = Usage(AMOUNT_MAX, AMOUNT_MAX, AMOUNT_MAX)
    assert price(endless, 3, 16, CATALOGUE) == 16
    assert price(Usage(0, 0, 0), 3, 16, CATALOGUE) == 3


def test_the_parts_of_a_price_have_names_and_their_thousandths() -> None:
    rule = CATALOGUE.pricing
    used = Usage(3 * rule.cpu_ms_per_credit, 1024, 2 * 1000 * rule.gb_seconds_per_credit)
    told = [(part.item, part.millicredits) for part in parts(used, CATALOGUE)]
    assert told == [("base", rule.base_credits * 1000), ("cpu", 3_000), ("memory", 2_000)]


def test_a_whole_credit_more_than_the_parts_is_a_bound_and_no_rounding() -> None:
    rule = CATALOGUE.pricing
    dearer = replace(CATALOGUE, pricing=replace(rule, min_credits=rule.base_credits + 2))
    tool = CATALOGUE.tools["dev-studio-security"]
    priced = quote(tool, Limits(rule.cpu_ms_per_credit, 0, 0), dearer)
    assert [(part.item, part.millicredits) for part in priced.items][-1] == ("cap", 1_000)


def test_no_usage_at_all_costs_the_base() -> None:
    assert price(Usage(0, 0, 0), 0, 100, CATALOGUE) == CATALOGUE.pricing.base_credits


def test_a_hair_more_than_a_whole_credit_is_the_next_one() -> None:
    whole = Usage(2 * CATALOGUE.pricing.cpu_ms_per_credit, 0, 0)
    assert price(whole, 0, 100, CATALOGUE) == 4
    assert price(replace(whole, cpu_ms=whole.cpu_ms + 1), 0, 100, CATALOGUE) == 5


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(counts, st.integers(0, 100_000), counts)
def test_a_price_is_the_exact_sum_rounded_up_once(cpu: int, memory: int, wall: int) -> None:
    """Two parts that are rounded apart would cost one credit more."""
    rule = CATALOGUE.pricing
    exact = (
        rule.base_credits
        + Fraction(cpu, rule.cpu_ms_per_credit)
        + Fraction(memory, 1024) * Fraction(wall, 1000) / rule.gb_seconds_per_credit
    )
    assert price(Usage(cpu, memory, wall), 0, 10**18, CATALOGUE) == math.ceil(exact)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.sampled_from(sorted(CATALOGUE.tools)), st.integers(1, 100), st.integers(1, 100))
def test_a_quote_is_ordered_and_its_items_sum_to_its_maximum(name: str, a: int, b: int) -> None:
    tool = CATALOGUE.tools[name]
    most = tool.limits
    limits = Limits(
        max(1, most.cpu_ms * a // 100),
        max(1, most.memory_mb * b // 100),
        max(1, most.duration_ms * a // 100),
    )
    priced = quote(tool, limits, CATALOGUE)
    assert 0 <= priced.min <= priced.typical <= priced.max <= tool.max_credits
    assert sum(item.millicredits for item in priced.items) == priced.max * 1000
