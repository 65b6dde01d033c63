"""Logs of events as the ledger writes them: its own partition decides seeded random commands.

Claims stand where an owner puts them, one of them overtaken (not exact); now and then a dead
owner's event stands between, which does not count.
"""

import random
from collections.abc import Iterable
from typing import Any

import msgspec
from audit_projector.intake import Taken
from bus.log import KeyValue, Record
from bus.partition import partition_of
from bus.reader import Reader
from contracts.catalogue import bundled
from contracts.commands import (
    Actor,
    ActorKind,
    AnyCommand,
    Charge,
    Controls,
    Estimate,
    Freeze,
    Grant,
    GrantKind,
    Receive,
    Refund,
    Release,
    Reserve,
    Revoke,
    Send,
    SetControls,
    SetPlan,
    Thaw,
    Usage,
)
from contracts.events import AnyEvent, PartitionClaimed
from contracts.reasons import Outcome
from contracts.units import DAY, FOREVER, MINUTE
from ledger.follow import follow_up
from ledger.partition import Partition

from contracts import codec

START_MS = 1_767_225_540_000  # 2025-12-31T23:59:00Z: a log soon crosses midnight
ADMIN = Actor(ActorKind.ADMIN, "root")
PAYMENTS = Actor(ActorKind.PAYMENTS, "payments")
TOOLS = ("dev-studio-api-designer", "data-studio-quality")


class World:
    """One partition's log, written by the ledger's own code."""

    def __init__(
        self, seed: int, *, number: int = 0, partitions: int = 1, accounts: int = 4
    ) -> None:
        self.random = random.Random(seed)
        self.number = number
        self.log: list[KeyValue] = []
        self.timestamps: list[int] = []
        self.ledger = Partition(number, partitions, bundled())
        self.now = START_MS
        self.commands = 0
        names = (f"acct-{seed}-{i}" for i in range(10_000))
        self.accounts = [n for n in names if partition_of(n, partitions) == number][:accounts]
        self.reservations: list[tuple[str, str]] = []
        self.charges: list[tuple[str, str]] = []
        self.claim("owner-1")

    def claim(self, token: str, *, off: int = 0) -> None:
        """A claim lands; `off` places from where it says."""
        claim = self.ledger.claim(token, len(self.log) + off)
        self._append([(b"", codec.encode(claim))])

    def stray(self) -> None:
        """A late event of an owner that was replaced: it does not count."""
        key, value = self.log[-1]
        event = codec.decode_event(value)
        event.owner = "owner-dead"
        self._append([(key, codec.encode(event))])

    def ask(self, command: AnyCommand | bytes) -> None:
        """A command arrives and is decided."""
        raw = command if isinstance(command, bytes) else codec.encode(command)
        key = b"" if isinstance(command, bytes) else command.account.encode()
        record = Record(self.commands, self.now, key, raw)
        self.commands += 1
        self._append(self.ledger.decide(record), decided=True)
        followed, self.ledger.followed = self.ledger.followed, []
        for decided in followed:
            of = self.ledger.accounts.get(decided.account)
            follows = None if of is None else follow_up(decided, of)
            chance = self.random.random()
            if isinstance(follows, Receive) and chance < 0.2:  # somebody took its name before
                self.ask(
                    Estimate(id=follows.id, account=follows.account, actor=ADMIN, tool=TOOLS[0])
                )
            if follows is not None and chance < 0.9:
                self.ask(follows)

    def _append(self, records: Iterable[KeyValue], *, decided: bool = False) -> None:
        for key, value in records:
            if not decided:
                self.ledger.replay([Record(len(self.log), self.now, key, value)])
            self.log.append((key, value))
            self.timestamps.append(self.now)
        self.ledger.reader.offset = len(self.log)

    def go_on(self, commands: int) -> "World":
        """Decide that many random commands."""
        for account in self.accounts:
            self._grant(account)
        for _ in range(commands):
            self.now += self.random.choice((1, 5, 300, 2_000, 30_000))
            self.ask(self._any())
            chance = self.random.random()
            if chance < 0.01:
                self.claim(f"owner-{self.commands}")
            elif chance < 0.015:
                self.claim(f"owner-{self.commands}-late", off=-1)
                self.claim(f"owner-{self.commands}-again")
            elif chance < 0.02:
                self.stray()
        return self

    def taken(self) -> list[Taken]:
        """The records as the projector reads them."""
        reader, found = Reader(), []
        for offset, ((_, value), at) in enumerate(zip(self.log, self.timestamps, strict=True)):
            event = codec.decode_event(value)
            counts = reader.counts(offset, event)
            found.append(Taken(self.number, offset, at, event, value, counts))
        return found

    def _name(self) -> str:
        return f"c{self.number}-{self.commands}"

    def _grant(self, account: str) -> None:
        soon = self.random.random() < 0.5
        later = self.commands % 7 == 1
        amount, kind = self.random.randrange(50, 3_000), self.random.choice(list(GrantKind))
        until = self.now + self.random.randrange(1, 9) * MINUTE if soon else FOREVER
        if self.commands % 7 == 2:
            until = self.now + DAY + 2 * MINUTE  # its owner is told of it
        self.ask(
            Grant(
                id=self._name(),
                account=account,
                actor=PAYMENTS,
                amount=amount,
                kind=kind,
                source=f"s{self.number}-{self.commands}",
                effective_from=min(self.now + 3 * MINUTE, until - 1) if later else 0,
                expires_at=until,
            )
        )

    def _any(self) -> AnyCommand | bytes:
        pick, account, named = self.random.random(), self.random.choice(self.accounts), self._name()
        who: dict[str, Any] = {"id": named, "account": account, "actor": ADMIN}
        if pick < 0.10:
            self._grant(account)
        if pick < 0.40 or not self.reservations:
            tool = self.random.choice((*TOOLS, "no-such-tool", None))
            amount = None if tool else self.random.randrange(0, 120)
            open_ = self.ledger.accounts.get(account)
            inside = [*open_.reservations, "none"] if open_ and self.random.random() < 0.3 else []
            self.reservations.append((account, named))
            return Reserve(
                **who,
                tool=tool,
                amount=amount,
                lifetime_ms=self.random.choice((None, 9)),
                parent=self.random.choice(inside) if inside else None,
            )
        if pick < 0.75:
            return self._settle(named)
        if pick < 0.82 and self.charges:
            owner, charge = self.random.choice(self.charges)
            who["account"] = owner
            return Refund(**who, charge=charge, amount=self.random.choice((None, 1, 7)))
        if pick < 0.84:
            to, amount = self.random.choice(self.accounts), self.random.randrange(0, 90)
            return Send(**who, to=to, amount=amount, transfer=named)
        if pick < 0.88:
            return Estimate(**who, tool=self.random.choice(TOOLS))
        if pick < 0.8825:
            return SetPlan(**who, plan=self.random.choice(("free", "supporter", "pro")))
        if pick < 0.905:
            return SetControls(**who, controls=Controls(run_limit=self.random.randrange(900)))
        if pick < 0.915:
            return b'{"no":"command"}'
        if pick < 0.95:
            return self._stop(who)
        who["id"] = f"c{self.number}-{self.random.randrange(max(1, self.commands))}"
        return Estimate(**who, tool=TOOLS[0])

    def _stop(self, who: dict[str, Any]) -> AnyCommand:
        """A revoke, or a freeze of an account or a lot, or its end."""
        owned = self.ledger.accounts.get(who["account"])
        lots = [x.grant for x in owned.lots] + list(owned.upcoming) if owned is not None else []
        grant = self.random.choice((*lots, "no-such-grant"))
        who["actor"], who["reason"] = PAYMENTS, self.random.choice(("dispute", "fraud"))
        pick = self.random.random()
        if pick < 0.4:
            return Revoke(**who, grant=grant, amount=self.random.choice((None, 40)))
        if pick < 0.7:
            return Freeze(**who, grant=None if pick < 0.5 else grant)
        stands = [(g, r) for g, rs in owned.freezes.items() for r in rs] if owned else []
        frozen, who["reason"] = stands[0] if stands else (grant, "dispute")
        return Thaw(**who, grant=frozen or None)

    def _settle(self, named: str) -> AnyCommand:
        account, reservation = self.random.choice(self.reservations[-9:])
        who: dict[str, Any] = {"id": named, "account": account, "actor": ADMIN}
        who["reservation"] = reservation
        if self.random.random() < 0.25:
            return Release(**who, outcome=self.random.choice(list(Outcome)))
        self.charges.append((account, named))
        final = self.random.random() < 0.7
        outcome = self.random.choice(list(Outcome))
        if self.random.random() < 0.5:
            return Charge(**who, usage=Usage(900, 128, 800), final=final, outcome=outcome)
        return Charge(**who, amount=self.random.randrange(0, 60), final=final, outcome=outcome)


def counted(taken: list[Taken]) -> list[tuple[Taken, AnyEvent]]:
    """The events that count, with their records."""
    return [
        (record, record.event)
        for record in taken
        if record.counts and not isinstance(record.event, PartitionClaimed)
    ]


def kinds(world: World) -> set[str]:
    """Which events a log holds."""
    return {msgspec.json.decode(value)["type"] for _, value in world.log}
