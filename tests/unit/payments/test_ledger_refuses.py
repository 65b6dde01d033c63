"""What the ledger refuses of payments waits for a person, is shown, and is asked for again."""

import pytest
from payments import seeing

from tests.unit.payments.shop import Shop
from tests.unit.payments.test_purchase import paid, state


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_what_the_ledger_refuses_is_shown_and_asked_again_by_a_new_name(shop: Shop) -> None:
    name, intent = paid(shop)
    shop.ledger.refuses = True
    shop.stripe.refund(intent, 1000)
    shop.hear(shop.stripe.events)
    assert shop.ledger.balance == 500
    assert shop.books.listed[name].quarantine == "ledger_refused Revoke"
    shop.ledger.refuses = False
    assert shop.books.change(name, lambda p: seeing.release(p, shop.now))
    shop.relay()
    assert (shop.ledger.balance, shop.books.listed[name].quarantine) == (0, "")
    assert not shop.books.change(name, lambda p: seeing.release(p, shop.now))


def test_credits_that_may_not_come_back_wait_for_a_person_and_are_asked_for_again(
    shop: Shop,
) -> None:
    name, intent = paid(shop)
    refund = shop.stripe.refund(intent, 400)
    shop.hear(shop.stripe.events)
    shop.ledger.full = True
    shop.stripe.refund_turns(refund.id, "failed")
    shop.hear(shop.stripe.events)
    assert (shop.ledger.balance, state(shop, name)) == (300, "credited")
    assert shop.books.listed[name].quarantine == "ledger_refused Grant"
    shop.ledger.full = False
    for released in (True, False):
        assert shop.books.change(name, lambda p: seeing.release(p, shop.now)) is released
        shop.relay()
        assert (shop.ledger.balance, shop.books.listed[name].quarantine) == (500, "")


def test_a_grant_that_the_ledger_refuses_waits_for_a_person(shop: Shop) -> None:
    bought = shop.buy()
    shop.stripe.pay(bought.session)
    shop.handling.fulfil(bought.session)
    (grant,) = shop.purchase(bought).lots
    shop.books.change(bought.purchase, lambda p: seeing.grant_refused(p, grant, "frozen"))
    assert (state(shop, bought.purchase), shop.purchase(bought).lots) == ("quarantined", {})
    shop.books.change(bought.purchase, lambda p: seeing.release(p, shop.now))
    (again,) = shop.purchase(bought).lots
    assert again != grant
