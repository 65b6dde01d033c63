"""One partition's whole state, and the two ways it moves: by deciding, and by replay. No I/O.

Both end in the same `evolve`, so a partition that decided and one that replayed are equal.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence

from bus.log import KeyValue, Record
from bus.partition import partition_of
from bus.reader import Position, Reader
from contracts.catalogue import Catalogue
from contracts.commands import AnyCommand
from contracts.digest import digest
from contracts.events import (
    VERSIONS,
    AnswerRepeated,
    AnyEvent,
    Balance,
    Checkpoint,
    CommandRef,
    CommandRejected,
    CommandTooOld,
    PartitionClaimed,
)
from contracts.reasons import RejectReason
from contracts.units import RECORD_BYTES_MAX, Ms

from contracts import codec
from ledger.accounts import Accounts
from ledger.domain.account import Account
from ledger.domain.decide import decide
from ledger.domain.evolve import evolve, remember_answer
from ledger.dues import Dues

PROVENANCE_MAX = 100_000  # commands behind the newest; a cut deeper than this is decided anew

_NO_OUTCOME = (AnswerRepeated, CommandTooOld, CommandRejected, Checkpoint)


class PartitionCountError(RuntimeError):
    """The log was written for another number of partitions; that number can never change."""


class Partition:
    """The accounts of one partition and where their log stands."""

    def __init__(self, number: int, partitions: int, catalogue: Catalogue) -> None:
        self.number = number
        self.partitions = partitions
        self.catalogue = catalogue
        self.accounts = Accounts()
        self.dues = Dues()
        self.reader = Reader()
        self.now: Ms = 0
        self.provenance: deque[CommandRef] = deque(maxlen=PROVENANCE_MAX)
        self.outcomes: dict[tuple[str, str], int] = {}  # (event, reason) -> how many were decided

    # ---- replay

    def replay(self, records: Iterable[Record]) -> None:
        """Take records of `ledger.events` in order; what does not count changes nothing."""
        decode, counts = codec.decode_event, self.reader.counts
        for record in records:
            event = decode(record.value)
            if counts(record.offset, event):
                self._remember(event, record.value)  # type: ignore[arg-type]
            elif isinstance(event, PartitionClaimed):
                self._claimed(record.offset, event)

    def _claimed(self, offset: int, claim: PartitionClaimed) -> None:
        if claim.partitions != self.partitions:
            raise PartitionCountError(
                f"the log has {claim.partitions} partitions, this ledger was told"
                f" {self.partitions}: create the topics as they were"
            )
        if claim.at == offset:
            while self.provenance and self.provenance[-1].offset >= claim.commands_from:
                self.provenance.pop()

    def _remember(self, event: AnyEvent, raw: bytes) -> None:
        self.now = max(self.now, event.at)
        ref = event.command
        if ref is not None and event.answer:
            self.provenance.append(ref)
        if not event.account:
            return
        account = self.accounts.get(event.account)
        if account is None:
            account = Account(event.account)
            self.accounts.add(account)
        self._apply(account, event)
        if event.answer and ref is not None and not isinstance(event, _NO_OUTCOME):
            _keep(account, ref.id, raw, event.at)

    # ---- deciding

    def start_deciding(self) -> None:
        """From our own exact claim on, this state decides."""
        self.provenance.clear()

    def decide(self, record: Record) -> Sequence[KeyValue]:
        """The records that one command gives, all of them for one batch."""
        self.now = now = max(self.now, record.timestamp)
        if len(record.value) > RECORD_BYTES_MAX:
            return (self._rejected(record, RejectReason.TOO_LARGE),)
        try:
            command = codec.decode_command(record.value)
        except codec.CodecError:
            return (self._rejected(record, RejectReason.UNDECODABLE),)
        key = command.account.encode()
        if record.key != key:
            return (self._rejected(record, RejectReason.WRONG_KEY),)
        account = self.accounts.get(command.account)
        if account is None:
            if partition_of(command.account, self.partitions) != self.number:
                return (self._rejected(record, RejectReason.WRONG_PARTITION),)
            account = Account(command.account)
            self.accounts.add(account)
        printed = digest(command)
        events = decide(command, printed, account, now, self.catalogue)
        ref = CommandRef(command.id, record.offset, record.timestamp, printed)
        self.reader.commands_from = record.offset + 1
        return self._written(events, ref, command, account, key)

    def _written(
        self,
        events: tuple[AnyEvent, ...],
        ref: CommandRef,
        command: AnyCommand,
        account: Account,
        key: bytes,
    ) -> Sequence[KeyValue]:
        written = []
        last = events[-1]
        for event in events:
            event.answer = event is last
            event.actor = command.actor
            self._stamp(event, ref)
            event.account = account.id
            self._apply(account, event)
            event.version = account.version
            event.balance = Balance(account.available, account.held, account.spent)
            written.append((key, codec.encode(event)))
        if not isinstance(last, _NO_OUTCOME):
            _keep(account, ref.id, written[-1][1], last.at)
        outcome = (type(last).__name__, getattr(last, "reason", None) or "")
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        return written

    def _stamp(self, event: AnyEvent, ref: CommandRef) -> None:
        self.reader.seq += 1
        event.v = VERSIONS[type(event).__name__]
        event.seq = self.reader.seq
        event.owner = self.reader.token
        event.command = ref
        event.at = self.now

    def _apply(self, account: Account, event: AnyEvent) -> None:
        due = account.next_due
        evolve(account, event)
        if account.next_due != due:
            self.dues.add(account.next_due, account.id)

    def _rejected(self, record: Record, why: RejectReason) -> KeyValue:
        event = CommandRejected(reason=why, sha256=hashlib.sha256(record.value).hexdigest())
        event.answer = True
        self._stamp(event, CommandRef("", record.offset, record.timestamp))
        self.reader.commands_from = record.offset + 1
        outcome = (type(event).__name__, why.value)
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        return (record.key or b"", codec.encode(event))

    # ---- the claim

    def claim(self, token: str, at: int) -> PartitionClaimed:
        """What a claim that expects to land at `at` says of this state."""
        return PartitionClaimed(
            v=VERSIONS[PartitionClaimed.__name__],
            owner=token,
            at=at,
            seq=self.reader.seq,
            commands_from=self.reader.commands_from,
            partitions=self.partitions,
        )

    @property
    def position(self) -> Position:
        """Where the reader of this state stands."""
        return self.reader.position


def _keep(account: Account, command: str, answer: bytes, at: Ms) -> None:
    """The first answer stands: a refused second question under its id does not replace it."""
    if command not in account.answers:
        remember_answer(account, command, answer, at)
