"""Saved cards: one click, automatic top-ups one at a time, declines that wait and then stop."""

from typing import cast

import pytest
from contracts.events import TopUpDue
from payments.charging import Charging
from payments.handling import Hint
from payments.inbox import Pool
from payments.payer import FIRST_WAIT_MS, TRIES_MAX, Payer
from payments.till import Till, TillDown
from payments.topups import TopUps

from tests.unit.payments.shop import CATALOGUE, Shop

HOUR_S = FIRST_WAIT_MS / 1000


@pytest.fixture
def shop() -> Shop:
    return Shop()


def with_card(shop: Shop) -> None:
    """Ada bought once and let us keep her card."""
    pack = CATALOGUE.packs["starter"]
    bought = shop.buying.start("ada", pack, "first", save_card=True).purchase
    shop.stripe.pay(bought.session)
    shop.hear([Hint("checkout.session.completed", bought.session)])


def charging(shop: Shop) -> Charging:
    return Charging(shop.books, cast("Till", shop.stripe), live=False)


def due(shop: Shop, version: int) -> bool:
    """The ledger says that a top-up is due; true when one began."""
    topups = TopUps(
        "",
        "",
        pool=cast("Pool", None),
        books=shop.books,
        catalogue=CATALOGUE,
        begun=lambda: None,
    )
    return topups.begin(TopUpDue(account="ada", version=version, pack="starter", below=100))


def payer(shop: Shop) -> Payer:
    return shop.books.payer("ada")


def errand(shop: Shop) -> str:
    (name,) = shop.books.errands
    return name


def test_a_card_is_kept_only_when_its_owner_said_so(shop: Shop) -> None:
    bought = shop.buy()
    shop.stripe.pay(bought.session)
    shop.hear(shop.stripe.events)
    assert payer(shop).card == ""
    with_card(shop)
    assert payer(shop).card.startswith("pm_")


def test_one_click_without_a_card_is_not_begun(shop: Shop) -> None:
    assert shop.buying.top_up("ada", CATALOGUE.packs["starter"], "k") is None


def test_one_click_charges_once_and_credits_once(shop: Shop) -> None:
    with_card(shop)
    pack = CATALOGUE.packs["standard"]
    first = shop.buying.top_up("ada", pack, "k")
    again = shop.buying.top_up("ada", pack, "k")
    assert first is not None
    assert again is not None
    assert first.purchase == again.purchase
    for _ in range(3):
        assert charging(shop).run(first.purchase) == 0
    shop.hear(shop.stripe.events)
    assert shop.ledger.balance == 500 + 1400
    assert shop.books.errands == {}


def test_a_declined_one_click_fails_at_once(shop: Shop) -> None:
    with_card(shop)
    order = shop.buying.top_up("ada", CATALOGUE.packs["starter"], "k")
    assert order is not None
    shop.stripe.shelf.faults.declines = ["insufficient_funds"]
    assert charging(shop).run(order.purchase) == 0
    assert shop.purchase(order).state == "failed"


def test_a_top_up_that_is_due_is_begun_once_however_often_it_is_read(shop: Shop) -> None:
    with_card(shop)
    assert due(shop, 7)
    assert due(shop, 7)
    charging(shop).run(errand(shop))
    shop.relay()
    assert shop.ledger.balance == 1000


def test_one_in_flight_per_account(shop: Shop) -> None:
    with_card(shop)
    assert due(shop, 7)
    assert not due(shop, 8)
    charging(shop).run(errand(shop))
    assert due(shop, 9)


def test_without_a_card_nothing_is_begun(shop: Shop) -> None:
    assert not due(shop, 7)


def test_declined_four_times_waits_doubled_and_then_pauses(shop: Shop) -> None:
    with_card(shop)
    due(shop, 7)
    name = errand(shop)
    shop.stripe.shelf.faults.declines = ["insufficient_funds"] * TRIES_MAX
    waits = [charging(shop).run(name) for _ in range(TRIES_MAX)]
    assert waits == [HOUR_S, 2 * HOUR_S, 4 * HOUR_S, 0]
    assert (payer(shop).paused, shop.books.purchase(name).state) == (True, "failed")
    assert not due(shop, 8)
    shop.relay()
    failed = [x for x in shop.ledger.recorded if x[1] == "failed"]
    assert len(failed) == 2, "a notice on the first decline and one at the end"
    assert shop.ledger.top_ups == [("declined", False)] * 3 + [("failed", False)]


def test_a_code_that_forbids_more_pauses_at_once(shop: Shop) -> None:
    with_card(shop)
    due(shop, 7)
    shop.stripe.shelf.faults.declines = ["stolen_card"]
    assert charging(shop).run(errand(shop)) == 0
    assert payer(shop).paused
    shop.relay()
    assert shop.ledger.top_ups == [("failed", True)]


def test_a_new_card_ends_the_pause_and_hurries_what_waits(shop: Shop) -> None:
    with_card(shop)
    due(shop, 7)
    shop.stripe.shelf.faults.declines = ["stolen_card"]
    charging(shop).run(errand(shop))
    shop.buying.start("ada", CATALOGUE.packs["starter"], "second", save_card=True)
    session = shop.books.listed[
        max(shop.books.listed, key=lambda x: shop.books.listed[x].initiated_at)
    ]
    shop.stripe.pay(session.session)
    shop.hear([Hint("checkout.session.completed", session.session)])
    assert not payer(shop).paused
    assert shop.index.hurried == ["ada", "ada"]
    assert due(shop, 8)


def test_a_card_chosen_in_the_portal_takes_the_old_ones_place_and_ends_a_pause(shop: Shop) -> None:
    with_card(shop)
    old = payer(shop).card
    due(shop, 7)
    shop.stripe.shelf.faults.declines = ["stolen_card"]
    charging(shop).run(errand(shop))
    shop.stripe.prefer(payer(shop).customer, "5555555555554444")
    shop.hear(shop.stripe.events)
    assert not payer(shop).paused
    assert payer(shop).card not in {"", old}
    assert due(shop, 8)


def test_a_card_left_by_somebody_who_allowed_no_top_ups_is_not_charged(shop: Shop) -> None:
    shop.stripe.pay(shop.buy().session)
    shop.stripe.prefer(payer(shop).customer, "5555555555554444")
    shop.hear(shop.stripe.events)
    assert payer(shop).card == ""
    assert not due(shop, 7)


def test_a_card_that_its_owner_took_away_is_not_charged(shop: Shop) -> None:
    with_card(shop)
    shop.stripe.remove(payer(shop).card)
    shop.hear(shop.stripe.events)
    assert payer(shop).card == ""
    assert not due(shop, 7)
    assert shop.buying.top_up("ada", CATALOGUE.packs["starter"], "k") is None


def test_a_try_that_was_cut_off_is_the_same_payment(shop: Shop) -> None:
    """The answer was lost: asked again by the same key, Stripe charges once."""
    with_card(shop)
    due(shop, 7)
    name = errand(shop)
    shop.stripe.shelf.faults.answers_lost = 1
    with pytest.raises(TillDown):
        charging(shop).run(name)
    assert charging(shop).run(name) == 0
    shop.relay()
    assert sum(x.startswith("pi_") for x in shop.stripe.objects) == 2
    assert shop.ledger.balance == 1000
