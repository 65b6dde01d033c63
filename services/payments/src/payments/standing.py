"""What stands for a payment now: freezes, revokes and returns that follow from its parts.

The target is computed from everything known of the payment, and only the difference to what was
done before is recorded. So order does not matter, and nothing is taken or given twice.
"""

from contracts.units import DAY, Ms

from payments.effects import effect_id
from payments.netting import OPEN_DISPUTES, credits_gone, taken_minor
from payments.purchase import Purchase

RETURN_GRACE_MS = 7 * DAY  # credits that come back live at least this long


def settle(purchase: Purchase, cause: str, now: Ms) -> None:
    """Bring credits in line with the money; `cause` is the object that changed."""
    if not purchase.lots:
        return
    stops = must_stop(purchase)
    if stops and not purchase.frozen:
        _freeze(purchase, effect_id(cause, "freeze"), list(purchase.lots))
    _level(purchase, cause, now)
    if purchase.frozen and not stops:
        purchase.trigger_event(
            Purchase.Thawed, effect=effect_id(cause, "thaw"), grants=list(purchase.lots)
        )


def _freeze(purchase: Purchase, effect: str, grants: list[str]) -> None:
    purchase.trigger_event(Purchase.Frozen, effect=effect, grants=grants)


def must_stop(purchase: Purchase) -> bool:
    """Whether its credits must stand still: disputed, warned of, or a refund under way."""
    disputed = any(part.status in OPEN_DISPUTES for part in purchase.disputes.values())
    return disputed or bool(purchase.asked) or any(purchase.warnings.values())


def _level(purchase: Purchase, cause: str, now: Ms) -> None:
    taken = taken_minor(purchase.price_minor, purchase.refunds, purchase.disputes)
    target = purchase.credits - credits_gone(purchase.credits, purchase.price_minor, taken)
    standing = sum(lot.granted - lot.revoked for lot in purchase.lots.values())
    if standing < target:
        returned = effect_id(cause, "return")
        purchase.trigger_event(
            Purchase.Returned,
            effect=returned,
            credits=target - standing,
            expires_at=max(purchase.expires_at, now + RETURN_GRACE_MS),
        )
        if purchase.frozen:  # what comes back while the payment is in doubt stands still too
            _freeze(purchase, effect_id(cause, "freeze-return"), [returned])
        return
    too_many = standing - target
    for number, (grant, lot) in enumerate(reversed(list(purchase.lots.items()))):
        part = min(too_many, lot.granted - lot.revoked)
        if part:
            effect = "revoke" if number == 0 else f"revoke-{number}"
            purchase.trigger_event(
                Purchase.Revoked, effect=effect_id(cause, effect), grant=grant, credits=part
            )
            too_many -= part
