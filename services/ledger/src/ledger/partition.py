"""One partition's whole state, and the two ways it moves: by deciding, and by replay. No I/O.

Both end in the same `evolve`, so a partition that decided and one that replayed are equal.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import get_args

from bus.log import KeyValue, Record
from bus.partition import partition_of
from bus.reader import Reader
from contracts.catalogue import Catalogue
from contracts.commands import Actor
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
from contracts.units import RECORD_BYTES_MAX, Ms

from contracts import codec
from ledger.accounts import Accounts
from ledger.domain.account import Account
from ledger.domain.decide import decide
from ledger.domain.evolve import evolve, remember_answer
from ledger.dues import Dues

PROVENANCE_MAX = 100_000  # commands behind the newest; a cut deeper than this is decided anew

_NO_OUTCOME = frozenset({AnswerRepeated, CommandTooOld, CommandRejected, Checkpoint})
_NO = (CommandRefused, CommandRejected)
_MOVES_NOTHING = _NO_OUTCOME | {CommandRefused}
_VERSION = {kind: VERSIONS[kind.__name__] for kind in get_args(AnyEvent)}


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
        self._answers: defaultdict[type, int] = defaultdict(int)
        self._noes: defaultdict[Reason | RejectReason, int] = defaultdict(int)

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
        due = account.next_due
        evolve(account, event)
        if account.next_due != due or self._unwatched(due, event):
            self.dues.add(account.next_due, account.id)
        if (
            event.answer
            and ref is not None
            and _is_outcome(event)
            and ref.id not in account.answers
        ):
            remember_answer(account, ref.id, raw, event.at)

    # ---- deciding

    def start_deciding(self) -> None:
        """From our own exact claim on, this state decides."""
        self.provenance.clear()

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
        now, due, last, reader = self.now, account.next_due, events[-1], self.reader
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
        if account.next_due != due or (
            due <= self.dues.taken_until and self._unwatched(due, events[0])
        ):
            self.dues.add(account.next_due, account.id)
        if _is_outcome(last) and ref.id not in account.answers:
            remember_answer(account, ref.id, written[-1][1], now)
        reader.commands_from = ref.offset + 1
        self._count(last)
        return written

    def _unwatched(self, due: Ms, event: AnyEvent) -> bool:
        """Whether the event may have brought something due that no entry of the dues stands for."""
        return due <= self.dues.taken_until and type(event) not in _MOVES_NOTHING

    def _count(self, answer: AnyEvent) -> None:
        self._answers[type(answer)] += 1
        if isinstance(answer, _NO):
            self._noes[answer.reason] += 1

    @property
    def outcomes(self) -> dict[tuple[str, str], int]:
        """How many commands were decided since the takeover, by answer and reason."""
        counts = {(kind.__name__, ""): count for kind, count in self._answers.items()}
        for reason, count in self._noes.items():
            kind = CommandRejected if isinstance(reason, RejectReason) else CommandRefused
            counts[kind.__name__, reason.value] = count
            counts[kind.__name__, ""] -= count
        return {outcome: count for outcome, count in counts.items() if count}

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
        self.reader.commands_from = record.offset + 1
        self._count(event)
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
