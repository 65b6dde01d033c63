"""One account's subscription, remembered: the plan that was paid, until when, and how it stands.

    asked → active (renewed, changed) → past due → active | ended

The rules are in `subscribing`. Which plan is paid follows from the price that was charged and our
own catalogue, never from metadata.
"""

from uuid import UUID, uuid5

from eventsourcing.domain import Aggregate

SUBSCRIPTIONS = UUID("0d9c7c1e-6a35-4c0e-9d1c-94f1b1d7f7a2")  # the space of their streams' names


class Subscription(Aggregate):
    """An account has at most one."""

    class Opened(Aggregate.Created):
        account: str

    def __init__(self, *, account: str) -> None:
        self.account = account
        self.subscription = ""  # Stripe's id
        self.item = ""
        self.plan = ""  # the one that is paid
        self.period_start = 0
        self.period_end = 0
        self.state = "none"
        self.ends = False  # at the end of the period
        self.created = 0  # when Stripe made the subscription that is followed

    @staticmethod
    def create_id(account: str) -> UUID:
        """The stream of an account's subscription."""
        return uuid5(SUBSCRIPTIONS, account)

    class PlanPaid(Aggregate.Event):
        """A plan is paid for a period, seconds since the epoch: begun, renewed or changed."""

        subscription: str
        item: str
        plan: str
        period_start: int
        period_end: int
        created: int

        def apply(self, aggregate: "Subscription") -> None:
            aggregate.subscription, aggregate.item = self.subscription, self.item
            aggregate.plan, aggregate.created = self.plan, self.created
            aggregate.period_start, aggregate.period_end = self.period_start, self.period_end
            aggregate.state = "active"

    class FellDue(Aggregate.Event):
        """A renewal was not paid; the allowance of the old period ends with it."""

        def apply(self, aggregate: "Subscription") -> None:
            aggregate.state = "past_due"

    class EndChanged(Aggregate.Event):
        """It ends with the period, or goes on after all."""

        ends: bool

        def apply(self, aggregate: "Subscription") -> None:
            aggregate.ends = self.ends

    class Ended(Aggregate.Event):
        """Over: back to the plan that costs nothing."""

        subscription: str

        def apply(self, aggregate: "Subscription") -> None:
            aggregate.state, aggregate.plan, aggregate.ends = "ended", "", False

    class Misfitted(Aggregate.Event):
        """What is charged is no plan of ours: nothing is given, a person must look."""

        subscription: str
        seen: str

        def apply(self, aggregate: "Subscription") -> None:
            aggregate.state = "quarantined"
