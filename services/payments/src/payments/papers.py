"""What Stripe keeps of an account's payments: receipts of purchases, and the cards it may charge.

Only Stripe's pages and what may be shown of a card come through here. Synchronous.
"""

from itertools import islice

from payments.books import Books
from payments.objects import Charge, Intent, PaymentMethod
from payments.till import Till

CARDS_MAX = 10  # shown; nobody has more who is well


class Papers:
    """Looks things up at Stripe; nothing is kept."""

    def __init__(self, books: Books, till: Till) -> None:
        self._books = books
        self._till = till

    def receipt(self, account: str, name: str) -> str | None:
        """Stripe's page of what was paid for a purchase; None for another's or an unpaid one.

        Raises Unknown, TillDown, TillRefused.
        """
        purchase = self._books.purchase(name)
        if purchase.account != account or not purchase.paid_at:
            return None
        intent = self._till.get(Intent, f"payment_intents/{purchase.intent}")
        if not intent.latest_charge:
            return None
        return self._till.get(Charge, f"charges/{intent.latest_charge}").receipt_url

    def cards(self, account: str) -> list[tuple[PaymentMethod, bool]]:
        """The cards of an account at Stripe, newest first; true for the one that top-ups charge."""
        payer = self._books.payer(account)
        if not payer.customer:
            return []
        path = f"customers/{payer.customer}/payment_methods"
        found = islice(self._till.every(PaymentMethod, path, type="card"), CARDS_MAX)
        return [(one, one.id == payer.card and not payer.paused) for one in found]
