"""One purchase, remembered: what the money did, and which lots of credits stand for it.

    initiated → paid → credited → (partly refunded, refunded, disputed, lost, reinstated)
            └─► failed | expired | quarantined → released | rejected

Only memory lives here; the rules are in `seeing` and `standing`. Refunds and disputes of a payment
are parts of its purchase, because they are netted against each other.
"""

from uuid import UUID

from contracts.units import Credits, Ms
from eventsourcing.domain import Aggregate

from payments.netting import DisputePart, LotPart, RefundPart, Unheeded, standing_of


class Purchase(Aggregate):
    """An order of ours, by its own id; nothing in it comes from a redirect or from metadata."""

    class Initiated(Aggregate.Created):
        purchase: str
        account: str
        pack: str
        credits: int
        price_minor: int
        currency: str
        expires_days: int
        way: str

    def __init__(
        self,
        *,
        purchase: str,
        account: str,
        pack: str,
        credits: Credits,  # noqa: A002 - the word of the domain
        price_minor: int,
        currency: str,
        expires_days: int,
        way: str,
    ) -> None:
        self.purchase = purchase
        self.account = account
        self.pack = pack
        self.credits = credits
        self.price_minor = price_minor
        self.currency = currency
        self.expires_days = expires_days
        self.way = way
        self.session = ""
        self.url = ""
        self.intent = ""
        self.paid_at: Ms = 0
        self.expires_at: Ms = 0
        self.credited_at: Ms = 0
        self.ended = ""  # failed or expired: no money came
        self.quarantine = ""  # why an operator must look; empty when nothing is wrong
        self.rejected = False
        self.tries = 0  # grants that the ledger refused
        self.declines = 0  # of a saved card
        self.frozen = False
        self.lots: dict[str, LotPart] = {}
        self.refunds: dict[str, RefundPart] = {}
        self.asked: dict[str, int] = {}  # our refunds that Stripe has not settled yet
        self.disputes: dict[str, DisputePart] = {}
        self.unheeded: dict[str, Unheeded] = {}  # commands that the ledger refused
        self.warnings: dict[str, bool] = {}  # early fraud warnings; True: still to be acted on

    @staticmethod
    def create_id(purchase: str, **_: object) -> UUID:
        """The stream's id is the order's."""
        return UUID(hex=purchase)

    class SessionOpened(Aggregate.Event):
        session: str
        url: str

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.session, aggregate.url = self.session, self.url

    class IntentKnown(Aggregate.Event):
        intent: str

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.intent = self.intent

    class Paid(Aggregate.Event):
        """The money arrived and is what we asked for. From here on the account gets `grant`."""

        intent: str
        grant: str
        at: int
        expires_at: int

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.intent = self.intent
            aggregate.paid_at, aggregate.expires_at = self.at, self.expires_at
            aggregate.ended = aggregate.quarantine = ""
            aggregate.lots[self.grant] = LotPart(aggregate.credits)

    class Credited(Aggregate.Event):
        """The ledger's counted answer: the credits are there."""

        grant: str
        at: int

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.credited_at = self.at

    class GrantRefused(Aggregate.Event):
        """Paid, and the ledger gave no credits: it waits for a person like any misfit."""

        grant: str
        reason: str

        def apply(self, aggregate: "Purchase") -> None:
            del aggregate.lots[self.grant]
            aggregate.paid_at = 0
            aggregate.tries += 1
            aggregate.quarantine = "ledger_refused"

    class Ended(Aggregate.Event):
        """No money came: `failed` or `expired`. A late payment still counts."""

        how: str
        reason: str

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.ended = self.how

    class Declined(Aggregate.Event):
        """A saved card was declined; it is tried again later."""

        code: str
        number: int

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.declines += 1

    class RefundAsked(Aggregate.Event):
        refund: str
        amount_minor: int
        reason: str
        actor: str

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.asked[self.refund] = self.amount_minor

    class RefundRefused(Aggregate.Event):
        """Stripe will not do the refund that we asked for."""

        refund: str
        reason: str

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.asked.pop(self.refund, None)

    class RefundSeen(Aggregate.Event):
        refund: str
        ours: str
        amount_minor: int
        status: str

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.refunds[self.refund] = RefundPart(self.amount_minor, self.status, self.ours)
            if self.status not in {"pending", "requires_action"}:
                aggregate.asked.pop(self.ours, None)

    class DisputeSeen(Aggregate.Event):
        dispute: str
        amount_minor: int
        status: str

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.disputes[self.dispute] = DisputePart(self.amount_minor, self.status)

    class WarningSeen(Aggregate.Event):
        warning: str
        open: bool

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.warnings[self.warning] = self.open

    class Frozen(Aggregate.Event):
        effect: str
        grants: list[str]

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.frozen = True

    class Thawed(Aggregate.Event):
        effect: str
        grants: list[str]

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.frozen = False

    class Revoked(Aggregate.Event):
        """Credits go back with the money: so many of one lot."""

        effect: str
        grant: str
        credits: int

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.lots[self.grant].revoked += self.credits

    class Returned(Aggregate.Event):
        """Money that had gone came back, and the credits with it, as a new lot."""

        effect: str
        credits: int
        expires_at: int

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.lots[self.effect] = LotPart(self.credits)

    class Refused(Aggregate.Event):
        """The ledger refused a command about a lot: credits and money differ until it is heeded."""

        command: str
        kind: str
        grant: str
        credits: int
        reason: str

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.unheeded[self.command] = Unheeded(self.kind, self.grant, self.credits)

    class AskedAgain(Aggregate.Event):
        """It is asked once more, under a new name: by a person, or because lot and money differ."""

        command: str
        kind: str
        grant: str
        credits: int

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.unheeded.pop(self.command, None)

    class LetStand(Aggregate.Event):
        """A person decided that what the ledger refused stays undone."""

        command: str
        actor: str

        def apply(self, aggregate: "Purchase") -> None:
            one = aggregate.unheeded.pop(self.command)
            aggregate.lots.get(one.grant, LotPart(0)).let_stand(one)

    class ReturnRefused(Aggregate.Event):
        """The ledger did not give back credits whose money had come back."""

        grant: str
        reason: str

        def apply(self, aggregate: "Purchase") -> None:
            lot = aggregate.lots.pop(self.grant)
            aggregate.unheeded[self.grant] = Unheeded("Grant", self.grant, lot.granted)

    class ReturnAskedAgain(Aggregate.Event):
        grant: str

        def apply(self, aggregate: "Purchase") -> None:
            del aggregate.unheeded[self.grant]

    class Quarantined(Aggregate.Event):
        """Something does not fit: nothing is granted until a person decided."""

        reason: str
        seen: str

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.quarantine = self.reason

    class Rejected(Aggregate.Event):
        actor: str

        def apply(self, aggregate: "Purchase") -> None:
            aggregate.rejected = True

    @property
    def state(self) -> str:
        """One word for people; details are in the parts."""
        if self.rejected:
            return "rejected"
        if self.quarantine:
            return "quarantined"
        if not self.paid_at:
            return self.ended or "initiated"
        return standing_of(
            self.price_minor, self.refunds, self.disputes, credited=self.credited_at > 0
        )

    @classmethod
    def named(cls, purchase: str) -> UUID:
        """The stream of an order."""
        return cls.create_id(purchase)
