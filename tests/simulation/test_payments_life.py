"""A life of 40 events of Stripe, delivered as badly as one likes: the end is always the model's.

Each seed is one life of several purchases: paid, paid late, failed, expired, refunded in parts,
refunds that fail later, disputes won, lost and reinstated, warnings, spending in between.
Deliveries are tripled and shuffled while the life goes on; 10 % are dropped, 5 % never made; then
the reconciler looks. The model reads only the final objects.
"""

import os
import random
from typing import cast

from payments import objects
from payments.handling import Hint, NotYet
from payments.index import Index
from payments.netting import OPEN_DISPUTES
from payments.picture import LedgerPicture
from payments.reconciling import Reconciler
from payments.till import Till
from stripe_double.objects import Dispute, FraudWarning, Intent, Refund, Session

from tests.unit.payments.shop import CATALOGUE, Shop

SEEDS = int(os.environ.get("SCRIP_LIVES", "200"))  # 1,000 in `make proof-payments`
EVENTS = 40
COPIES = 3
DROPPED, NEVER_MADE = 0.10, 0.05
PACKS = ("starter", "standard", "professional")


class Life:
    """One seed."""

    def __init__(self, seed: int) -> None:
        self.shop = Shop()
        self.random = random.Random(seed)
        self.spent = 0
        self.pool: list[Hint] = []
        self.taken = 0
        self.deliveries = 0

    def live(self) -> None:
        """Until 40 events were made and everything that arrives has arrived."""
        while len(self.shop.stripe.events) < EVENTS:
            self.step()
            self.post()
            for _ in range(self.random.randrange(4)):
                self.deliver()
        while self.pool:
            self.deliver()
        Reconciler(
            books=self.shop.books,
            index=cast("Index", self.shop.index),
            till=cast("Till", self.shop.stripe),
            handling=self.shop.handling,
            ledger=lambda _start: LedgerPicture([]),
        ).run(self.shop.now + 3_600_000, repair=True)
        self.shop.relay()

    def post(self) -> None:
        """What Stripe made since, into the mail: tripled, some lost."""
        for hint in self.shop.stripe.events[self.taken :]:
            lot = self.random.random()
            if lot >= NEVER_MADE:
                kept = [hint for _ in range(COPIES) if self.random.random() >= DROPPED]
                self.pool += kept if lot >= NEVER_MADE + DROPPED else []
        self.taken = len(self.shop.stripe.events)

    def deliver(self) -> None:
        if not self.pool:
            return
        hint = self.pool.pop(self.random.randrange(len(self.pool)))
        self.deliveries += 1
        try:
            self.shop.handling.handle(hint)
        except NotYet:
            return  # tried again later, as any other delivery of it is
        if self.random.random() < 0.7:
            self.shop.relay()

    def step(self) -> None:
        stripe, chance = self.shop.stripe, self.random
        sessions = self._of(Session)
        unpaid = [x for x in sessions if x.status == "open"]
        late = [x for x in sessions if x.status == "complete" and x.payment_status == "unpaid"]
        paid = [x for x in self._of(Intent) if x.status == "succeeded"]
        disputes = [x for x in self._of(Dispute) if x.status in OPEN_DISPUTES]
        lost = [x for x in self._of(Dispute) if self._standing(x) == "lost"]
        refunds = [x for x in self._of(Refund) if x.status == "succeeded"]
        match chance.randrange(11):
            case 0 | 1:
                self.shop.buy(chance.choice(PACKS))
            case 2 if unpaid:
                stripe.pay(chance.choice(unpaid).id, later=chance.random() < 0.3)
            case 3 if late:
                stripe.settle(chance.choice(late).id, works=chance.random() < 0.7)
            case 4 if unpaid and chance.random() < 0.3:
                stripe.expire(chance.choice(unpaid).id)
            case 5 if paid:
                self._refund(chance.choice(paid))
            case 6 if refunds and chance.random() < 0.4:
                stripe.refund_turns(chance.choice(refunds).id, "failed")
            case 7 if paid:
                intent = chance.choice(paid)
                if not any(x.payment_intent == intent.id for x in self._of(Dispute)):
                    stripe.dispute(intent.id, chance.randrange(1, intent.amount + 1))
            case 8 if disputes:
                turn = chance.choice(("under_review", "won", "lost"))
                stripe.dispute_turns(chance.choice(disputes).id, turn)
            case 9 if lost:
                stripe.dispute_turns(chance.choice(lost).id, "reinstated")
            case 10 if paid:
                self._warn(chance.choice(paid))
            case _:
                self._spend()

    def _refund(self, intent: Intent) -> None:
        back = sum(
            x.amount
            for x in self._of(Refund)
            if x.payment_intent == intent.id and x.status != "failed"
        )
        if back < intent.amount:
            amount = self.random.randrange(1, intent.amount - back + 1)
            self.shop.stripe.refund(intent.id, amount)

    def _warn(self, intent: Intent) -> None:
        known = [x for x in self._of(FraudWarning) if x.payment_intent == intent.id]
        if not known:
            self.shop.stripe.warn(intent.id)
        elif known[0].actionable:
            self.shop.stripe.unwarn(known[0].id)

    def _spend(self) -> None:
        if self.shop.ledger.lots:
            grant = self.random.choice(list(self.shop.ledger.lots))
            self.spent += self.shop.ledger.spend(grant, self.random.randrange(1, 300))

    def _of(self, kind: type) -> list:  # type: ignore[type-arg]
        return [x for x in self.shop.stripe.objects.values() if isinstance(x, kind)]

    def _standing(self, dispute: Dispute) -> str:
        return self.shop.stripe.get(objects.Dispute, f"disputes/{dispute.id}").standing

    # ---- the model

    def expected(self) -> int:
        """Credits that should be there, from Stripe's final objects and our prices alone."""
        total = -self.spent
        for session in self._of(Session):
            if session.payment_status != "paid":
                continue
            pack = next(
                x for x in CATALOGUE.packs.values() if x.price_minor == session.amount_total
            )
            gone = sum(
                x.amount
                for x in self._of(Refund)
                if x.payment_intent == session.payment_intent and x.status == "succeeded"
            )
            gone += sum(
                x.amount
                for x in self._of(Dispute)
                if x.payment_intent == session.payment_intent and self._standing(x) == "lost"
            )
            gone = min(gone, pack.price_minor)
            total += pack.credits - pack.credits * gone // pack.price_minor
        return total

    def frozen(self) -> set[str]:
        """Payments whose credits must stand still."""
        disputed = {x.payment_intent for x in self._of(Dispute) if x.status in OPEN_DISPUTES}
        warned = {x.payment_intent for x in self._of(FraudWarning) if x.actionable}
        return disputed | warned


def test_lives_end_as_the_model_says() -> None:
    deliveries = events = 0
    for seed in range(SEEDS):
        life = Life(seed)
        life.live()
        shop = life.shop
        assert shop.ledger.balance == life.expected(), f"seed {seed}"
        still = {
            purchase.intent
            for row in shop.books.listed.values()
            if (purchase := shop.books.purchase(row.purchase)).frozen
        }
        assert still == life.frozen(), f"seed {seed}"
        frozen = {
            grant
            for row in shop.books.listed.values()
            for grant in shop.books.purchase(row.purchase).lots
            if shop.books.purchase(row.purchase).frozen
        }
        assert frozen == {x for x, lot in shop.ledger.lots.items() if lot.frozen}, f"seed {seed}"
        deliveries += life.deliveries
        events += len(shop.stripe.events)
    print(
        f"{SEEDS} of {SEEDS} lives end as the model says: {events} events,"
        f" {deliveries} deliveries (x{COPIES}, shuffled, {DROPPED:.0%} dropped,"
        f" {NEVER_MADE:.0%} never made)"
    )
