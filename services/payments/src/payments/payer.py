"""Who pays for an account: Stripe's customer, the saved card, and the top-up that is under way.

One top-up at a time; a card that keeps being declined is left alone until there is another one:
card networks fine repeated tries.
"""

from uuid import UUID, uuid5

from contracts.units import HOUR, Ms
from eventsourcing.domain import Aggregate

PAYERS = UUID("b3f2c1de-8f0e-4a7b-9c55-1d2f6a7b8c90")  # the space that payers' streams are named in
TRIES_MAX = 4  # declines of one card in a row
FIRST_WAIT_MS = HOUR  # after the first decline; doubled after each
# Codes after which the same card is never tried again.
NEVER_AGAIN = frozenset(
    {
        "authentication_required",
        "do_not_try_again",
        "fraudulent",
        "invalid_account",
        "lost_card",
        "pickup_card",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stolen_card",
        "stop_payment_order",
        "transaction_not_allowed",
    }
)


class Payer(Aggregate):
    """One account's payer. No card data: Stripe's ids only."""

    class Opened(Aggregate.Created):
        account: str

    def __init__(self, *, account: str) -> None:
        self.account = account
        self.customer = ""
        self.card = ""
        self.under_way = ""  # the automatic top-up that is not settled yet
        self.declines = 0
        self.paused = False

    @staticmethod
    def create_id(account: str) -> UUID:
        """The stream of an account's payer."""
        return uuid5(PAYERS, account)

    class StripeKnown(Aggregate.Event):
        customer: str

        def apply(self, aggregate: "Payer") -> None:
            aggregate.customer = self.customer

    class CardSaved(Aggregate.Event):
        """Another card: what was paused goes on."""

        card: str

        def apply(self, aggregate: "Payer") -> None:
            aggregate.card, aggregate.declines, aggregate.paused = self.card, 0, False

    class CardRemoved(Aggregate.Event):
        """Its owner took it away: nothing is charged until there is another."""

        card: str

        def apply(self, aggregate: "Payer") -> None:
            aggregate.card = ""

    class TopUpBegun(Aggregate.Event):
        purchase: str

        def apply(self, aggregate: "Payer") -> None:
            aggregate.under_way = self.purchase

    class TopUpOver(Aggregate.Event):
        worked: bool

        def apply(self, aggregate: "Payer") -> None:
            aggregate.under_way = ""
            if self.worked:
                aggregate.declines = 0

    class Declined(Aggregate.Event):
        """`paused`: this card is not tried again."""

        code: str
        paused: bool

        def apply(self, aggregate: "Payer") -> None:
            aggregate.declines += 1
            aggregate.paused = self.paused

    def know(self, customer: str) -> None:
        """Stripe's customer object of this account; the first one stays."""
        if not self.customer:
            self.trigger_event(Payer.StripeKnown, customer=customer)

    def save(self, card: str) -> bool:
        """A card that its owner let us keep; true when it is another one."""
        if card == self.card:
            return False
        self.trigger_event(Payer.CardSaved, card=card)
        return True

    def remove(self, card: str) -> None:
        """A card that its owner took away."""
        if card and card == self.card:
            self.trigger_event(Payer.CardRemoved, card=card)

    def begin(self, purchase: str) -> bool:
        """Begin an automatic top-up; false while one is under way, paused, or without a card."""
        if self.under_way == purchase:
            return True
        if self.under_way or self.paused or not self.card:
            return False
        self.trigger_event(Payer.TopUpBegun, purchase=purchase)
        return True

    def over(self, purchase: str, *, worked: bool) -> None:
        """The top-up under way is settled."""
        if self.under_way == purchase:
            self.trigger_event(Payer.TopUpOver, worked=worked)

    def decline(self, code: str) -> Ms | None:
        """The card was declined: how long to wait before it is tried again; None: never."""
        last = code in NEVER_AGAIN or self.declines + 1 >= TRIES_MAX
        self.trigger_event(Payer.Declined, code=code, paused=last)
        return None if last else FIRST_WAIT_MS << (self.declines - 1)
