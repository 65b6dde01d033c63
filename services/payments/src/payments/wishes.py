"""What the ledger is asked for when something happened to a purchase. Pure; ids are deterministic.

Publishing the same event again gives the same commands with the same ids: the ledger's memory makes
a repetition harmless. They carry no `issuedAt`: money that arrived is credited however late.
"""

from uuid import UUID

from contracts.commands import (
    Actor,
    ActorKind,
    AnyCommand,
    CostBasis,
    Freeze,
    Grant,
    GrantKind,
    PurchaseState,
    RecordPurchase,
    RecordTopUp,
    Revoke,
    SetPlan,
    Thaw,
)
from contracts.toppings import TopUpState
from contracts.units import SECOND
from eventsourcing.domain import DomainEventProtocol

from payments.effects import effect_id
from payments.payer import NEVER_AGAIN, Payer
from payments.purchase import Purchase
from payments.subscription import Subscription

ACTOR = Actor(ActorKind.PAYMENTS, "payments")
REASON = "payment"  # why lots stand still or go back; freezes of other reasons are not ours
FREE = "free"  # the plan of an account that pays for none
KINDS = {"checkout": GrantKind.PAID, "one_click": GrantKind.PAID, "auto": GrantKind.TOPUP}


def wishes(event: DomainEventProtocol[UUID], purchase: Purchase) -> list[AnyCommand]:
    """The commands of one event, in order; of `purchase` only what never changes is read."""
    match event:
        case Purchase.Initiated():
            return [_record(purchase, PurchaseState.INITIATED)]
        case Purchase.Paid():
            return [_record(purchase, PurchaseState.COMPLETED), _grant(purchase, event)]
        case Purchase.Declined():
            name = f"{purchase.purchase}:declined"
            told = _top_up(purchase, TopUpState.DECLINED, f"{name}-{event.number}")
            if event.number == 1:  # its owner hears of the first one
                return [_record(purchase, PurchaseState.FAILED, name), told]
            return [told]
        case Purchase.Ended() if purchase.way == "auto":
            rests = event.reason in NEVER_AGAIN
            told = _top_up(purchase, TopUpState.FAILED, purchase.purchase, rests=rests)
            return [_record(purchase, PurchaseState.FAILED), told]
        case Purchase.Ended():
            return [_record(purchase, PurchaseState.FAILED)]
        case Purchase.RefundSeen() if event.status == "succeeded":
            return [_record(purchase, PurchaseState.REFUNDED, event.refund, event.amount_minor)]
        case Purchase.DisputeSeen() if event.status == "needs_response":
            return [_record(purchase, PurchaseState.DISPUTED, event.dispute, event.amount_minor)]
        case Purchase.Frozen():
            return [
                Freeze(
                    id=_nth(event.effect, n),
                    account=purchase.account,
                    actor=ACTOR,
                    reason=REASON,
                    grant=grant,
                )
                for n, grant in enumerate(event.grants)
            ]
        case Purchase.Thawed():
            return [
                Thaw(
                    id=_nth(event.effect, n),
                    account=purchase.account,
                    actor=ACTOR,
                    reason=REASON,
                    grant=grant,
                )
                for n, grant in enumerate(event.grants)
            ]
        case Purchase.Revoked():
            return [_revoke(purchase, event)]
        case Purchase.AskedAgain():
            return [_again(purchase, event)]
        case Purchase.Returned():
            return [_return(purchase, event)]
        case _:
            return []


def plan_wishes(event: DomainEventProtocol[UUID], account: str) -> list[AnyCommand]:
    """The commands of one event of a subscription."""
    match event:
        case Subscription.PlanPaid():
            # by its place in the stream: up and down again within one period are two changes
            name = f"{event.subscription}:{event.originator_version}"
            return [
                SetPlan(
                    id=effect_id(name, "plan"),
                    account=account,
                    actor=ACTOR,
                    plan=event.plan,
                    period_start=event.period_start * SECOND,
                    period_end=event.period_end * SECOND,
                )
            ]
        case Subscription.Ended():
            name = effect_id(event.subscription, "ended")
            return [SetPlan(id=name, account=account, actor=ACTOR, plan=FREE)]
        case _:
            return []


def card_wishes(event: DomainEventProtocol[UUID], account: str) -> list[AnyCommand]:
    """The commands of one event of a payer: another card ends a pause."""
    if not isinstance(event, Payer.CardSaved):
        return []
    name = effect_id(event.card, f"ready-{event.originator_version}")
    return [RecordTopUp(id=name, account=account, actor=ACTOR, state=TopUpState.READY)]


def _top_up(
    purchase: Purchase, state: TopUpState, thing: str, *, rests: bool = False
) -> RecordTopUp:
    return RecordTopUp(
        id=effect_id(thing, "top-up"),
        account=purchase.account,
        actor=ACTOR,
        state=state,
        purchase=purchase.purchase,
        rests=rests,
    )


def _record(
    purchase: Purchase, state: PurchaseState, thing: str = "", amount_minor: int | None = None
) -> RecordPurchase:
    amount = purchase.price_minor if amount_minor is None else amount_minor
    return RecordPurchase(
        id=effect_id(thing or purchase.purchase, state.value),
        account=purchase.account,
        actor=ACTOR,
        purchase=purchase.purchase,
        state=state,
        pack=purchase.pack,
        cost=CostBasis(amount, purchase.currency),
    )


def _grant(purchase: Purchase, event: Purchase.Paid) -> Grant:
    return Grant(
        id=event.grant,
        account=purchase.account,
        actor=ACTOR,
        amount=purchase.credits,
        kind=KINDS[purchase.way],
        source=effect_id(event.intent, "paid"),
        expires_at=event.expires_at,
        cost_basis=CostBasis(purchase.price_minor, purchase.currency),
    )


def _revoke(purchase: Purchase, event: Purchase.Revoked) -> Revoke:
    return Revoke(
        id=event.effect,
        account=purchase.account,
        actor=ACTOR,
        grant=event.grant,
        amount=event.credits,
        reason=REASON,
    )


def _again(purchase: Purchase, event: Purchase.AskedAgain) -> Freeze | Thaw | Revoke:
    """What was refused, by a new name: the old one has its answer."""
    name, account = effect_id(event.command, str(event.originator_version)), purchase.account
    if event.kind == Freeze.__name__:
        return Freeze(id=name, account=account, actor=ACTOR, reason=REASON, grant=event.grant)
    if event.kind == Thaw.__name__:
        return Thaw(id=name, account=account, actor=ACTOR, reason=REASON, grant=event.grant)
    return Revoke(
        id=name,
        account=account,
        actor=ACTOR,
        grant=event.grant,
        amount=event.credits,
        reason=REASON,
    )


def _return(purchase: Purchase, event: Purchase.Returned) -> Grant:
    cost = purchase.price_minor * event.credits // purchase.credits
    return Grant(
        id=event.effect,
        account=purchase.account,
        actor=ACTOR,
        amount=event.credits,
        kind=KINDS[purchase.way],
        source=event.effect,
        expires_at=event.expires_at,
        cost_basis=CostBasis(cost, purchase.currency),
    )


def _nth(effect: str, number: int) -> str:
    return effect if number == 0 else f"{effect[:60]}:{number}"
