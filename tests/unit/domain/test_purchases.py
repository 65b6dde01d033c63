"""The money side's facts stand in the log and move no credits."""

import pytest
from contracts.reasons import Reason

from contracts import commands as c
from contracts import events as e
from tests.unit.domain.kit import given
from tests.unit.domain.words import ACCOUNT, PAYMENTS, Said, granted, refused

COST = c.CostBasis(1000, "GBP")
FACTS = {
    c.PurchaseState.INITIATED: e.PurchaseInitiated,
    c.PurchaseState.COMPLETED: e.PurchaseCompleted,
    c.PurchaseState.FAILED: e.PurchaseFailed,
    c.PurchaseState.REFUNDED: e.PurchaseRefunded,
    c.PurchaseState.DISPUTED: e.PurchaseDisputed,
}


def record(state: c.PurchaseState, name: str = "r1", cost: c.CostBasis = COST) -> c.RecordPurchase:
    return c.RecordPurchase(
        id=name,
        account=ACCOUNT,
        actor=PAYMENTS,
        purchase="p1",
        state=state,
        pack="starter",
        cost=cost,
    )


@pytest.mark.parametrize("state", FACTS)
def test_a_fact_is_recorded_and_moves_no_credits(state: c.PurchaseState) -> None:
    given(granted(100)).when(record(state)).then(
        Said(FACTS[state], purchase="p1", pack="starter", cost=COST)
    ).stands(available=100, held=0)


@pytest.mark.parametrize("cost", [c.CostBasis(-1, "GBP"), c.CostBasis(1000, "pounds")])
def test_money_that_no_currency_has_is_refused(cost: c.CostBasis) -> None:
    given().when(record(c.PurchaseState.COMPLETED, cost=cost)).then(
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("cost",))
    )


def test_a_purchase_recorded_out_of_order_is_recorded_as_it_came() -> None:
    given(granted(100)).when(record(c.PurchaseState.REFUNDED)).then(
        Said(e.PurchaseRefunded, purchase="p1", pack="starter", cost=COST)
    ).when(record(c.PurchaseState.COMPLETED, "r2")).then(
        Said(e.PurchaseCompleted, purchase="p1", pack="starter", cost=COST)
    )
