"""Subscriptions: begun on Stripe's page, renewed by Stripe, changed with proration, ended.

Any event about one is a hint: the subscription is fetched, and what it is now counts. A paid period
becomes `SetPlan`; the allowance is a lot of the ledger that ends with the period. Synchronous.
"""

import structlog
from contracts.catalogue import Catalogue, Plan

from payments.books import Books
from payments.buying import Buying
from payments.handling import Hint, NotYet
from payments.index import Index
from payments.objects import Invoice, Named, Session, StripeSubscription
from payments.subscription import Subscription
from payments.till import Params, Till

_PAID = frozenset({"active", "trialing"})
_OVER = frozenset({"canceled", "unpaid", "incomplete_expired"})

log = structlog.get_logger(__name__)


class Subscribing:
    """Begins, changes, ends and follows subscriptions."""

    def __init__(
        self, books: Books, till: Till, index: Index, buying: Buying, *, live: bool
    ) -> None:
        self._books = books
        self._till = till
        self._index = index
        self._buying = buying
        self._live = live

    @property
    def catalogue(self) -> Catalogue:
        """What is sold."""
        return self._buying.catalogue

    def begin(self, account: str, plan: Plan, key: str) -> str:
        """Stripe's page for a new subscription; its address."""
        customer, back = self._buying.at_stripe(account), self._buying.back
        made = self._till.post(
            Session,
            "checkout/sessions",
            {
                "mode": "subscription",
                "customer": customer,
                "client_reference_id": account,
                "line_items": [{"quantity": 1, "price_data": _price(plan)}],
                "success_url": f"{back}/success?session_id={{CHECKOUT_SESSION_ID}}",
                "cancel_url": back,
            },
            key=f"subscribe:{account}:{plan.id}:{key}"[:255],
        )
        return made.url or ""

    def change(self, account: str, plan: Plan, key: str) -> bool:
        """Another plan now, the difference prorated by Stripe; false without a subscription."""
        known = self._books.subscription(account)
        if known.state not in {"active", "past_due"}:
            return False
        price = self._till.post(
            Named, "prices", _price(plan), key=f"price:{plan.id}:{plan.price_minor}"
        )
        item: Params = {"id": known.item, "price": price.id}
        self._till.post(
            StripeSubscription,
            f"subscriptions/{known.subscription}",
            {"items": [item], "proration_behavior": "always_invoice"},
            key=f"change:{known.subscription}:{plan.id}:{key}"[:255],
        )
        self.look_at(known.subscription)
        return True

    def end(self, account: str, key: str, *, ends: bool) -> bool:
        """End with the period that is paid, or go on after all; false without one."""
        known = self._books.subscription(account)
        if known.state not in {"active", "past_due"}:
            return False
        self._till.post(
            StripeSubscription,
            f"subscriptions/{known.subscription}",
            {"cancel_at_period_end": ends},
            key=f"end:{known.subscription}:{ends}:{key}"[:255],
        )
        self.look_at(known.subscription)
        return True

    def handle(self, hint: Hint) -> str:
        """Handle an event about a subscription or an invoice of one."""
        name = hint.object
        if hint.kind.startswith("invoice."):
            found = self._till.get(Invoice, f"invoices/{name}").subscription_id
            if not found:
                return "ignored"
            name = found
        self.look_at(name)
        return "handled"

    def look_at(self, name: str) -> None:
        """A subscription as Stripe has it now."""
        found = self._till.get(StripeSubscription, f"subscriptions/{name}")
        account = self._index.stream_of(found.customer)
        if account is None:
            raise NotYet(f"customer {found.customer}")

        def see(known: Subscription) -> None:
            self._see(known, found)

        self._books.change_subscription(account, see)

    def _see(self, known: Subscription, found: StripeSubscription) -> None:
        """Only what is new; an older subscription of the account changes nothing."""
        if found.created < known.created:
            return
        if found.status in _OVER:
            if known.state not in {"none", "ended"} and found.id == known.subscription:
                known.trigger_event(Subscription.Ended, subscription=found.id)
            return
        item = found.items.data[0]
        if found.status in _PAID:
            self._paid(known, found)
        elif known.state == "active" and item.current_period_start >= known.period_start:
            known.trigger_event(Subscription.FellDue)
        if known.state != "none" and known.ends != found.cancel_at_period_end:
            known.trigger_event(Subscription.EndChanged, ends=found.cancel_at_period_end)

    def _paid(self, known: Subscription, found: StripeSubscription) -> None:
        item = found.items.data[0]
        price = item.price
        plan = next(
            (
                plan.id
                for plan in self.catalogue.plans.values()
                if plan.price_minor
                and (plan.price_minor, plan.currency.lower()) == (price.unit_amount, price.currency)
            ),
            None,
        )
        if plan is None or found.livemode is not self._live:
            if known.state != "quarantined":
                seen = f"{price.unit_amount} {price.currency} live={found.livemode}"
                known.trigger_event(Subscription.Misfitted, subscription=found.id, seen=seen)
                log.error("subscription_quarantined", account=known.account, seen=seen)
            return
        now = (found.id, plan, item.current_period_start)
        before = (known.subscription, known.plan, known.period_start)
        is_older = found.id == known.subscription and item.current_period_start < known.period_start
        if is_older or (now == before and known.state == "active"):
            return
        known.trigger_event(
            Subscription.PlanPaid,
            subscription=found.id,
            item=item.id,
            plan=plan,
            period_start=item.current_period_start,
            period_end=item.current_period_end,
            created=found.created,
        )


def _price(plan: Plan) -> Params:
    return {
        "currency": plan.currency.lower(),
        "unit_amount": plan.price_minor,
        "recurring": {"interval": "month"},
        "product_data": {"name": plan.label},
    }
