"""What each call does, one function a call: typed parameters in, an object out."""

from stripe_double import billing, checkout, claims
from stripe_double.objects import (
    Intent,
    Line,
    Lines,
    Payer,
    PaymentMethod,
    Portal,
    Price,
    Recurring,
    Refund,
    Session,
    Subscription,
)
from stripe_double.params import (
    LATEST_S,
    NewIntent,
    NewPayer,
    NewPortal,
    NewPrice,
    NewRefund,
    NewSession,
    Nothing,
    SubscriptionChange,
)
from stripe_double.refusals import Refused
from stripe_double.shelf import Shelf


def new_session(shelf: Shelf, asked: NewSession) -> Session:
    """Open a checkout with a page of its own."""
    if asked.customer:
        shelf.find(Payer, asked.customer)
    lines = [Line(_price(shelf, x.price_data), x.quantity) for x in asked.line_items]
    repeats = any(x.price.recurring is not None for x in lines)
    if repeats is not (asked.mode == "subscription"):
        raise Refused("Recurring prices and mode do not fit each other.", param="mode")
    name, intent = shelf.name("checkout.session"), asked.payment_intent_data
    made = Session(
        id=name,
        created=shelf.now_s,
        mode=asked.mode,
        amount_total=sum(x.amount for x in lines),
        currency=lines[0].price.currency,
        expires_at=asked.expires_at or shelf.now_s + LATEST_S,
        url=f"{shelf.page}/pay/{name}",
        success_url=asked.success_url,
        cancel_url=asked.cancel_url or "",
        client_reference_id=asked.client_reference_id,
        customer=asked.customer,
        line_items=Lines(lines),
        invoice_creation=asked.invoice_creation,
        setup_future_usage=intent.setup_future_usage if intent else None,
        intent_metadata=intent.metadata if intent else {},
        metadata=asked.metadata,
    )
    if made.amount_total == 0:
        made.payment_status = "no_payment_required"
    shelf.put(made)
    return made


def expire_session(shelf: Shelf, session: Session, _: Nothing) -> Session:
    """Close a checkout before it is paid."""
    checkout.expire(shelf, session)
    return session


def new_intent(shelf: Shelf, asked: NewIntent) -> Intent:
    """Charge a kept card."""
    payer = shelf.find(Payer, asked.customer)
    method = shelf.find(PaymentMethod, asked.payment_method)
    if method.customer != payer.id:
        raise Refused("The payment method belongs to another.", param="payment_method")
    if not (asked.off_session and asked.confirm):
        raise Refused("Only payments off-session, confirmed at once.", param="off_session")
    return billing.charge_kept(shelf, method, asked.amount, asked.currency, asked.metadata)


def new_refund(shelf: Shelf, asked: NewRefund) -> Refund:
    """Give money back."""
    intent = shelf.find(Intent, asked.payment_intent)
    made = claims.refund(shelf, intent, asked.amount, asked.metadata)
    made.reason = asked.reason
    return made


def new_payer(shelf: Shelf, asked: NewPayer) -> Payer:
    """Somebody who pays."""
    made = Payer(
        id=shelf.name("customer"), created=shelf.now_s, name=asked.name, metadata=asked.metadata
    )
    shelf.put(made)
    return made


def new_price(shelf: Shelf, asked: NewPrice) -> Price:
    """A price of its own."""
    made = _price(shelf, asked)
    shelf.put(made)
    return made


def new_portal(shelf: Shelf, asked: NewPortal) -> Portal:
    """An hour of the payer's own pages."""
    payer, name = shelf.find(Payer, asked.customer), shelf.name("billing_portal.session")
    made = Portal(
        id=name,
        created=shelf.now_s,
        customer=payer.id,
        return_url=asked.return_url,
        url=f"{shelf.page}/portal/{name}",
    )
    shelf.put(made)
    return made


def change_subscription(
    shelf: Shelf, subscription: Subscription, asked: SubscriptionChange
) -> Subscription:
    """Another price, or another end."""
    if any(x.id != subscription.items.data[0].id for x in asked.items):
        raise Refused("No such subscription item", code="resource_missing", param="items")
    prices = [shelf.find(Price, x.price) for x in asked.items]
    billing.change(shelf, subscription, prices, ends=asked.cancel_at_period_end)
    return subscription


def end_subscription(shelf: Shelf, subscription: Subscription, _: Nothing) -> Subscription:
    """End it now."""
    billing.turn(shelf, subscription, "canceled")
    return subscription


def _price(shelf: Shelf, asked: NewPrice) -> Price:
    return Price(
        id=shelf.name("price"),
        created=shelf.now_s,
        unit_amount=asked.unit_amount,
        currency=asked.currency,
        nickname=asked.product_data.name,
        recurring=None if asked.recurring is None else Recurring(asked.recurring.interval),
        metadata=asked.metadata,
    )
