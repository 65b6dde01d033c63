"""A shop in memory: the real handling, rules and relay's wishes over Stripe in memory.

The event store is the library's own in-memory one; the ledger is a strict little model that knows
grants, freezes and revokes, and refuses what the real one refuses.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from contracts.catalogue import bundled
from contracts.commands import (
    AnyCommand,
    Freeze,
    Grant,
    RecordPurchase,
    RecordTopUp,
    Revoke,
    SetPlan,
    Thaw,
)
from eventsourcing.persistence import Recording
from payments import seeing
from payments.books import Books
from payments.buying import Buying
from payments.dispatching import FOLLOWED
from payments.handling import Handling, Hint
from payments.index import Index, Listed
from payments.purchase import Purchase
from payments.rows import Statement
from payments.subscribing import Subscribing
from payments.subscription import Subscription
from payments.till import Till
from payments.wishes import plan_wishes, wishes

from tests.unit.payments.stripe_world import Stripe

CATALOGUE = bundled()


class MemoryBooks(Books):
    """The books without a database; rows are kept as two dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: dict[str, str] = {}
        self.listed: dict[str, Listed] = {}
        self.errands: dict[str, str] = {}
        self.refused: dict[str, str] = {}

    def save(
        self, *objs: Any, rows: Sequence[Statement] = (), **more: Any
    ) -> list[Recording[UUID]]:
        saved = super().save(*objs, **more)
        for row in rows:
            values = row.values
            if b"payments.objects" in row.sql:
                self.streams.setdefault(str(values["object"]), str(values["stream"]))
            elif b"payments.refusals" in row.sql:
                self._refusal(values)
            elif b"INTO payments.purchases" in row.sql:
                fields = {name: values[name] for name in Listed.__struct_fields__}
                self.listed[str(values["purchase"])] = Listed(**fields)  # type: ignore[arg-type]
            elif row.sql.startswith(b"DELETE"):
                self.errands.pop(str(values["name"]), None)
            else:
                self.errands[str(values["name"])] = str(values["stream"])
        return saved

    def _refusal(self, values: Mapping[str, str | int]) -> None:
        if "reason" in values:
            self.refused[str(values["refusal"])] = str(values["reason"])
        else:
            del self.refused[str(values["refusal"])]


class MemoryIndex:
    """The lookups over the same dictionaries."""

    def __init__(self, books: MemoryBooks) -> None:
        self._books = books
        self.hurried: list[str] = []

    def stream_of(self, stripe_object: str) -> str | None:
        return self._books.streams.get(stripe_object)

    def errands_now(self, account: str) -> None:
        self.hurried.append(account)

    def since(self, start: int) -> list[Listed]:
        listed = self._books.listed.values()
        return [x for x in listed if max(x.initiated_at, x.changed_at) >= start]


class Lot:
    def __init__(self, amount: int) -> None:
        self.left = amount
        self.debt = 0
        self.taken = 0
        self.frozen = False


class LedgerModel:
    """What the credits are, from commands alone. The same id decides once."""

    def __init__(self) -> None:
        self.lots: dict[str, Lot] = {}
        self.sources: set[str] = set()
        self.answered: set[str] = set()
        self.refuses = False  # to touch any lot
        self.full = False  # grants nothing more
        self.plans: list[str] = []
        self.recorded: list[tuple[str, str]] = []
        self.top_ups: list[tuple[str, bool]] = []

    def ask(self, command: AnyCommand) -> bool:
        """Decide once; false for a refusal."""
        if command.id in self.answered:
            return True
        self.answered.add(command.id)
        if self.refuses and isinstance(command, Freeze | Thaw | Revoke):
            return False
        if self.full and isinstance(command, Grant):
            return False
        self._decide(command)
        return True

    def _decide(self, command: AnyCommand) -> None:
        match command:
            case Grant():
                assert command.source not in self.sources, "one source, one grant"
                self.sources.add(command.source)
                self.lots[command.id] = Lot(command.amount)
            case Revoke():
                lot = self.lots[command.grant]
                amount = command.amount or lot.left
                taken = min(lot.left, amount)
                lot.left -= taken
                lot.debt += amount - taken
                lot.taken += amount
            case Freeze():
                self.lots[command.grant or ""].frozen = True
            case Thaw():
                self.lots[command.grant or ""].frozen = False
            case SetPlan():
                self.plans.append(command.plan)
            case RecordPurchase():
                self.recorded.append((command.purchase, command.state.value))
            case RecordTopUp():
                self.top_ups.append((command.state.value, command.rests))
            case _:
                raise AssertionError(command)

    def spend(self, grant: str, amount: int) -> int:
        lot = self.lots[grant]
        taken = 0 if lot.frozen else min(amount, lot.left)
        lot.left -= taken
        return taken

    @property
    def balance(self) -> int:
        return sum(lot.left - lot.debt for lot in self.lots.values())


class Shop:
    """Everything together."""

    def __init__(self) -> None:
        self.stripe = Stripe()
        self.books = MemoryBooks()
        self.ledger = LedgerModel()
        self.now = self.stripe.now_s * 1000
        till = cast("Till", self.stripe)
        self.index = MemoryIndex(self.books)
        self.handling = Handling(
            self.books, cast("Index", self.index), till, live=False, freezes=True
        )
        self.buying = Buying(self.books, till, CATALOGUE, "http://shop.example")
        self.subscribing = Subscribing(
            self.books, till, cast("Index", self.index), self.buying, live=False
        )
        self._relayed = 0

    def buy(self, pack: str = "starter", account: str = "ada", key: str = "") -> Purchase:
        return self.buying.start(account, CATALOGUE.packs[pack], key).purchase

    def hear(self, hints: Sequence[Hint]) -> None:
        for hint in hints:
            if hint.kind.startswith(FOLLOWED):
                self.subscribing.handle(hint)
            else:
                self.handling.handle(hint)
            self.relay()

    def relay(self) -> None:
        """Ask the ledger for what follows from new events, in order."""
        log = self.books.recorder.select_notifications(self._relayed + 1, 1_000)
        for notification in log:
            event = self.books.mapper.to_domain_event(notification)
            self._relayed = notification.id
            if notification.topic.startswith("payments.subscription:"):
                followed: Subscription = self.books.repository.get(event.originator_id)
                for command in plan_wishes(event, followed.account):
                    self.ledger.ask(command)
            if not notification.topic.startswith("payments.purchase:"):
                continue
            purchase = self.books.purchase(event.originator_id.hex)
            for command in wishes(event, purchase):
                heeded = self.ledger.ask(command)
                if not heeded and isinstance(command, Freeze | Thaw | Revoke):
                    self._refused(purchase.purchase, command)
                if isinstance(command, Grant) and heeded:
                    self._credited(purchase.purchase, command.id)
                elif isinstance(command, Grant):
                    self._not_granted(purchase.purchase, command.id)
        if log:
            self.relay()

    def _credited(self, purchase: str, grant: str) -> None:
        self.books.change(purchase, lambda found: seeing.credited(found, grant, self.now))

    def _not_granted(self, purchase: str, grant: str) -> None:
        self.books.change(purchase, lambda found: seeing.grant_refused(found, grant, "no"))

    def _refused(self, purchase: str, command: Freeze | Thaw | Revoke) -> None:
        self.books.change(purchase, lambda found: seeing.refused(found, command, "no"))

    def purchase(self, purchase: Purchase) -> Purchase:
        return self.books.purchase(purchase.purchase)
