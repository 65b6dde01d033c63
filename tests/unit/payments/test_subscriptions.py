"""Subscriptions: begun, renewed, changed, past due, ended; what is paid sets its plan once."""

import pytest
from payments.handling import Hint

from tests.unit.payments.shop import CATALOGUE, Shop

SUPPORTER, PRO = CATALOGUE.plans["supporter"], CATALOGUE.plans["pro"]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def subscribed(shop: Shop) -> str:
    """Ada pays for supporter; gives Stripe's subscription."""
    shop.subscribing.begin("ada", SUPPORTER, "k")
    name = shop.stripe.subscribe(shop.stripe.sessions[-1].id)
    shop.hear(shop.stripe.events)
    return name


def state(shop: Shop) -> str:
    return shop.books.subscription("ada").state


def test_the_first_period_that_is_paid_sets_the_plan_once(shop: Shop) -> None:
    subscribed(shop)
    shop.hear(shop.stripe.events * 3)
    assert (state(shop), shop.ledger.plans) == ("active", ["supporter"])


def test_nothing_is_granted_beside_the_plan(shop: Shop) -> None:
    subscribed(shop)
    assert shop.ledger.lots == {}


def test_each_renewal_sets_the_plan_again_once(shop: Shop) -> None:
    name = subscribed(shop)
    for _ in range(3):
        shop.stripe.renew(name)
        shop.hear(shop.stripe.events * 2)
    assert shop.ledger.plans == ["supporter"] * 4


def test_a_change_of_plan_is_prorated_by_stripe_and_set_at_once(shop: Shop) -> None:
    subscribed(shop)
    assert shop.subscribing.change("ada", PRO, "up")
    assert shop.subscribing.change("ada", PRO, "up")
    shop.hear(shop.stripe.events)
    assert shop.ledger.plans == ["supporter", "pro"]
    assert shop.subscribing.change("ada", SUPPORTER, "down")
    shop.hear(shop.stripe.events)
    assert shop.ledger.plans == ["supporter", "pro", "supporter"]


def test_a_renewal_that_is_not_paid_is_past_due_and_sets_nothing(shop: Shop) -> None:
    name = subscribed(shop)
    shop.stripe.renew(name, works=False)
    shop.hear(shop.stripe.events)
    assert (state(shop), shop.ledger.plans) == ("past_due", ["supporter"])
    shop.stripe.objects[name].status = "active"
    shop.hear([Hint("customer.subscription.updated", name)])
    assert (state(shop), shop.ledger.plans) == ("active", ["supporter", "supporter"])


def test_cancelled_at_the_end_of_the_period_and_then_free(shop: Shop) -> None:
    name = subscribed(shop)
    assert shop.subscribing.end("ada", "k", ends=True)
    assert shop.books.subscription("ada").ends
    assert shop.ledger.plans == ["supporter"]
    shop.stripe.subscription_turns(name, "canceled")
    shop.hear(shop.stripe.events * 2)
    assert (state(shop), shop.ledger.plans) == ("ended", ["supporter", "free"])


def test_without_a_subscription_there_is_nothing_to_change_or_end(shop: Shop) -> None:
    assert not shop.subscribing.change("ada", PRO, "k")
    assert not shop.subscribing.end("ada", "k", ends=True)


def test_a_price_that_is_no_plan_of_ours_gives_nothing(shop: Shop) -> None:
    shop.subscribing.begin("ada", SUPPORTER, "k")
    session = shop.stripe.sessions[-1]
    session.line_items.data[0].price.unit_amount = 1
    shop.stripe.subscribe(session.id)
    shop.hear(shop.stripe.events)
    assert (state(shop), shop.ledger.plans) == ("quarantined", [])


def test_a_stale_look_at_an_older_period_changes_nothing(shop: Shop) -> None:
    name = subscribed(shop)
    shop.stripe.renew(name)
    shop.hear(shop.stripe.events)
    item = shop.stripe.objects[name].items.data[0]
    item.current_period_start -= 30 * 86_400
    shop.hear([Hint("customer.subscription.updated", name)])
    assert shop.ledger.plans == ["supporter"] * 2


def test_a_second_subscription_follows_the_first_that_ended(shop: Shop) -> None:
    name = subscribed(shop)
    shop.stripe.subscription_turns(name, "canceled")
    shop.hear(shop.stripe.events)
    shop.stripe.now_s += 100
    shop.subscribing.begin("ada", PRO, "again")
    shop.stripe.subscribe(shop.stripe.sessions[-1].id)
    shop.hear(shop.stripe.events)
    assert (state(shop), shop.ledger.plans) == ("active", ["supporter", "free", "pro"])
