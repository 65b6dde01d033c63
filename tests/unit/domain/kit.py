"""given what happened, when somebody asks, then this is the answer: on the real partition.

    given(granted(100), reserved("r1", 60)).when(reserve("r2", 41)).then(refused(...))

`given` writes events into a log and replays them; `when` sends commands through the partition;
`then` compares what matters: the named fields of the events, never their headers. After each step
the books are audited, and a second partition that replays the log must be in the same state.
"""

from typing import Any

import msgspec
from bus.log import Record
from contracts.commands import AnyCommand
from contracts.events import (
    VERSIONS,
    AnyEvent,
    CommandRef,
    CommandRefused,
    CommandRejected,
    CreditsCharged,
    CreditsReserved,
    PartitionClaimed,
    Slice,
    ThresholdCrossed,
    TopUpDue,
)
from contracts.units import Credits, Ms
from ledger.domain.account import Account
from ledger.partition import Partition

from contracts import catalogue as catalogues
from contracts import codec
from tests.unit.domain.audit import audit
from tests.unit.domain.words import ACCOUNT, T0, Said

CATALOGUE = catalogues.bundled()
TOKEN = "the-owner"
ALERTS = (ThresholdCrossed, TopUpDue)


def given(*history: Said, at: Ms = T0, catalogue: catalogues.Catalogue = CATALOGUE) -> "Story":
    """What happened before, long enough ago that nobody waits for an answer to it."""
    story = Story(catalogue)
    for said in history:
        story.happened(said, at)
    return story


class Story:
    """A partition of one, the log it wrote, and the events of the last step."""

    def __init__(self, catalogue: catalogues.Catalogue = CATALOGUE) -> None:
        self.partition = Partition(0, 1, catalogue)
        self.log: list[Record] = []
        self.last: list[AnyEvent] = []
        self._commands = 0
        self.has_forgotten = False  # charges, because they are too old to be refunded
        claim = self.partition.claim(TOKEN, 0)
        self._write(codec.encode(claim), b"", T0)
        self.partition.replay(self.log)

    @property
    def account(self) -> Account:
        """The account of the story, as the ledger remembers it."""
        found = self.partition.accounts.get(ACCOUNT)
        assert found is not None, "nothing happened to this account"
        return found

    def happened(self, said: Said, at: Ms) -> None:
        """Write an event that was decided earlier and replay it."""
        event = said.event()
        if isinstance(event, CreditsReserved) and not event.slices:
            event.slices = self._drawn(event.amount)
        if isinstance(event, CreditsCharged):
            held = self.account.reservations[event.reservation]
            event.slices = (Slice(held.slices[0].grant, event.amount),)
            event.final = event.amount == held.held
        event.v, event.seq = VERSIONS[type(event).__name__], self.partition.reader.seq + 1
        event.owner, event.account, event.at = TOKEN, ACCOUNT, at
        event.answer = True
        event.command = CommandRef(f"before-{event.seq}", self._commands, at)
        self._commands += 1
        self._write(codec.encode(event), ACCOUNT.encode(), at)
        self.partition.replay(self.log[-1:])

    def when(self, *commands: AnyCommand | bytes, at: Ms = T0) -> "Story":
        """Send commands (or any bytes) at the broker's time `at`."""
        self.partition.start_deciding()
        self.last = []
        for command in commands:
            if isinstance(command, bytes):
                key, value = ACCOUNT.encode(), command
            else:
                key, value = command.account.encode(), codec.encode(command)
            self.ask(Record(self._commands, at, key, value))
            if isinstance(self.last[-1], CommandRefused) and not isinstance(command, bytes):
                assert self.last[-1].kind == type(command).__name__, "no says what was asked"
        self._check()
        return self

    def ask(self, record: Record) -> None:
        """Decide one record of `ledger.commands`."""
        self._commands = record.offset + 1
        written = self.partition.decide(record)
        assert written, "every command gives at least one event"
        for key, value in written:
            self._write(value, key, self.partition.now)
            event = codec.decode_event(value)
            assert not isinstance(event, PartitionClaimed)
            self.last.append(event)
        answers = [event.answer for event in self.last[-len(written) :]]
        assert answers == [False] * (len(written) - 1) + [True], "the answer comes last"

    def then(self, *expected: Said) -> "Story":
        """These events, in this order, and no others; compared by the fields that are named.

        Alerts stand beside answers: they are compared by those who expect one.
        """
        kinds = {said.kind for said in expected}
        last = [e for e in self.last if type(e) not in ALERTS or type(e) in kinds]
        assert [type(e).__name__ for e in last] == [said.kind.__name__ for said in expected]
        for said, event in zip(expected, last, strict=True):
            got = {name: getattr(event, name) for name in said.fields}
            assert got == said.fields, f"{said.kind.__name__}: {got} != {said.fields}"
        return self

    def stands(self, **sums: object) -> "Story":
        """The account's sums, by name: available, held, spent, expired, granted ..."""
        assert {name: getattr(self.account, name) for name in sums} == sums
        return self

    def replayed(self) -> Partition:
        """A fresh partition that read the same log."""
        again = Partition(0, 1, self.partition.catalogue)
        again.replay(self.log)
        return again

    def _check(self) -> None:
        for account in self.partition.accounts.all():
            audit(account, has_forgotten=self.has_forgotten)
        again = self.replayed()
        assert again.accounts.state_hash() == self.partition.accounts.state_hash()
        assert again.reader.seq == self.partition.reader.seq
        assert again.reader.commands_from == self.partition.reader.commands_from
        assert again.reader.skipped == 0

    def _write(self, value: bytes, key: bytes, at: Ms) -> None:
        self.log.append(Record(len(self.log), at, key, value))

    def _drawn(self, amount: Credits) -> tuple[Slice, ...]:
        slices = []
        for lot in self.account.lots:
            if take := min(amount, lot.available):
                slices.append(Slice(lot.grant, take))
                amount -= take
        assert not amount, "the history reserves more than it granted"
        return tuple(slices)


def without_state(story: Story) -> dict[str, Any]:
    """The account as plain values, without what every answer adds: version and the answer."""
    plain: dict[str, Any] = msgspec.structs.asdict(
        msgspec.msgpack.decode(msgspec.msgpack.encode(story.account), type=Account)
    )
    for added in ("version", "answers", "answers_since"):
        del plain[added]
    return plain


def rejection(story: Story) -> CommandRejected:
    """The one event of the last step, which must be a CommandRejected."""
    (event,) = story.last
    assert isinstance(event, CommandRejected)
    return event
