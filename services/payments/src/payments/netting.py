"""How many credits a payment still stands for: refunds and disputes netted, never below nothing.

Pure. The bank and the shop may both give the same money back; together they never take more than
was paid, and the credits follow the money: all of it gone, all credits gone.
"""

from contracts.units import Credits
from msgspec import Struct

# Later ranks win: a fetch that was overtaken by a newer one changes nothing.
REFUND_RANKS = {"pending": 0, "requires_action": 0, "succeeded": 1, "failed": 2, "canceled": 2}
DISPUTE_RANKS = {
    "warning_needs_response": 0,
    "warning_under_review": 1,
    "warning_closed": 2,
    "needs_response": 3,
    "under_review": 4,
    "prevented": 5,
    "won": 5,
    "lost": 5,
    "reinstated": 6,  # ours: lost once, and the bank gave the money back after all
}
OPEN_DISPUTES = frozenset({"needs_response", "under_review"})  # a warning takes no money


class RefundPart(Struct):
    """One refund of a payment. `ours` names the one we asked for, empty for Stripe's dashboard."""

    amount_minor: int
    status: str
    ours: str = ""


class DisputePart(Struct):
    """One dispute of a payment."""

    amount_minor: int
    status: str


class Unheeded(Struct):
    """A command about a lot that the ledger refused: Freeze, Thaw, Revoke, or a returning Grant."""

    kind: str
    grant: str
    credits: Credits


class LotPart(Struct):
    """A lot that a purchase granted; `revoked` of it was taken back.

    The ledger refused to take `waived` of that back, or to stop it at all (`loose`), and a person
    let it stand.
    """

    granted: Credits
    revoked: Credits = 0
    waived: Credits = 0
    loose: bool = False

    def let_stand(self, one: Unheeded) -> None:
        """Remember what stays undone."""
        self.waived += one.credits
        self.loose = self.loose or one.kind == "Freeze"


def taken_minor(
    paid_minor: int, refunds: dict[str, RefundPart], disputes: dict[str, DisputePart]
) -> int:
    """How much of the money is gone for good: succeeded refunds and lost disputes."""
    refunded = sum(part.amount_minor for part in refunds.values() if part.status == "succeeded")
    lost = sum(part.amount_minor for part in disputes.values() if part.status == "lost")
    return min(paid_minor, refunded + lost)


def credits_gone(sold: Credits, paid_minor: int, taken: int) -> Credits:
    """The credits that went with the money; a part of a credit stays with the buyer."""
    return sold * taken // paid_minor if paid_minor else 0


def standing_of(
    price_minor: int,
    refunds: dict[str, RefundPart],
    disputes: dict[str, DisputePart],
    *,
    credited: bool,
) -> str:
    """One word for how a payment that was made stands."""
    statuses = {part.status for part in disputes.values()}
    if statuses & OPEN_DISPUTES:
        return "disputed"
    if "lost" in statuses:
        return "lost"
    if taken := taken_minor(price_minor, refunds, disputes):
        return "refunded" if taken == price_minor else "partly_refunded"
    if "reinstated" in statuses:
        return "reinstated"
    return "credited" if credited else "paid"
