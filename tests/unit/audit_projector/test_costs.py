"""Figures of what runs cost: the same from any order, bounded, and deaf to the odd run."""

import random
from statistics import median_low

import pytest
from audit_projector.costs import EXACT_BELOW, basis_of, counted_as
from contracts.units import AMOUNT_MAX


def counts(charges: list[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for charged in charges:
        at = counted_as(charged)
        found[at] = found.get(at, 0) + 1
    return found


@pytest.mark.parametrize("runs", [1, 2, 9, 10, 11, 30, 199, 1000])
def test_typical_is_the_median_and_one_in_ten_lies_beyond_each_end(runs: int) -> None:
    chance = random.Random(runs)
    charges = [chance.randint(0, EXACT_BELOW - 1) for _ in range(runs)]
    basis = basis_of("tool", "v1", counts(charges))
    assert (basis.runs, basis.typical) == (runs, median_low(charges))
    assert sum(charged < basis.low for charged in charges) <= runs / 10
    assert sum(charged > basis.high for charged in charges) <= runs / 10
    assert sum(basis.low <= charged <= basis.high for charged in charges) >= runs * 8 / 10


def test_figures_are_the_same_whatever_the_order_and_differ_with_the_runs() -> None:
    charges = [random.Random(1).randint(3, 16) for _ in range(100)]
    shuffled = random.Random(2).sample(charges, 100)
    basis = basis_of("tool", "v1", counts(charges))
    assert basis_of("tool", "v1", counts(shuffled)) == basis
    assert basis_of("tool", "v1", counts([*charges, 3])).version != basis.version
    assert basis_of("tool", "v2", counts(charges)).version != basis.version
    assert basis_of("other", "v1", counts(charges)).version != basis.version


def test_a_few_runs_that_cost_a_thousand_times_as_much_move_nothing() -> None:
    usual = [5] * 60 + [6] * 40
    basis = basis_of("tool", "v1", counts(usual + [6_000] * 9))
    assert (basis.low, basis.typical, basis.high) == (5, 5, 6)


def test_counts_are_bounded_and_near_whatever_a_run_costs() -> None:
    chance = random.Random(7)
    charges = [round(10 ** chance.uniform(0, 12)) for _ in range(50_000)]
    for charged in (*charges, 0, EXACT_BELOW - 1, EXACT_BELOW, AMOUNT_MAX):
        kept = counted_as(charged)
        assert kept <= charged <= kept + charged // 128
        assert counted_as(kept) == kept
        assert kept == charged or charged >= EXACT_BELOW
    assert len(counts(charges)) <= EXACT_BELOW + 128 * (AMOUNT_MAX.bit_length() - 8)
