"""Starting a purchase: our own order first, then Stripe's session for it, under the order's name.

The pack, its price and its credits come from the catalogue, never from the caller. The caller's
Idempotency-Key names the order: asked again, it is the same order and the same session.
"""

from itertools import islice
from uuid import UUID, uuid4, uuid5

from contracts.catalogue import Catalogue, Pack
from msgspec import Struct

from payments import objects
from payments.books import Books
from payments.objects import Session
from payments.payer import Payer
from payments.purchase import Purchase
from payments.till import Params, Till

ORDERS = UUID("6f0c6c52-5d5e-4a53-8d0a-7f2f2b1c9a10")  # the space that order ids are made in


class Started(Struct, frozen=True):
    """A purchase with its session; `url` is Stripe's hosted page."""

    purchase: Purchase
    url: str


class Buying:
    """Opens checkouts. Synchronous: call it from a thread."""

    def __init__(self, books: Books, till: Till, catalogue: Catalogue, public_url: str) -> None:
        self._books = books
        self._till = till
        self.catalogue = catalogue
        self._public_url = public_url

    @property
    def back(self) -> str:
        """The page that a buyer comes back to."""
        return f"{self._public_url}/account/credits"

    def start(self, account: str, pack: Pack, key: str, *, save_card: bool = False) -> Started:
        """The order and its hosted page; raises TillDown, or OtherOrder for a reused key."""
        purchase = self._books.begin(order(account, pack, "checkout", key))
        if purchase.account != account or purchase.pack != pack.id:
            raise OtherOrder(key)
        if purchase.session:
            return Started(purchase, purchase.url)
        session = self._till.post(
            Session,
            "checkout/sessions",
            self._session(purchase, pack, save_card=save_card),
            key=f"{purchase.purchase}:session",
        )

        def opened(found: Purchase) -> Purchase:
            if not found.session:
                found.trigger_event(
                    Purchase.SessionOpened, session=session.id, url=session.url or ""
                )
            return found

        purchase = self._books.change(purchase.purchase, opened)
        return Started(purchase, purchase.url)

    def at_stripe(self, account: str) -> str:
        """Stripe's customer of an account, made when there is none; it carries our id alone."""
        if known := self._books.payer(account).customer:
            return known
        made = self._till.post(
            objects.Payer, "customers", {"metadata": {"account": account}}, key=f"payer:{account}"
        )

        def know(payer: Payer) -> str:
            payer.know(made.id)
            return payer.customer

        return self._books.change_payer(account, know)

    def top_up(self, account: str, pack: Pack, key: str) -> Purchase | None:
        """An order to be charged to the saved card now; None without one."""
        if not self._books.payer(account).card:
            return None
        purchase = self._books.begin(order(account, pack, "one_click", key))
        if purchase.account != account or purchase.pack != pack.id:
            raise OtherOrder(key)
        return purchase

    def portal(self, account: str) -> str:
        """Stripe's own pages for cards and invoices. The address is a key: never log it."""
        made = self._till.post(
            objects.Portal,
            "billing_portal/sessions",
            {"customer": self.at_stripe(account), "return_url": self.back},
            key=f"portal:{uuid4().hex}",
        )
        return made.url

    def invoices(self, account: str) -> list[objects.Invoice]:
        """What Stripe billed an account, newest first; the pages are Stripe's."""
        customer = self._books.payer(account).customer
        if not customer:
            return []
        return list(islice(self._till.every(objects.Invoice, "invoices", customer=customer), 100))

    def _session(self, purchase: Purchase, pack: Pack, *, save_card: bool) -> Params:
        kept: Params = {"setup_future_usage": "off_session"} if save_card else {}
        return {
            "mode": "payment",
            "customer": self.at_stripe(purchase.account),  # so that its invoices are found again
            "customer_update": {"name": "auto", "address": "auto"},
            "client_reference_id": purchase.purchase,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": pack.currency.lower(),
                        "unit_amount": pack.price_minor,
                        "product_data": {"name": f"{pack.credits} credits"},
                    },
                }
            ],
            "payment_intent_data": {"metadata": {"purchase": purchase.purchase}, **kept},
            "metadata": {"purchase": purchase.purchase},
            "invoice_creation": {"enabled": True},
            "tax_id_collection": {"enabled": True},  # businesses name themselves on Stripe's page
            "success_url": f"{self.back}/success?session_id={{CHECKOUT_SESSION_ID}}",
            "cancel_url": self.back,
        }


class OtherOrder(ValueError):
    """This key named another order."""


def order(account: str, pack: Pack, way: str, key: str) -> Purchase:
    """An order of ours, not stored yet. The same account, way and key give the same order."""
    name = uuid5(ORDERS, f"{way}\0{account}\0{key}") if key else uuid4()
    return Purchase(
        purchase=name.hex,
        account=account,
        pack=pack.id,
        credits=pack.credits,
        price_minor=pack.price_minor,
        currency=pack.currency,
        expires_days=pack.expires_days,
        way=way,
    )
