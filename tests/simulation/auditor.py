"""The auditor: decides the commands of the log once more, one by one, and disagrees or is silent.

It shares decide and evolve with the ledger, not reader rule, header and memory of first outcomes.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import NoReturn

import msgspec
from bus.log import Record
from contracts.catalogue import Catalogue
from contracts.commands import AnyCommand, Expire
from contracts.credit_events import lots_of
from contracts.digest import differing, digest
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
    CreditsGranted,
    CreditsReceived,
    CreditsReserved,
    GrantScheduled,
    PartitionClaimed,
)
from contracts.reasons import Reason, RejectReason
from contracts.units import ANSWER_KEPT_MS, COMMAND_AGE_MAX_MS, Ms
from ledger.accounts import hash_of
from ledger.domain.account import Account
from ledger.domain.decide import decide
from ledger.domain.evolve import evolve, remember_answer
from ledger.domain.forgetting import touch
from ledger.domain.refusal import Refusal, refused
from ledger.resting import print_of

from contracts import codec
from tests.simulation.broker import SimPartition
from tests.simulation.history import History, rejection


class Anomaly(Exception):
    """What went wrong, and where."""


class First:
    """The first outcome of a command id, and those it had before it was forgotten on purpose."""

    __slots__ = ("at", "digest", "raws")

    def __init__(self, digest: str, raw: bytes, at: Ms) -> None:
        self.digest = digest
        self.raws = [raw]
        self.at = at


class Auditor:
    """One partition's auditor. Follows the log up to the high watermark, which never goes back."""

    def __init__(self, part: SimPartition, partitions: int, prices: Callable[[str], Catalogue]):
        self.part = part
        self.partitions = partitions
        self._prices = prices
        self._offset = 0
        self._token = ""
        self.seq = 0
        self._now: Ms = 0
        self._group: list[tuple[int, AnyEvent, bytes]] = []
        self.truth: list[bool] = []
        self.accounts: dict[str, Account] = {}
        self.first: dict[tuple[str, str], First] = {}
        self.commands = History()
        self._newest = -1  # of the history, that was decided
        self._ends: set[tuple[str, str]] = set()  # what may end by time, by account
        self._hashes: dict[int, tuple[int, str]] = {}  # accounts and hash, by the `seq` they follow
        self.skipped = 0
        self.stats: Counter[str] = Counter()

    def follow(self) -> None:
        """Look at what became final since last time; raises Anomaly."""
        part = self.part
        while self._offset < part.high:
            offset = self._offset
            self._offset = offset + 1
            event = part.event(offset)
            if isinstance(event, PartitionClaimed):
                self.truth.append(False)
                self._token = event.owner
                exact = event.at == offset
                self.stats["claims exact" if exact else "claims not exact"] += 1
                if exact and event.seq != self.seq:
                    self._object("CLAIM", offset, f"says {event.seq}, counted are {self.seq}")
                continue
            counts = event.owner == self._token and event.seq == self.seq + 1
            self.truth.append(counts)
            if not counts:
                self.skipped += 1
                continue
            self.seq += 1
            if isinstance(event, Checkpoint):
                self._checkpoint(offset, event)
                continue
            self._group.append((offset, event, part.events[offset].value))
            if event.command != self._group[0][1].command:
                self._object("SPLIT", offset, "the command before it has no answer")
            if event.answer:
                group, self._group = self._group, []
                self._compare(group)
                if event.account:
                    prints = sum(map(print_of, self.accounts.values()))
                    self._hashes[self.seq] = len(self.accounts), hash_of(prints)

    def _checkpoint(self, offset: int, event: Checkpoint) -> None:
        """The partition's own event: between commands, and true of the moment that it names."""
        self.stats["Checkpoint"] += 1
        if self._group:
            self._object("SPLIT", offset, "a checkpoint among the events of one command")
        said = event.accounts, event.state_hash
        if self._hashes[event.counted] != said:
            self._object("HASH", offset, f"says {said}, it is {self._hashes[event.counted]}")

    def undecided(self) -> str:
        """What in the commands topic was not decided yet; empty when all was."""
        oldest = self.commands.oldest_undecided(self.part.commands)
        if oldest is not None:
            return f"p{self.part.number} command {oldest.offset}"
        return f"p{self.part.number} half a command" if self._group else ""

    # ---- one command

    def _compare(self, group: list[tuple[int, AnyEvent, bytes]]) -> None:
        at, last, raw = group[-1]
        self.stats[type(last).__name__] += 1
        record = self._record(at, last)
        self._now = max(self._now, record.timestamp)
        got = [value for _, _, value in group]
        why = rejection(record, self.part.number, self.partitions)
        if why is not None:
            no = self._rejected(record, why, last)
            if got != [no]:
                self._object("EVENTS", at, f"{_shown(got)} expected {_shown([no])}")
            return
        command = codec.decode_command(record.value)
        expected = self._decided(record, command, last, raw)
        if got != expected:
            again = (command.account, command.id) in self.first
            kind = "TWICE" if again else "EVENTS"
            self._object(kind, at, f"{_shown(got)} expected {_shown(expected)}")
        self._remember(command, last, raw)
        self._check(self.accounts[command.account], at)

    def _record(self, at: int, event: AnyEvent) -> Record:
        """The command that the event names: it was in the log, not decided, in this order."""
        ref = event.command
        assert ref is not None
        known = self.commands.undecided(ref)
        if known is None:
            self._object("PROVENANCE", at, f"{ref} is no command, or was decided before")
        if known.number < self._newest:
            self._object("ORDER", at, f"command {ref.offset} after a later one")
        self._newest, known.decided = known.number, True
        return known.record

    def _rejected(self, record: Record, why: RejectReason, last: AnyEvent) -> bytes:
        event = CommandRejected(reason=why, sha256=hashlib.sha256(record.value).hexdigest())
        event.answer = True
        return self._stamped(event, CommandRef("", record.offset, record.timestamp), last, self.seq)

    def _decided(
        self, record: Record, command: AnyCommand, last: AnyEvent, raw: bytes
    ) -> list[bytes]:
        printed = digest(command)
        ref = CommandRef(command.id, record.offset, record.timestamp, printed)
        account = self.accounts.setdefault(command.account, Account(command.account))
        touch(account, self._now)
        events = self._outcome(command, printed, account, last)
        before = self.seq - len(events)
        written = []
        for place, event in enumerate(events, start=1):
            event.answer = place == len(events)
            event.account, event.actor, event.at = account.id, command.actor, self._now
            evolve(account, event)
            event.version = account.version
            event.balance = Balance(account.available, account.held, account.spent)
            written.append(self._stamped(event, ref, last, before + place))
            if isinstance(event, CreditsReserved):
                self._ends.add((account.id, event.reservation))
            elif isinstance(event, CreditsGranted | GrantScheduled):
                self._ends.add((account.id, event.grant))
            elif isinstance(event, CreditsReceived):
                self._ends |= {(account.id, grant) for grant, *_ in lots_of(event)}
        return written

    def _outcome(
        self, command: AnyCommand, printed: str, account: Account, last: AnyEvent
    ) -> tuple[AnyEvent, ...]:
        first = self.first.get((command.account, command.id))
        prices = self._prices(last.owner)
        if first is None:
            return decide(command, printed, account, self._now, prices)
        late = command.issued_at is not None and self._now - command.issued_at > COMMAND_AGE_MAX_MS
        if late and isinstance(last, CommandTooOld):
            return (CommandTooOld(kind=type(command).__name__, issued_at=command.issued_at or 0),)
        if command.id not in account.answers and self._now - first.at > ANSWER_KEPT_MS:
            return decide(command, printed, account, self._now, prices)
        if first.digest == printed:
            return (AnswerRepeated(first=msgspec.Raw(first.raws[-1])),)
        self.stats["id_conflict"] += 1
        no = Refusal(Reason.ID_CONFLICT, fields=differing(command, first.digest))
        return refused(command, no)

    def _remember(self, command: AnyCommand, last: AnyEvent, raw: bytes) -> None:
        if isinstance(last, AnswerRepeated) or _too_late(last):
            return
        account = self.accounts[command.account]
        if command.id not in account.answers:
            remember_answer(account, command.id, raw, last.at)
        key = (command.account, command.id)
        first = self.first.get(key)
        if first is None:
            self.first[key] = First(digest(command), raw, last.at)
        elif not _conflict(last):
            first.raws.append(raw)
            first.digest, first.at = digest(command), last.at

    def _stamped(self, event: AnyEvent, ref: CommandRef, last: AnyEvent, seq: int) -> bytes:
        event.v = VERSIONS[type(event).__name__]
        event.seq = seq
        event.owner, event.command, event.at = last.owner, ref, self._now
        return codec.encode(event)

    def _check(self, account: Account, at: int) -> None:
        a = account
        parts = (a.available, a.held, a.spent, a.expired, a.revoked, a.sent)
        held = sum(r.held for r in a.reservations.values())
        if a.granted + a.received != sum(parts) or min(parts) < 0:
            self._object("MONEY", at, f"{a.id}: {a.granted} granted, {parts}")
        if a.available != sum(lot.available for lot in a.lots) or a.held != held:
            self._object("LOTS", at, f"{a.id}: {parts}")

    def _object(self, kind: str, offset: int, what: str) -> NoReturn:
        raise Anomaly(f"{kind} p{self.part.number} offset {offset}: {what}")

    # ---- what others did with it

    def answered(self, offset: int, event: AnyEvent, raw: bytes) -> None:
        """A caller was told this; raises Anomaly unless it counts and is the first outcome."""
        if offset >= len(self.truth) or not self.truth[offset]:
            self._object("ANSWER", offset, "a caller was told what does not count")
        ref = event.command
        assert ref is not None
        told = bytes(event.first) if isinstance(event, AnswerRepeated) else raw
        if _conflict(event) or _too_late(event):
            return
        first = self.first.get((event.account, ref.id))
        if first is None or told not in first.raws:
            self._object("ANSWER", offset, f"not the first outcome of {ref.id}")

    def saw(self, offset: int, *, counts: bool) -> None:
        """A gateway counted this event, or did not; raises Anomaly unless the log says the same."""
        if self.truth[offset] is not counts:
            self._object("GATEWAY", offset, f"counts {counts}, the log says {not counts}")

    def emitted(self, command: Expire) -> None:
        """The courier sends only what follows from the log; raises Anomaly."""
        self.follow()
        named = command.reservation or command.grant or ""
        if (command.account, named) not in self._ends:
            raise Anomaly(f"COURIER {command.account}: {named} is in no counted event")

    def overdue(self, now: Ms) -> str:
        """A reservation or a lot that should have ended by now; empty when there is none."""
        for account in self.accounts.values():
            for held in account.reservations.values():
                if held.expires_at <= now:
                    return held.id
            for lot in account.lots:
                if lot.available and lot.expires_at <= now:
                    return lot.grant
        return ""


def _too_late(event: AnyEvent) -> bool:
    """Nothing was decided: a later try may still have its first outcome."""
    deadline = isinstance(event, CommandRefused) and event.reason is Reason.DEADLINE
    return deadline or isinstance(event, CommandTooOld)


def _conflict(event: AnyEvent) -> bool:
    return isinstance(event, CommandRefused) and event.reason is Reason.ID_CONFLICT


def _shown(events: list[bytes]) -> str:
    return "[" + ", ".join(raw.decode()[:400] for raw in events) + "]"
