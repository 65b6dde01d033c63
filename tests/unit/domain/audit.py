"""The books of an account, checked by sums that know nothing of how they came to be.

granted + received == available + held + spent + expired + revoked + sent, no part below zero
"""

from collections import Counter

from contracts.caps import CapWindow
from ledger.accounts import Accounts
from ledger.domain.account import Account
from ledger.domain.capping import name_of, slot_of
from ledger.domain.transfers import AGAIN_MS


def audit(account: Account, *, has_forgotten: bool = False) -> None:
    """Raise AssertionError where the account contradicts itself.

    One that has forgotten charges spent more than it can name.
    """
    parts = {
        name: getattr(account, name)
        for name in ("available", "held", "spent", "expired", "revoked", "sent")
    }
    assert account.granted + account.received == sum(parts.values()), parts
    counted = {"day_spent": account.day_spent, "month_spent": account.month_spent}
    counted |= {"plan_spent": account.plan_spent}
    assert all(value >= 0 for value in (parts | counted).values()), parts | counted
    assert account.available == sum(lot.available for lot in account.lots)
    assert account.held == sum(r.held for r in account.reservations.values())
    left = sum(c.left for c in account.charges.values())
    assert account.spent > left if has_forgotten else account.spent == left
    assert max(account.day_spent, account.month_spent) <= account.spent
    assert account.granted + account.received == sum(lot.amount for lot in account.lots)
    assert [lot.burn_order for lot in account.lots] == sorted(x.burn_order for x in account.lots)
    _audit_plan(account)
    _audit_slices(account)


def _audit_plan(account: Account) -> None:
    """No more of a plan is there than its period was given; what renews is due at its end."""
    if (plan := account.plan) is None:
        return
    assert plan.start <= plan.since <= plan.end
    assert plan.given >= 0
    lots = [lot for lot in account.lots if lot.grant.startswith(f"allowance:{plan.start}")]
    assert plan.given <= sum(lot.amount for lot in lots)
    assert not plan.renews or account.next_due <= plan.end


def _audit_slices(account: Account) -> None:
    drawn: Counter[str] = Counter()
    for held in account.reservations.values():
        assert held.held == sum(part.amount for part in held.slices)
        assert 0 <= held.held == held.amount - held.charged
        assert held.id not in account.ended
        drawn.update({part.grant: part.amount for part in held.slices})
    for charge in account.charges.values():
        assert 0 <= charge.left <= charge.amount
        assert charge.left == sum(part.amount for part in charge.slices)
        drawn.update({part.grant: part.amount for part in charge.slices})
    gone = paying = 0
    for lot in account.lots:
        assert min(lot.available, lot.gone, lot.owed, lot.revoked) >= 0
        used = lot.amount - lot.available - lot.gone
        assert used >= drawn[lot.grant], f"lot {lot.grant} gave more than it had"
        assert lot.owed <= lot.revoked <= lot.amount, "no more is asked back than was given"
        paying += used - drawn[lot.grant]  # what a grant had to pay of older debts
        gone += lot.gone
    forgotten = account.spent - sum(c.left for c in account.charges.values())
    assert gone + paying == account.expired + account.revoked + account.sent + forgotten
    owed = {lot.grant: lot.owed for lot in account.lots}
    for grant, debt in account.debts.items():
        assert 0 < debt <= owed[grant], "a debt is of what was held or spent of its grant"
    ends = [held.expires_at for held in account.reservations.values()]
    ends += [lot.expires_at - lot.ahead for lot in account.lots if lot.available]
    ends += [coming.effective_from for coming in account.upcoming.values()]
    ends += [sent.at + AGAIN_MS for sent in account.transfers.values()]
    assert account.next_due <= min(ends, default=account.next_due), "something is due unnoticed"


def caps_hold(accounts: Accounts, named: str, reservation: str) -> None:
    """What was just held passes no cap that it counts against, nor the runs at once."""
    account = accounts.get(named)
    assert account is not None
    runs = [held for held in account.reservations.values() if held.parent is None]
    most = account.controls.concurrency
    assert most is None or len(runs) <= most
    counts = account.reservations[reservation].counts
    for cap in account.controls.caps:
        if cap.window is CapWindow.EVER and (name := name_of(cap)) in counts:
            held = sum(r.held for r in account.reservations.values() if name in r.counts)
            assert account.counted.get(slot_of(cap), 0) + held <= cap.limit
