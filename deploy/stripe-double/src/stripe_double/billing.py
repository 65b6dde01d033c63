"""Bills: invoices with pages of their own, and subscriptions that make one every month."""

from stripe_double import money
from stripe_double.cards import Card
from stripe_double.objects import (
    Details,
    Intent,
    Invoice,
    InvoicePayment,
    Item,
    Items,
    PaidBy,
    Parent,
    Payer,
    PaymentMethod,
    Price,
    Session,
    Subscription,
)
from stripe_double.refusals import Refused
from stripe_double.shelf import Shelf

MONTH_S = 30 * 86_400  # a month of this Stripe


def bill(
    shelf: Shelf,
    intent: Intent,
    payer: str | None,
    about: str,
    subscription: Subscription | None = None,
) -> Invoice:
    """The paid invoice of a payment."""
    name = shelf.name("invoice")
    made = Invoice(
        id=name,
        created=shelf.now_s,
        customer=payer,
        number=f"DOUBLE-{name[-6:]}",
        status="paid",
        total=intent.amount,
        currency=intent.currency,
        hosted_invoice_url=f"{shelf.page}/invoices/{name}",
        description=about,
        parent=None if subscription is None else Parent(Details(subscription.id)),
    )
    paid = InvoicePayment(
        id=shelf.name("invoice_payment"),
        created=shelf.now_s,
        invoice=made.id,
        payment=PaidBy(intent.id),
        amount_paid=intent.amount,
    )
    shelf.put(paid)
    shelf.say("invoice.paid", made)
    return made


def begin(shelf: Shelf, session: Session, method: PaymentMethod) -> Subscription:
    """A session that begins a subscription was paid: its first period runs."""
    price = session.line_items.data[0].price
    item = Item(
        id=shelf.name("subscription_item"),
        price=price,
        current_period_start=shelf.now_s,
        current_period_end=shelf.now_s + MONTH_S,
    )
    made = Subscription(
        id=shelf.name("subscription"),
        created=shelf.now_s,
        status="active",
        customer=method.customer or "",
        items=Items([item]),
    )
    session.customer, session.subscription = made.customer, made.id
    shelf.put(made)
    session.invoice = _bill_period(shelf, made).id
    shelf.say("customer.subscription.created", made)
    return made


def renew(shelf: Shelf, subscription: Subscription, *, works: bool) -> None:
    """The next period begins; it is paid, or the subscription is past due."""
    _still_runs(subscription)
    if subscription.cancel_at_period_end:
        turn(shelf, subscription, "canceled")
        return
    item = subscription.items.data[0]
    item.current_period_start, item.current_period_end = (
        item.current_period_end,
        item.current_period_end + MONTH_S,
    )
    subscription.status = "active" if works else "past_due"
    shelf.put(subscription)
    if works:
        _bill_period(shelf, subscription)
    shelf.say("customer.subscription.updated", subscription)


def change(
    shelf: Shelf, subscription: Subscription, prices: list[Price], *, ends: bool | None
) -> None:
    """Another price now, the difference billed at once; or end with the period, or go on."""
    _still_runs(subscription)
    if ends is not None:
        subscription.cancel_at_period_end = ends
    item = subscription.items.data[0]
    for price in prices:
        more = price.unit_amount - item.price.unit_amount
        item.price = price
        if more > 0:
            _bill_period(shelf, subscription, _prorated(more, item, shelf.now_s))
    shelf.say("customer.subscription.updated", subscription)


def turn(shelf: Shelf, subscription: Subscription, status: str) -> None:
    """It is over: canceled, unpaid."""
    subscription.status = status
    word = "deleted" if status == "canceled" else "updated"
    shelf.say(f"customer.subscription.{word}", subscription)


def charge_kept(
    shelf: Shelf, method: PaymentMethod, amount: int, currency: str, metadata: dict[str, str]
) -> Intent:
    """A payment by a kept card while its owner is away; raises Declined with the intent."""
    intent = money.intend(shelf, amount, currency)
    intent.metadata, intent.customer = metadata, method.customer
    intent.payment_method = method.id
    shelf.put(intent)
    money.charge_absent(shelf, intent, method)
    return intent


def keep(shelf: Shelf, method: PaymentMethod, payer: Payer) -> None:
    """The payer lets a card be kept."""
    method.customer = payer.id
    shelf.say("payment_method.attached", method)


def remove(shelf: Shelf, method: PaymentMethod) -> None:
    """The payer takes a card away."""
    payer = shelf.find(Payer, method.customer)
    if payer.invoice_settings.default_payment_method == method.id:
        payer.invoice_settings.default_payment_method = None
        shelf.say("customer.updated", payer)
    method.customer = None
    shelf.say("payment_method.detached", method)


def prefer(shelf: Shelf, card: Card, payer: Payer) -> None:
    """The payer leaves another card, to be used from now on."""
    name = shelf.name("payment_method")
    method = PaymentMethod(id=name, created=shelf.now_s, card=card.face, behaves=card.behaviour)
    keep(shelf, method, payer)
    payer.invoice_settings.default_payment_method = name
    shelf.say("customer.updated", payer)


def _bill_period(shelf: Shelf, subscription: Subscription, amount: int | None = None) -> Invoice:
    price = subscription.items.data[0].price
    due = price.unit_amount if amount is None else amount
    intent = money.intend(shelf, due, price.currency)
    intent.customer = subscription.customer
    money.charge(shelf, intent)
    made = bill(shelf, intent, subscription.customer, price.nickname, subscription)
    subscription.latest_invoice = made.id
    return made


def _prorated(more: int, item: Item, now_s: int) -> int:
    """The part of a difference that the rest of the period is worth; at least one."""
    left_s = max(0, item.current_period_end - now_s)
    return max(1, more * left_s // (item.current_period_end - item.current_period_start))


def _still_runs(subscription: Subscription) -> None:
    if subscription.status in {"canceled", "incomplete_expired"}:
        raise Refused("This subscription has ended.", param="id")
