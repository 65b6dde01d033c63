"""The books: every purchase a stream of events in PostgreSQL, its notification log the outbox.

`change` loads a stream, lets a rule decide, and stores what is new; two that change the same stream
at once are told apart by the store, and the later one decides again on what the first one wrote.
Read models and errands are rows of the same transaction.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import MutableOrImmutableAggregate
from eventsourcing.persistence import IntegrityError, ProcessRecorder, StoredEvent, Tracking
from eventsourcing.postgres import PostgresProcessRecorder
from eventsourcing.utils import get_topic
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow

from payments.payer import Payer
from payments.purchase import Purchase
from payments.refusal import Refusal
from payments.rows import Statement, rows_of, rows_of_payer, rows_of_refusal
from payments.subscription import Subscription

SCHEMA = "payments"
TRIES_MAX = 20  # of one change against others of the same stream; each loser waits for a winner
POOL = 12  # connections: one for each thread that may change a stream at once
_NEWEST = (
    b"SELECT max(notification_id) AS newest FROM payments.books_events WHERE originator_id = %s"
)

_Said = TypeVar("_Said")


class Unknown(LookupError):
    """There is no such purchase."""


class Recorder(PostgresProcessRecorder):
    """Writes the rows that follow from events in the very transaction of the events."""

    def _insert_events(
        self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> None:
        rows: Sequence[Statement] = kwargs.get("rows", ())
        for statement in rows:
            curs.execute(statement.sql, statement.values)
        super()._insert_events(curs, stored_events, **kwargs)


class Books(Application[UUID]):
    """The event store, opened on one database. Thread-safe."""

    name = "books"
    log_section_size = 1_000
    snapshotting_intervals: ClassVar[dict[type[MutableOrImmutableAggregate[Any]], int]] = {
        Payer: 50,  # grows with every top-up, for ever; a purchase does not
        Subscription: 50,  # grows with every month
    }

    @classmethod
    def open(cls, postgres_url: str) -> "Books":
        """Open the books of a database; the schema must be there."""
        parts = conninfo_to_dict(postgres_url)
        return cls(
            {
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "PROCESS_RECORDER_TOPIC": get_topic(Recorder),
                "POSTGRES_DBNAME": str(parts.get("dbname") or ""),
                "POSTGRES_HOST": str(parts.get("host") or "127.0.0.1"),
                "POSTGRES_PORT": str(parts.get("port") or "5432"),
                "POSTGRES_USER": str(parts.get("user") or ""),
                "POSTGRES_PASSWORD": str(parts.get("password") or ""),
                "POSTGRES_SCHEMA": SCHEMA,
                "POSTGRES_POOL_SIZE": str(POOL),
                "POSTGRES_MAX_OVERFLOW": "4",
                "POSTGRES_CONNECT_TIMEOUT": "1",
                "POSTGRES_PRE_PING": "y",
            }
        )

    def construct_recorder(self) -> ProcessRecorder:
        """A recorder that tracks positions too."""
        return self.factory.process_recorder()

    @property
    def log(self) -> Recorder:  # type: ignore[override]
        """The store with its notification log and its tracking."""
        if not isinstance(self.recorder, Recorder):
            raise TypeError("the books are kept by their own recorder")
        return self.recorder

    def begin(self, purchase: Purchase) -> Purchase:
        """Store a new purchase; one that is there already is given back as it stands."""
        try:
            self.keep(purchase)
        except IntegrityError:
            return self.purchase(purchase.purchase)
        return purchase

    def purchase(self, name: str) -> Purchase:
        """The purchase as it stands; raises Unknown."""
        try:
            found: MutableOrImmutableAggregate[UUID] = self.repository.get(Purchase.named(name))
        except (AggregateNotFoundError, ValueError) as why:
            raise Unknown(name) from why
        if not isinstance(found, Purchase):
            raise Unknown(name)
        return found

    def change(self, name: str, rule: Callable[[Purchase], _Said]) -> _Said:
        """Let a rule decide on the newest state, and store what it decided; raises Unknown."""
        for _ in range(TRIES_MAX):
            purchase = self.purchase(name)
            said = rule(purchase)
            try:
                self.keep(purchase)
            except IntegrityError:
                continue
            return said
        raise RuntimeError(f"purchase {name} was changed by others {TRIES_MAX} times in a row")

    def keep(self, purchase: Purchase) -> None:
        """Store pending events with the rows that follow from them."""
        if purchase.pending_events:
            self.save(purchase, rows=rows_of(purchase))

    def payer(self, account: str) -> Payer:
        """Who pays for an account; opened when there is none yet."""
        try:
            found: Payer = self.repository.get(Payer.create_id(account))
        except AggregateNotFoundError:
            return Payer(account=account)
        return found

    def change_payer(self, account: str, rule: Callable[[Payer], _Said]) -> _Said:
        """Let a rule decide about the payer of an account, and store what it decided."""
        for _ in range(TRIES_MAX):
            payer = self.payer(account)
            said = rule(payer)
            try:
                self.save(payer, rows=rows_of_payer(payer))
            except IntegrityError:
                continue
            return said
        raise RuntimeError(f"the payer of {account} was changed {TRIES_MAX} times in a row")

    def subscription(self, account: str) -> Subscription:
        """The subscription of an account; opened when there is none yet."""
        try:
            found: Subscription = self.repository.get(Subscription.create_id(account))
        except AggregateNotFoundError:
            return Subscription(account=account)
        return found

    def change_subscription(self, account: str, rule: Callable[[Subscription], None]) -> None:
        """Let a rule decide about the subscription of an account, and store what is new."""
        for _ in range(TRIES_MAX):
            subscription = self.subscription(account)
            rule(subscription)
            if len(subscription.pending_events) == subscription.version == 1:
                return  # opened only, and nothing to say of it
            try:
                self.save(subscription)
            except IntegrityError:
                continue
            return
        raise RuntimeError(f"the subscription of {account} changed {TRIES_MAX} times in a row")

    def note_refusal(self, refusal: Refusal) -> None:
        """Store a command that the ledger refused; one that is there already stays as it is."""
        try:
            self.save(refusal, rows=rows_of_refusal(refusal))
        except IntegrityError:
            return

    def refusal(self, name: str) -> Refusal:
        """A refused command, by the name of its stream; raises Unknown."""
        try:
            found: MutableOrImmutableAggregate[UUID] = self.repository.get(UUID(hex=name))
        except (AggregateNotFoundError, ValueError) as why:
            raise Unknown(name) from why
        if not isinstance(found, Refusal):  # one name space holds the streams of every kind
            raise Unknown(name)
        return found

    def settle_refusal(self, name: str, actor: str, *, again: bool) -> bool:
        """A person decided: it is asked again, or stays undone. False when nothing waited."""
        refusal = self.refusal(name)
        if not refusal.settle(actor, again=again):
            return False
        self.save(refusal, rows=rows_of_refusal(refusal))
        return True

    def newest_notification(self, name: str) -> int:
        """The place in the notification log of the newest event of a purchase."""
        with self.log.datastore.get_connection() as connection:
            row = connection.execute(_NEWEST, (Purchase.named(name),)).fetchone()
        return int(row["newest"] or 0) if row is not None else 0

    def position(self, follower: str) -> int:
        """How far a follower of the notification log has come."""
        return self.log.max_tracking_id(follower) or 0

    def followed(self, follower: str, notification: int) -> None:
        """A follower has done everything up to here."""
        self.log.insert_tracking(Tracking(follower, notification))
