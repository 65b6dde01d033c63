"""A world for property tests: one log, and three partitions that must never disagree about it.

`live` decides with nearly all accounts at rest; `roomy` decides the same commands with all of them
in use; `reading` only reads the log, as it grows, and at the end so does one that starts anew.
`Books` adds the events up by itself, knowing no rule.
"""

from collections import Counter
from typing import Any

import msgspec
from bus.log import Record
from contracts.commands import AnyCommand
from contracts.credit_events import lots_of
from contracts.events import AnyEvent
from contracts.reasons import Reason
from contracts.units import ANSWER_KEPT_MS, DAY, Credits, Ms
from ledger.accounts import Accounts
from ledger.domain.account import Account
from ledger.partition import Partition

from contracts import catalogue as catalogues
from contracts import codec, events
from tests.unit.domain.audit import audit
from tests.unit.domain.words import T0

CATALOGUE = catalogues.bundled()
SUMS = ("granted", "received", "available", "held", "spent", "expired", "revoked", "sent")
REPEATS = (events.AnswerRepeated, events.CommandTooOld, events.CommandRefused)


class Books:
    """One account's sums, from the events alone."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()
        self.ends: dict[str, Ms] = {}
        self.coming: dict[str, tuple[Credits, Ms]] = {}
        self.told: set[tuple[str, int]] = set()
        self.version = 0

    def add(self, event: AnyEvent) -> None:
        """Add an event and compare what it says of the balance."""
        self.version += 1
        assert event.version == self.version, "versions are gapless"
        amount = getattr(event, "amount", 0)
        lost = sum(part.amount for part in getattr(event, "lost", ()))
        paid = sum(part.amount for part in getattr(event, "repaid", ()))
        for part in getattr(event, "lost", ()):
            assert self.ends[part.grant] <= event.at, "lost before its time"
        match event:
            case events.CreditsGranted():
                if event.scheduled:
                    assert self.coming.pop(event.grant) == (amount, event.effective_from)
                    assert event.effective_from <= event.at, "it began early"
                self.ends[event.grant] = event.expires_at
                self._move(available=amount - paid, granted=amount, revoked=paid, debt=-paid)
            case events.GrantScheduled() | events.ScheduleRevoked() | events.ExpiryNoticeGiven():
                self._coming(event)
            case events.CreditsRevoked():
                self._move(available=-amount, revoked=amount, debt=event.debt)
            case events.CreditsReserved() | events.ReservationExtended():
                if event.parent is None:
                    self._move(available=-amount, held=amount)
            case events.CreditsCharged():
                back = event.released
                assert back == sum(part.amount for part in event.rest)
                if event.parent is not None:  # the rest stays held, by the parent
                    back = 0
                self._move(held=-amount - back, spent=amount, available=back - lost - paid)
                self._move(expired=lost, revoked=paid, debt=-paid)
            case events.CreditsReleased() | events.ReservationExpired() if event.parent:
                assert lost == paid == 0, "it went to its parent, not to its lots"
            case events.CreditsReleased() | events.ReservationExpired():
                self._move(held=-amount, available=amount - lost - paid, expired=lost)
                self._move(revoked=paid, debt=-paid)
            case events.CreditsRefunded():
                self.ends |= {longer.grant: longer.expires_at for longer in event.extended}
                self._move(spent=-amount, available=amount - paid, revoked=paid, debt=-paid)
            case events.CreditsSent():
                self._move(available=-amount, sent=amount)
            case events.CreditsReceived():
                self.ends |= {grant: part.expires_at for grant, part, _ in lots_of(event)}
                self._move(available=amount - paid, received=amount, revoked=paid, debt=-paid)
            case events.TransferSettled():
                back = event.returned
                self._move(available=back - paid, sent=-back, revoked=paid, debt=-paid)
            case events.GrantExpired():
                assert self.ends[event.grant] <= event.at, "expired before its time"
                self._move(available=-amount, expired=amount)
        assert event.balance is not None
        told = (event.balance.available, event.balance.held, event.balance.spent)
        assert told == tuple(self.sums[name] for name in ("available", "held", "spent"))
        assert min(self.sums.values(), default=0) >= 0

    def _coming(
        self, event: events.GrantScheduled | events.ScheduleRevoked | events.ExpiryNoticeGiven
    ) -> None:
        match event:
            case events.GrantScheduled():
                self.coming[event.grant] = event.amount, event.effective_from
            case events.ScheduleRevoked():
                left, begins = self.coming.pop(event.grant)
                assert event.left == left - event.amount
                if event.left:
                    self.coming[event.grant] = event.left, begins
            case events.ExpiryNoticeGiven():
                assert event.amount, "of nothing nobody is told"
                ahead = self.ends[event.grant] - event.at
                assert 0 < ahead <= event.days * DAY, "too early or late"
                assert (event.grant, event.days) not in self.told, "told twice"
                self.told.add((event.grant, event.days))

    def _move(self, **by: Credits) -> None:
        for name, amount in by.items():
            self.sums[name] += amount


class World:
    """The log, its deciders, and the books."""

    def __init__(self) -> None:
        self.now: Ms = T0
        self.live = Partition(0, 1, CATALOGUE)
        self.live.accounts = Accounts(young_max=2)
        self.roomy = Partition(0, 1, CATALOGUE)
        self.reading = Partition(0, 1, CATALOGUE)
        self.audited: dict[str, int] = {}  # account -> the version that was looked at
        self.log: list[Record] = []
        self.asked: list[Record] = []
        self.books: dict[str, Books] = {}
        self.first: dict[tuple[str, str], AnyEvent] = {}
        self.late: dict[tuple[str, str], AnyEvent] = {}
        claim = codec.encode(self.live.claim("owner", 0))
        self.log.append(Record(0, T0, b"", claim))
        for partition in (self.live, self.roomy):
            partition.replay(self.log)
            partition.start_deciding()

    def ask(self, command: AnyCommand) -> AnyEvent:
        """Decide a command everywhere; give its answer, checked against all that is known."""
        return self.ask_raw(codec.encode(command), command.account, command.id)

    def ask_raw(self, raw: bytes, account: str, named: str = "") -> AnyEvent:
        """The same for any bytes."""
        record = Record(len(self.asked), self.now, account.encode(), raw)
        self.asked.append(record)
        before = self.plain(account)
        written = self.live.decide(record)
        assert written == self.roomy.decide(record), "accounts at rest decide otherwise"
        told = [self._counted(key, value) for key, value in written]
        assert [event.answer for event in told] == [False] * (len(told) - 1) + [True]
        answer = told[-1]
        if len(told) == 1 and isinstance(answer, REPEATS) and before is not None:
            assert self.plain(account) == before, "a no changes nothing"
        if answer.account:
            self._remember(named, answer)
            if not isinstance(answer, events.AnswerRepeated | events.CommandTooOld) and not (
                len(told) == 1 and _is_conflict(answer)
            ):
                self._nothing_is_due(account)
        return answer

    def replay(self) -> Partition:
        """A fresh partition that has read the whole log."""
        again = Partition(0, 1, CATALOGUE)
        again.replay(self.log)
        return again

    def check(self, *, anew: bool = True) -> None:
        """Everything agrees with everything; `anew`: also who reads the whole log."""
        self.reading.replay(self.log[self.reading.reader.offset :])
        readers = [self.reading, self.replay()] if anew else [self.reading]
        hashes = {self.live.accounts.state_hash(), self.roomy.accounts.state_hash()}
        hashes |= {reader.accounts.state_hash() for reader in readers}
        assert len(hashes) == 1, "replay(events) == live state == state at rest"
        for read in readers:
            assert read.reader.seq == self.live.reader.seq == len(self.log) - 1
            assert read.reader.skipped == 0
            assert read.reader.commands_from == self.live.reader.commands_from == len(self.asked)
        for account in self.reading.accounts.all():
            if self.audited.get(account.id) == account.version and not anew:
                continue
            self.audited[account.id] = account.version
            audit(account)
            sums = self.books[account.id].sums if account.id in self.books else Counter()
            for name in SUMS:
                assert getattr(account, name) == sums[name], name
            assert sum(account.debts.values()) == sums["debt"]

    def decide_again(self, count: int) -> None:
        """The last commands one by one, each by an owner that has just replayed: the same bytes."""
        told = [(record, _cause(record)) for record in self.log]
        for record in self.asked[-count:]:
            owner = Partition(0, 1, CATALOGUE)
            owner.replay(event for event, cause in told if cause < record.offset)
            owner.start_deciding()
            caused = [event.value for event, cause in told if cause == record.offset]
            assert [value for _, value in owner.decide(record)] == caused

    def plain(self, account: str) -> dict[str, Any] | None:
        """An account as plain values, without version and remembered answers."""
        found = self.roomy.accounts.get(account)
        if found is None:
            return None
        plain: dict[str, Any] = msgspec.structs.asdict(
            msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Account)
        )
        for added in ("version", "answers", "answers_since"):
            del plain[added]
        return {name: value for name, value in plain.items() if name != "ended"}

    def _counted(self, key: bytes, value: bytes) -> AnyEvent:
        self.log.append(Record(len(self.log), self.live.now, key, value))
        event = codec.decode_event(value)
        assert not isinstance(event, events.PartitionClaimed)
        if event.account:
            self.books.setdefault(event.account, Books()).add(event)
        return event

    def _nothing_is_due(self, account: str) -> None:
        """Whatever was decided, it was decided after all that was due."""
        found = self.roomy.accounts.get(account)
        assert found is not None
        ends = [held.expires_at for held in found.reservations.values()]
        ends += [lot.expires_at for lot in found.lots if lot.available]
        assert min(ends, default=self.now + 1) > self.now
        assert found.next_due <= min(ends, default=found.next_due)

    def _remember(self, named: str, answer: AnyEvent) -> None:
        known = self.first.get((answer.account, named))
        recent = known is not None and answer.at - known.at <= ANSWER_KEPT_MS
        if isinstance(answer, events.AnswerRepeated):
            assert known is not None, "nothing was asked under this id"
            told = codec.decode_event(bytes(answer.first))
            assert told in (known, self.late.get((answer.account, named)))
        elif recent or (known is not None and _is_conflict(answer)):
            assert _is_conflict(answer), "two outcomes of one command"
            if not recent:  # decided anew, its id still in use: then this is what is remembered
                self.late[answer.account, named] = answer
        elif not isinstance(answer, events.CommandTooOld) and not _came_too_late(answer):
            self.first[answer.account, named] = answer


def _came_too_late(answer: AnyEvent) -> bool:
    """Nothing was decided: the same id may ask again, with more patience."""
    return isinstance(answer, events.CommandRefused) and answer.reason is Reason.DEADLINE


def _is_conflict(answer: AnyEvent) -> bool:
    """Another question under a known id; after 25 h the first answer may, but need not, stand."""
    return isinstance(answer, events.CommandRefused) and answer.reason is Reason.ID_CONFLICT


def _cause(record: Record) -> int:
    event = codec.decode_event(record.value)
    if isinstance(event, events.PartitionClaimed) or event.command is None:
        return -1
    return event.command.offset
