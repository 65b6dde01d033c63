"""What must stand still or go back is compared with the ledger, lot by lot; a stop is repaired."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from contracts.units import DAY
from payments import seeing
from payments.comparing import State
from payments.picture import LedgerPicture, Taken
from payments.reconciling import Report

from tests.unit.payments.shop import Lot, Shop
from tests.unit.payments.test_reconciling import lots_of, picture_of, reconciler

LATER_MS = DAY // 2


def sold(shop: Shop, account: str) -> str:
    """A credited purchase; gives its intent."""
    bought = shop.buy(account=account)
    intent = shop.stripe.pay(bought.session)
    shop.hear(shop.stripe.events)
    return intent


def reconciled(shop: Shop, *, repair: bool = False) -> Report:
    now = max(row.changed_at for row in shop.books.listed.values()) + LATER_MS
    return reconciler(shop, lots_of(shop)).run(now, repair=repair)


def lot_of(shop: Shop, intent: str) -> tuple[str, Lot]:
    (grant,) = shop.books.purchase(shop.books.streams[intent]).lots
    return grant, shop.ledger.lots[grant]


def test_what_follows_from_refunds_disputes_and_warnings_is_matched() -> None:
    shop = Shop()
    intents = [sold(shop, f"a{n}") for n in range(5)]
    shop.stripe.refund(intents[0], 400)
    shop.stripe.dispute(intents[1], 1000)
    lost = shop.stripe.dispute(intents[2], 1000)
    shop.stripe.dispute_turns(lost.id, "lost")
    shop.stripe.warn(intents[3])
    shop.hear(shop.stripe.events)
    report = reconciled(shop)
    assert report.differences == []
    assert report.counts["freeze:matched"] == 2
    assert report.counts["revoke:matched"] == 2


@dataclass(frozen=True)
class Planted:
    """How to falsify the ledger's lot of a disputed, a lost and an untouched payment, in turn."""

    of: int
    change: Callable[[Lot], None]
    what: str
    state: State
    repaired: bool


def _set(name: str, value: object) -> Callable[[Lot], None]:
    return lambda lot: setattr(lot, name, value)


PLANTED = {
    "disputed and not frozen": Planted(
        0, _set("frozen", False), "freeze", State.MISSING_THERE, True
    ),
    "frozen without a cause": Planted(2, _set("frozen", True), "freeze", State.MISSING_HERE, True),
    "lost and not revoked": Planted(1, _set("taken", 0), "revoke", State.MISSING_THERE, False),
    "lost and half revoked": Planted(1, _set("taken", 250), "revoke", State.AMOUNT_DIFFERS, False),
    "revoked without a cause": Planted(2, _set("taken", 7), "revoke", State.MISSING_HERE, False),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_ledger_that_does_not_follow_the_money_is_found(name: str) -> None:
    planted, shop = PLANTED[name], Shop()
    intents = [sold(shop, f"a{n}") for n in range(3)]
    shop.stripe.dispute(intents[0], 1000)
    lost = shop.stripe.dispute(intents[1], 1000)
    shop.stripe.dispute_turns(lost.id, "lost")
    shop.hear(shop.stripe.events)
    grant, lot = lot_of(shop, intents[planted.of])
    before = lot.frozen
    planted.change(lot)
    (found,) = reconciled(shop).differences
    assert (found.what, found.name, found.state) == (planted.what, grant, planted.state)

    report = reconciled(shop, repair=True)
    shop.relay()
    assert (report.repaired, report.clean) == (int(planted.repaired), planted.repaired)
    if planted.repaired:
        assert lot.frozen is before
        assert reconciled(shop).differences == []
    else:  # nobody takes credits twice because a picture was old: a person looks
        assert reconciled(shop).differences == [found]


def test_what_just_changed_is_timing() -> None:
    shop = Shop()
    intent = sold(shop, "ada")
    shop.stripe.dispute(intent, 1000)
    shop.hear(shop.stripe.events)
    _, lot = lot_of(shop, intent)
    lot.frozen = False
    now = max(row.changed_at for row in shop.books.listed.values()) + 60_000
    report = reconciler(shop, lots_of(shop)).run(now, repair=True)
    assert (report.counts["freeze:timing"], report.differences) == (1, [])


def test_what_had_expired_of_a_lot_need_not_go_back() -> None:
    shop = Shop()
    intent = sold(shop, "ada")
    shop.stripe.refund(intent, 1000)
    shop.hear(shop.stripe.events)
    grant, _ = lot_of(shop, intent)
    shown = picture_of(shop, lots_of(shop))
    for taken, expired, state in ((100, 400, "matched"), (100, 399, "amount_differs")):
        ledger = LedgerPicture(shown.lots, shown.frozen, [Taken("ada", grant, taken, expired)])
        looks = reconciler(shop, lots_of(shop))
        looks._ledger = lambda _start, ledger=ledger: ledger  # type: ignore[misc]
        now = max(row.changed_at for row in shop.books.listed.values()) + LATER_MS
        assert looks.run(now, repair=False).counts[f"revoke:{state}"] == 1


def test_what_a_person_let_stand_is_no_difference_any_more() -> None:
    shop = Shop()
    intent = sold(shop, "ada")
    name = shop.books.streams[intent]
    shop.ledger.refuses = True
    shop.stripe.dispute(intent, 1000)
    shop.hear(shop.stripe.events)
    assert shop.books.listed[name].quarantine == "ledger_refused Freeze"
    assert reconciled(shop).counts["freeze:missing_there"] == 1
    assert reconciled(shop, repair=True).repaired == 1  # asked again, refused again, listed once
    shop.relay()
    assert list(shop.purchase(shop.books.purchase(name)).unheeded.values())[1:] == []
    assert shop.books.change(name, lambda p: seeing.reject(p, "olga"))
    assert shop.books.listed[name].quarantine == ""
    assert reconciled(shop, repair=True).differences == []
    assert not shop.books.change(name, lambda p: seeing.reject(p, "olga"))
