"""Charging a saved card off-session: a top-up that its owner clicked, or one that fell due.

Each try has a key of its own; the same try asked again is the same payment. A decline of an
automatic one waits, doubled each time; after the last the card rests until there is another.
"""

import structlog

from payments import seeing
from payments.books import Books
from payments.clock import now_ms
from payments.objects import Intent
from payments.payer import Payer
from payments.purchase import Purchase
from payments.till import CardRefused, Till, TillRefused

log = structlog.get_logger(__name__)


class Charging:
    """Synchronous: call it from a thread."""

    def __init__(self, books: Books, till: Till, *, live: bool) -> None:
        self._books = books
        self._till = till
        self._live = live

    def run(self, name: str) -> float:
        """Try once; seconds until the next try, 0 when it is settled. Raises TillDown."""
        purchase = self._books.purchase(name)
        if purchase.paid_at or purchase.ended:
            return 0
        payer = self._books.payer(purchase.account)
        if not payer.card:
            return self._failed(purchase, "no_card")
        try:
            intent = self._till.post(
                Intent,
                "payment_intents",
                {
                    "amount": purchase.price_minor,
                    "currency": purchase.currency.lower(),
                    "customer": payer.customer,
                    "payment_method": payer.card,
                    "off_session": True,
                    "confirm": True,
                    "metadata": {"purchase": purchase.purchase},
                },
                key=f"{purchase.purchase}:try-{purchase.declines}",
            )
        except CardRefused as why:
            return self._declined(purchase, str(why))
        except TillRefused as why:
            return self._failed(purchase, why.code)
        self._books.change(name, lambda found: _see(found, intent, live=self._live))
        self._settle(purchase.account, name, worked=True)
        return 0

    def _declined(self, purchase: Purchase, code: str) -> float:
        log.warning("card_declined", purchase=purchase.purchase, code=code)
        if purchase.way != "auto":
            return self._failed(purchase, code)
        wait_ms = self._books.change_payer(purchase.account, lambda payer: payer.decline(code))
        if wait_ms is None:
            return self._failed(purchase, code)
        self._books.change(purchase.purchase, lambda found: seeing.declined(found, code))
        return wait_ms / 1000

    def _failed(self, purchase: Purchase, code: str) -> float:
        self._books.change(purchase.purchase, lambda found: seeing.end(found, "failed", code))
        self._settle(purchase.account, purchase.purchase, worked=False)
        return 0

    def _settle(self, account: str, name: str, *, worked: bool) -> None:
        def settle(payer: Payer) -> None:
            payer.over(name, worked=worked)

        self._books.change_payer(account, settle)


def _see(purchase: Purchase, intent: Intent, *, live: bool) -> None:
    seeing.know_intent(purchase, intent.id)
    seeing.see_intent(purchase, intent, live=live, now=now_ms())
