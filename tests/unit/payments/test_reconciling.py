"""The reconciler finds what was planted, all of it and nothing else, and repairs what is safe."""

import random
from typing import cast

from contracts.commands import Grant
from contracts.units import DAY
from msgspec.structs import replace
from payments.comparing import State
from payments.index import Index
from payments.picture import LedgerLot, LedgerPicture, Taken
from payments.purchase import Purchase
from payments.reconciling import Reconciler, Report
from payments.till import Till
from payments.wishes import wishes
from stripe_double.objects import Movement, Refund

from tests.unit.payments.shop import CATALOGUE, Shop

LATER_MS = DAY // 2  # everything that happened is old enough to be a difference
PURCHASES = 200
PLANTED = 10  # of each of five kinds


def lots_of(shop: Shop) -> list[LedgerLot]:
    """The ledger's lots as the read model would have them."""
    return [
        LedgerLot(row.account, command.id, command.source, command.amount, row.paid_at)
        for row in shop.books.listed.values()
        for event in shop.books.events.get(Purchase.named(row.purchase))
        for command in wishes(event, shop.books.purchase(row.purchase))
        if isinstance(command, Grant) and command.id in shop.ledger.lots
    ]


def picture_of(shop: Shop, lots: list[LedgerLot]) -> LedgerPicture:
    """What the ledger's read models show of the model's lots."""
    owners = {lot.grant_id: lot.account for lot in lots_of(shop)}
    known = [(owners[grant], grant, lot) for grant, lot in shop.ledger.lots.items()]
    return LedgerPicture(
        lots,
        frozenset((account, grant) for account, grant, lot in known if lot.frozen),
        [Taken(account, grant, lot.taken, 0) for account, grant, lot in known if lot.taken],
    )


def reconciler(shop: Shop, lots: list[LedgerLot]) -> Reconciler:
    return Reconciler(
        books=shop.books,
        index=cast("Index", shop.index),
        till=cast("Till", shop.stripe),
        handling=shop.handling,
        ledger=lambda _start: picture_of(shop, lots),
    )


def now_of(shop: Shop) -> int:
    return max(row.initiated_at for row in shop.books.listed.values()) + LATER_MS


def many(shop: Shop, number: int) -> list[str]:
    """Purchases that are paid and credited; some refunded, some disputed. Their intents."""
    intents = []
    for n in range(number):
        bought = shop.buy(account=f"acc-{n}")
        intents.append(shop.stripe.pay(bought.session))
        if n % 7 == 0:
            shop.stripe.refund(intents[-1], 100)
        if n % 11 == 0:
            shop.stripe.dispute(intents[-1], 900)
    shop.hear(shop.stripe.events)
    shop.stripe.pay_out()
    return intents


def differences(report: Report) -> set[tuple[str, str, State]]:
    return {(one.what, one.name, one.state) for one in report.differences}


def test_an_honest_shop_has_no_difference() -> None:
    shop = Shop()
    many(shop, 50)
    report = reconciler(shop, lots_of(shop)).run(now_of(shop), repair=False)
    assert report.differences == []
    assert report.counts["payment:matched"] == 50
    assert report.counts["grant:matched"] == 50
    assert report.counts["payout:matched"] == 1


def test_fifty_of_fifty_planted_differences_of_five_kinds_and_none_false() -> None:
    shop, seed = Shop(), random.Random(7)
    intents = many(shop, PURCHASES)
    plain = [x for n, x in enumerate(intents) if n % 7 and n % 11]
    seed.shuffle(plain)
    planted: set[tuple[str, str, State]] = set()
    lots = {lot.source: lot for lot in lots_of(shop)}
    for _ in range(PLANTED):  # 1: paid there, never heard of here
        intent = shop.stripe.pay(shop.buy(account="x").session)
        planted |= {("payment", intent, State.MISSING_HERE)}
    for _ in range(PLANTED):  # 2: paid here, unknown there
        intent = plain.pop()
        charge = shop.stripe.objects.pop(intent).latest_charge
        planted |= {("payment", intent, State.MISSING_THERE)}
        assert charge in shop.stripe.objects
    for _ in range(PLANTED):  # 3: another amount there
        intent = shop.stripe.objects[plain.pop()]
        movement = next(
            x
            for x in shop.stripe.objects.values()
            if isinstance(x, Movement) and x.source == intent.latest_charge
        )
        intent.amount_received += 1
        movement.amount += 1
        planted |= {("payment", intent.id, State.AMOUNT_DIFFERS)}
    for _ in range(PLANTED):  # 4: the ledger lacks the grant
        source = f"stripe:{plain.pop()}:paid"
        del lots[source]
        planted |= {("grant", source, State.MISSING_THERE)}
    for _ in range(PLANTED):  # 5: a refund made there, never heard of here
        refund = shop.stripe.refund(plain.pop(), 300)
        planted |= {("refund", refund.id, State.MISSING_HERE)}
    report = reconciler(shop, list(lots.values())).run(now_of(shop), repair=False)
    found = differences(report)
    print(f"planted {len(planted)}, found {len(found & planted)}, false {len(found - planted)}")
    assert found == planted
    assert len(planted) == 5 * PLANTED


def test_what_was_missed_is_repaired_by_looking_again() -> None:
    shop = Shop()
    missed = [shop.buy(account=f"m{n}") for n in range(5)]
    intents = [shop.stripe.pay(one.session) for one in missed]
    shop.stripe.refund(intents[0], 500)
    dispute = shop.stripe.dispute(intents[1], 1000)
    shop.stripe.dispute_turns(dispute.id, "lost")
    report = reconciler(shop, []).run(now_of(shop), repair=True)
    shop.relay()
    assert report.repaired >= 5
    assert report.clean
    assert shop.ledger.balance == 250 + 0 + 3 * 500
    again = reconciler(shop, lots_of(shop)).run(now_of(shop), repair=True)
    assert again.differences == []


def test_a_purchase_that_stripe_also_invoiced_is_still_an_orders() -> None:
    shop = Shop()
    pack = CATALOGUE.packs["starter"]
    bought = shop.buying.start("ada", pack, "k", save_card=True).purchase
    shop.stripe.pay(bought.session)
    report = reconciler(shop, []).run(now_of(shop), repair=False)
    assert report.counts["payment:missing_here"] == 1


def test_what_is_young_is_timing_and_not_a_difference() -> None:
    shop = Shop()
    bought = shop.buy()
    intent = shop.stripe.objects[shop.stripe.pay(bought.session)]
    report = reconciler(shop, []).run(intent.created * 1000 + 60_000, repair=False)
    assert report.counts.get("payment:timing") == 1
    assert report.differences == []


def test_a_payout_that_does_not_add_up_is_found() -> None:
    shop = Shop()
    many(shop, 3)
    payout = next(x for x in shop.stripe.objects.values() if x.id.startswith("po"))
    payout.amount += 1
    report = reconciler(shop, lots_of(shop)).run(now_of(shop), repair=False)
    assert differences(report) == {("payout", payout.id, State.AMOUNT_DIFFERS)}


def test_a_refund_here_that_stripe_does_not_have_is_found() -> None:
    shop = Shop()
    bought = shop.buy()
    intent = shop.stripe.pay(bought.session)
    refund = shop.stripe.refund(intent, 100)
    shop.hear(shop.stripe.events)
    assert isinstance(shop.stripe.objects.pop(refund.id), Refund)
    report = reconciler(shop, lots_of(shop)).run(now_of(shop), repair=False)
    assert ("refund", refund.id, State.MISSING_THERE) in differences(report)


def test_a_lot_that_no_order_stands_for_is_found() -> None:
    shop = Shop()
    many(shop, 2)
    lots = lots_of(shop)
    strange = replace(lots[0], source="stripe:pi_forged:paid")
    report = reconciler(shop, [*lots, strange]).run(now_of(shop), repair=False)
    assert differences(report) == {("grant", "stripe:pi_forged:paid", State.MISSING_HERE)}
