"""What must follow in the ledger from money that is in doubt or gone again, compared lot by lot.

A payment that is disputed or warned of, or whose refund is under way: its lots stand still. Money
that went back: so many credits of its lots went back too, at once or as a debt. `here` is what our
books say must be, `there` is what the ledger has. Pure, but for the orders that `mend` is given.
"""

from collections.abc import Iterator, Mapping

from contracts.commands import Freeze, Thaw
from contracts.units import Ms

from payments.comparing import YOUNG_MS, Books, Finding, State
from payments.index import Listed
from payments.netting import LotPart
from payments.picture import Pictures, Taken
from payments.purchase import Purchase
from payments.standing import must_stop

STOP, BACK = "freeze", "revoke"  # what is compared; a finding is named by its lot
_MOVED = {"partly_refunded", "refunded", "disputed", "lost", "reinstated"}


def compare(pictures: Pictures, books: Books, now: Ms) -> Iterator[Finding]:
    """Every lot that stands still or went back, by our books or by the ledger, once."""
    ledger = pictures.ledger
    taken = {(one.account, one.grant_id): one for one in ledger.taken}
    seen = {account for account, _ in (*ledger.frozen, *taken)}
    warned = {one.payment_intent for one in pictures.stripe.warnings if one.actionable}
    for order in pictures.orders:
        if not order.paid_at:
            continue
        doubted = order.frozen or order.quarantine or order.intent in warned
        if not (doubted or order.state in _MOVED or order.account in seen):
            continue
        purchase = books(order.purchase)
        for found in _lots(order, purchase, ledger.frozen, taken):
            if found.state is not State.MATCHED and now - order.changed_at < YOUNG_MS:
                found.state = State.TIMING
            yield found


def lacking(found: Finding, purchase: Purchase) -> type[Freeze | Thaw] | None:
    """What is safe to ask for anew: to stop or to thaw twice is to do it once. None: a person."""
    if found.what != STOP:
        return None
    wanted = must_stop(purchase)
    if found.state is State.MISSING_THERE and wanted:
        return Freeze
    return Thaw if found.state is State.MISSING_HERE and not wanted else None


def _lots(
    order: Listed,
    purchase: Purchase,
    frozen: frozenset[tuple[str, str]],
    taken: Mapping[tuple[str, str], Taken],
) -> Iterator[Finding]:
    stops = must_stop(purchase)
    for grant, lot in purchase.lots.items():
        key = order.account, grant
        if (must := stops and not lot.loose) or key in frozen:
            yield Finding(STOP, grant, _both(must, key in frozen), order.purchase)
        back = taken.get(key)
        if lot.revoked or back is not None:
            yield Finding(BACK, grant, *_amounts(order, lot, back))


def _amounts(order: Listed, lot: LotPart, back: Taken | None) -> tuple[State, str]:
    here, there = lot.revoked - lot.waived, 0 if back is None else back.taken
    expired = 0 if back is None else back.expired
    if there <= here <= there + expired:
        return State.MATCHED, ""
    says = f"{order.purchase}: {here} of our books, {there} of the ledger"
    if here and there:
        return State.AMOUNT_DIFFERS, says
    return _both(bool(here), bool(there)), says


def _both(here: object, there: object) -> State:
    if here and there:
        return State.MATCHED
    return State.MISSING_THERE if here else State.MISSING_HERE
