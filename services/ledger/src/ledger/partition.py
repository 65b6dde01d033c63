"""One partition's whole state, and the two ways it moves: by deciding, and by replay. No I/O.

Both end in the same `evolve`, so a partition that decided and one that replayed are equal.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from typing import get_args

from bus.log import KeyValue, Record
from bus.partition import partition_of
from bus.reader import Position, Reader
from contracts.catalogue import Catalogue
from contracts.commands import Actor, AnyCommand, Receive, Send
from contracts.digest import digest
from contracts.events import (
    VERSIONS,
    AnswerRepeated,
    AnyEvent,
    Balance,
    Checkpoint,
    CommandRef,
    CommandRefused,
    CommandRejected,
    CommandTooOld,
    PartitionClaimed,
)
from contracts.reasons import Reason, RejectReason
from contracts.units import ANSWER_KEPT_MS, FOREVER, RECORD_BYTES_MAX, Ms

from contracts import codec
from ledger.accounts import Accounts
from ledger.buckets import Summary
from ledger.checkpoints import EVERY_EVENTS, PRINTS_A_TURN, Checkpoints, stamped
from ledger.domain.account import Account
from ledger.domain.decide import decide
from ledger.domain.evolve import evolve, remember_answer
from ledger.domain.forgetting import touch
from ledger.dues import Dues
from ledger.resting import layout
from ledger.restored import Restored
from ledger.tally import Tally

PROVENANCE_MAX = 100_000  # commands behind the newest; a cut deeper than this is decided anew

FOLLOWED = frozenset({Receive, Send})
_NO_OUTCOME = frozenset({AnswerRepeated, CommandTooOld, CommandRejected, Checkpoint})
_VERSION = {kind: VERSIONS[kind.__name__] for kind in get_args(AnyEvent)}


class PartitionCountError(RuntimeError):
    """The log was written for another number of partitions; that number can never change."""


class Partition:
    """The accounts of one partition and where their log stands."""

    def __init__(
        self, number: int, partitions: int, catalogue: Catalogue, every: int = EVERY_EVENTS
    ) -> None:
        self.number = number
        self.partitions = partitions
        self.catalogue = catalogue
        self.checkpoints = Checkpoints(every)
        self.accounts = Accounts()
        self.dues = Dues()
        self.reader = Reader()
        self.now: Ms = 0
        self.provenance: deque[CommandRef] = deque(maxlen=PROVENANCE_MAX)
        self._tally = Tally()
        self.newest: CommandRef | None = None  # the last command that was decided
        self.accountless = 0  # events that belong to no account
        self.followed: list[AnyCommand] = []  # decided, and something may follow: the courier's
        # Of the snapshots: what they are written under, how many samples they have, and the newest
        # marker's `seq`.
        self.layout = layout()
        self.lineage = 0
        self.samples_kept = 1
        self.marked = 0
        self.restored = Restored()
        self.restored_from = 0  # the `seq` of the snapshot that this state began with

    # ---- replay

    def replay(self, records: Iterable[Record]) -> None:
        """Take records of `ledger.events` in order; what does not count changes nothing."""
        decode, counts, restored = codec.decode_event, self.reader.counts, self.restored
        for record in records:
            event = decode(record.value)
            if counts(record.offset, event):
                if record.offset < restored.upto and restored.has_seen(event, record.offset):  # type: ignore[arg-type]
                    self._pass_over(event)  # type: ignore[arg-type]
                else:
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

    def restore(self, at: Position, now: Ms, newest: CommandRef | None, events: int) -> None:
        """Stand where a snapshot stands; the accounts in it are told that many events."""
        self.reader = Reader(at)
        self.now, self.newest, self.marked = now, newest, at.seq
        self.accountless, self.restored_from = at.seq - events, at.seq
        self.restored = Restored(events)
        self.checkpoints.skip_to(at.seq)
        if newest is not None:
            self.provenance.append(newest)

    def fill(self, bucket: int, upto: int, found: Summary, body: bytes) -> None:
        """Take over a bucket that has seen the events before the offset `upto`."""
        self.accounts.fill(bucket, found, body)
        self.dues.add_bucket(found.due, bucket)
        self.restored.fill(bucket, upto, found.events)

    def _pass_over(self, event: AnyEvent) -> None:
        """An event that its account has seen already."""
        self.now = max(self.now, event.at)
        if event.command is not None and event.answer:
            self.provenance.append(event.command)

    def _remember(self, event: AnyEvent, raw: bytes) -> None:
        self.now = max(self.now, event.at)
        ref = event.command
        if ref is not None and event.answer:
            self.provenance.append(ref)
        if not event.account:
            self.accountless += 1
            if type(event) is Checkpoint:
                self.checkpoints.compare(event, self.accounts)
            return
        account = self.accounts.get(event.account)
        if account is None:
            account = Account(event.account)
            self.accounts.add(account)
        elif self.accounts.frozen or event.at - account.answers_since > ANSWER_KEPT_MS:
            self._touched(account, event.at)
        evolve(account, event)
        if account.next_due < FOREVER:
            self.dues.add(account.next_due, account.id)
        if (
            event.answer
            and ref is not None
            and _is_outcome(event)
            and ref.id not in account.answers
        ):
            remember_answer(account, ref.id, raw, event.at)
        if event.answer and self.reader.offset >= self.restored.upto:
            self.checkpoints.passed(self.reader.seq, self.accounts)

    def _touched(self, account: Account, at: Ms) -> None:
        """First of all: what is frozen is printed as it is, what is over is forgotten."""
        if account.id in self.accounts.frozen:
            self.accounts.thaw(account)
        touch(account, at)

    def due(self, now: Ms, most: int) -> list[str]:
        """Accounts of which something may be due, about so many at most."""
        return self.dues.take(now, most, self.accounts.dues_in)

    # ---- deciding

    def start_deciding(self) -> None:
        """From our own exact claim on, this state decides."""
        if self.provenance:
            self.newest = self.provenance[-1]
        self.provenance.clear()
        self.restored = Restored()

    def decide(self, record: Record) -> Sequence[KeyValue]:
        """The records that one command gives, all of them for one batch."""
        self.now = max(self.now, record.timestamp)
        value = record.value or b""  # a deleted record has none, and is rejected like any bytes
        if len(value) > RECORD_BYTES_MAX:
            return (self._rejected(record, RejectReason.TOO_LARGE),)
        try:
            command = codec.decode_command(value)
        except codec.CodecError:
            return (self._rejected(record, RejectReason.UNDECODABLE),)
        name = command.account
        if record.key != name.encode():
            return (self._rejected(record, RejectReason.WRONG_KEY),)
        account = self.accounts.get(name)
        if account is None:
            if partition_of(name, self.partitions) != self.number:
                return (self._rejected(record, RejectReason.WRONG_PARTITION),)
            account = Account(name)
            self.accounts.add(account)
        elif self.accounts.frozen or self.now - account.answers_since > ANSWER_KEPT_MS:
            self._touched(account, self.now)
        if type(command) in FOLLOWED:
            self.followed.append(command)
        printed = digest(command)
        events = decide(command, printed, account, self.now, self.catalogue)
        ref = CommandRef(command.id, record.offset, record.timestamp, printed)
        return self._written(events, ref, command.actor, account, record.key)

    def _written(
        self,
        events: tuple[AnyEvent, ...],
        ref: CommandRef,
        actor: Actor,
        account: Account,
        key: bytes,
    ) -> Sequence[KeyValue]:
        """The hottest lines of Scrip: every command passes here, so nothing is done twice."""
        written = []
        now, last, reader = self.now, events[-1], self.reader
        last.answer = True
        for event in events:
            reader.seq = event.seq = reader.seq + 1
            event.v = _VERSION[type(event)]
            event.owner = reader.token
            event.command = ref
            event.at = now
            event.account = account.id
            event.actor = actor
            evolve(account, event)
            event.version = account.version
            event.balance = Balance(account.available, account.held, account.spent)
            written.append((key, codec.encode(event)))
        if account.next_due < FOREVER:
            self.dues.add(account.next_due, account.id)
        if _is_outcome(last) and ref.id not in account.answers:
            remember_answer(account, ref.id, written[-1][1], now)
        reader.commands_from = ref.offset + 1
        self.newest = ref
        self.checkpoints.passed(reader.seq, self.accounts)
        self._tally.count(last)
        return written

    def checkpoint(self, decided: int) -> KeyValue | None:
        """Print a few of the accounts in use; gives the record of a checkpoint that is whole."""
        event = self.checkpoints.turn(self.accounts, PRINTS_A_TURN + decided // 4)
        if event is None:
            return None
        self.reader.seq += 1
        self.accountless += 1
        return b"", codec.encode(stamped(event, self.reader.seq, self.reader.token, self.now))

    @property
    def outcomes(self) -> dict[tuple[str, str], int]:
        """How many commands were decided since the takeover, by answer and reason."""
        return self._tally.outcomes

    def _rejected(self, record: Record, why: RejectReason) -> KeyValue:
        self.reader.seq += 1
        event = CommandRejected(
            v=_VERSION[CommandRejected],
            seq=self.reader.seq,
            owner=self.reader.token,
            command=CommandRef("", record.offset, record.timestamp),
            at=self.now,
            answer=True,
            reason=why,
            sha256=hashlib.sha256(record.value or b"").hexdigest(),
        )
        self.newest = event.command
        self.accountless += 1
        self.reader.commands_from = record.offset + 1
        self._tally.count(event)
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


def _is_outcome(answer: AnyEvent) -> bool:
    """Whether the answer stands for later tries: too late or unreadable, nothing was decided."""
    kind = type(answer)
    if kind is CommandRefused:
        return answer.reason is not Reason.DEADLINE  # type: ignore[union-attr]
    return kind not in _NO_OUTCOME
