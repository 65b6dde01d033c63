"""What happens at Stripe, in the words of the tests: people pay, banks claim, periods end.

The same words for the double in this process and for the one behind HTTP.
"""

from abc import abstractmethod
from typing import Any

from stripe_double import control
from stripe_double.objects import (
    Dispute,
    FraudWarning,
    Payout,
    Refund,
    Session,
    Subscription,
)


class Happenings:
    """Says what happens; `happen` makes it so and gives the object that it was about."""

    @abstractmethod
    def happen(self, what: control.AnyHappening) -> Any:
        """Make it so."""

    def pay(self, session: str, *, later: bool = False) -> str:
        """Complete a session, the payment's name; `later`: the money comes by `settle`."""
        what = control.PayByBank(session) if later else control.Pay(session)
        paid: Session = self.happen(what)
        return paid.payment_intent or ""

    def settle(self, session: str, *, works: bool) -> None:
        self.happen(control.Settle(session, works))

    def expire(self, session: str) -> None:
        self.happen(control.Expire(session))

    def refund(self, intent: str, amount: int) -> Refund:
        made: Refund = self.happen(control.Refund(intent, amount))
        return made

    def refund_turns(self, refund: str, status: str) -> None:
        self.happen(control.RefundTurns(refund, status))

    def dispute(self, intent: str, amount: int, status: str = "needs_response") -> Dispute:
        made: Dispute = self.happen(control.Claim(intent, amount, status))
        return made

    def dispute_turns(self, dispute: str, status: str) -> None:
        """A new status; won gives the money back, and so does `reinstated` after a loss."""
        self.happen(control.ClaimTurns(dispute, status))

    def subscribe(self, session: str) -> str:
        """A session that begins a subscription is completed; the subscription's name."""
        paid: Session = self.happen(control.Pay(session))
        return paid.subscription or ""

    def renew(self, subscription: str, *, works: bool = True) -> None:
        self.happen(control.Renew(subscription, works))

    def subscription_turns(self, subscription: str, status: str) -> Subscription:
        made: Subscription = self.happen(control.SubscriptionTurns(subscription, status))
        return made

    def warn(self, intent: str) -> FraudWarning:
        made: FraudWarning = self.happen(control.Warn(intent))
        return made

    def unwarn(self, warning: str) -> None:
        self.happen(control.Unwarn(warning))

    def prefer(self, payer: str, card: str) -> None:
        """A payer leaves another card in the portal."""
        self.happen(control.Prefer(payer, card))

    def remove(self, card: str) -> None:
        """A payer takes a card away in the portal."""
        self.happen(control.Remove(card))

    def pay_out(self) -> Payout:
        made: Payout = self.happen(control.PayOut())
        return made

    def falsify(self, name: str, **fields: Any) -> None:
        """Give an object fields that it should not have."""
        self.happen(control.Falsify(name, **fields))
