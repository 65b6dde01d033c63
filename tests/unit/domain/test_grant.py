"""Grants: a source grants once, for ever; each grant is a lot with its place in the burn order."""

from typing import Any

import pytest
from contracts.commands import CostBasis, GrantKind
from contracts.events import Slice
from contracts.reasons import Reason, Remedy
from contracts.units import AMOUNT_MAX, DAY, FOREVER, HOUR

from tests.unit.domain.kit import given
from tests.unit.domain.words import T0, grant, granted, refused, reserve, reserved


def test_a_grant_is_a_lot_with_what_the_command_said() -> None:
    paid = CostBasis(1000, "GBP")
    given().when(grant(500, cost_basis=paid, expires_at=T0 + DAY)).then(
        granted(500, priority=50, effective_from=T0, expires_at=T0 + DAY, cost_basis=paid)
    ).stands(available=500, granted=500)


def test_without_an_expiry_a_grant_lasts_for_ever() -> None:
    given().when(grant(5)).then(granted(5, expires_at=FOREVER))


def test_the_same_source_grants_once() -> None:
    given(granted(100)).when(grant(100, "another", source="s-g1")).then(
        refused(Reason.SOURCE_ALREADY_GRANTED, Remedy.NONE)
    ).stands(available=100)


def test_the_same_source_grants_once_even_a_year_later() -> None:
    given(granted(100)).when(grant(100, "another", source="s-g1"), at=T0 + 365 * DAY).then(
        refused(Reason.SOURCE_ALREADY_GRANTED)
    )


def test_a_grant_id_names_one_lot_for_ever() -> None:
    story = given().when(grant(100, "g1")).then(granted(100, "g1"))
    story.when(grant(5, "other"), at=T0 + 26 * HOUR)  # the answer to g1 is forgotten with this
    story.when(grant(100, "g1", source="other-source"), at=T0 + 53 * HOUR).then(
        refused(Reason.GRANT_EXISTS)
    )


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MAX + 1, 2**63, 2**64, -(2**63), 10**40])
def test_an_amount_out_of_range_is_refused(amount: int) -> None:
    given().when(grant(amount)).then(refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",)))


@pytest.mark.parametrize("priority", [-1, 1001, 2**63])
def test_a_priority_out_of_range_is_refused(priority: int) -> None:
    given().when(grant(1, priority=priority)).then(
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("priority",))
    )


def test_a_grant_that_is_over_already_is_refused() -> None:
    given().when(grant(1, expires_at=T0)).then(
        refused(Reason.EXPIRY_IN_THE_PAST, fields=("expiresAt",))
    )


def test_a_grant_that_ends_before_it_begins_is_refused() -> None:
    given().when(grant(1, effective_from=T0 + DAY, expires_at=T0 + HOUR)).then(
        refused(Reason.EXPIRY_IN_THE_PAST)
    )


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"expires_at": FOREVER + 1}, "expiresAt"),
        ({"expires_at": 10**30}, "expiresAt"),
        ({"effective_from": -1}, "effectiveFrom"),
        ({"effective_from": -(10**30)}, "effectiveFrom"),
        ({"cost_basis": CostBasis(10**30, "GBP")}, "costBasis"),
        ({"cost_basis": CostBasis(-1, "GBP")}, "costBasis"),
        ({"cost_basis": CostBasis(1, "pounds sterling")}, "costBasis"),
    ],
)
def test_what_no_reader_could_store_is_refused(more: dict[str, Any], field: str) -> None:
    """Beyond 64 bits neither the encoded account nor the read models hold a number."""
    given().when(grant(1, **more)).then(refused(Reason.AMOUNT_OUT_OF_RANGE, fields=(field,)))


def test_burn_down_is_promo_goodwill_gift_plan_paid() -> None:
    kinds = (GrantKind.PAID, GrantKind.PLAN, GrantKind.GIFT, GrantKind.GOODWILL, GrantKind.PROMO)
    story = given().when(*(grant(1, kind.value, kind=kind) for kind in kinds))
    story.when(reserve("r1", 5)).then(
        reserved("r1", 5, slices=tuple(Slice(kind.value, 1) for kind in reversed(kinds)))
    )


def test_burn_down_within_a_kind_is_the_soonest_expiry_then_the_oldest() -> None:
    given(
        granted(1, "young"),
        granted(1, "old", effective_from=T0 - DAY),
        granted(1, "soon", expires_at=T0 + DAY),
    ).when(reserve("r1", 3)).then(
        reserved("r1", 3, slices=(Slice("soon", 1), Slice("old", 1), Slice("young", 1)))
    )


def test_a_priority_puts_paid_before_promotional() -> None:
    given().when(
        grant(5, "promo", kind=GrantKind.PROMO), grant(5, "paid", priority=1), reserve("r1", 5)
    ).then(granted(5, "promo"), granted(5, "paid"), reserved("r1", 5, slices=(Slice("paid", 5),)))


def test_an_empty_lot_is_passed_over() -> None:
    story = given(granted(5, "a", priority=1), granted(5, "b"), reserved("r0", 5))
    story.when(reserve("r1", 2)).then(reserved("r1", 2, slices=(Slice("b", 2),)))
