"""The callers of one world: what they ask, and that they ask again until they see the answer."""

from random import Random

from contracts.commands import (
    Actor,
    ActorKind,
    AnyCommand,
    Charge,
    Controls,
    Estimate,
    Grant,
    GrantKind,
    Refund,
    Release,
    Reserve,
    Send,
    SetControls,
    Usage,
)
from contracts.units import DAY, FOREVER, HOUR, MINUTE, SECOND, Ms

from contracts import codec

ACCOUNTS = (("a0", "a4"), ("a1", "a2"))  # by partition, of two
TOOLS = ("cyber-studio-vulnerability-scanner", "data-studio-privacy")
_ADMIN = Actor(ActorKind.ADMIN, "admin")


class Asked:
    """One command of a caller, from its first try until it saw a counted event."""

    __slots__ = ("account", "command", "done", "partition", "raw")

    def __init__(self, command: AnyCommand, partition: int) -> None:
        self.command = command
        self.account = command.account
        self.partition = partition
        self.raw = codec.encode(command)
        self.done = False


class Callers:
    """All callers. `plan` is how many commands they still have in mind."""

    def __init__(self, random: Random, plan: int) -> None:
        self._random = random
        self.plan = plan
        self.asked: list[Asked] = []
        self.open: dict[tuple[str, str], Asked] = {}
        self._reservations: list[tuple[str, str, int]] = []
        self._charges: list[tuple[str, str, int]] = []
        self._granted: set[str] = set()
        self._number = 0

    def ask(self, now: Ms) -> Asked:
        """A new command."""
        self.plan -= 1
        self._number += 1
        random = self._random.random
        partition = int(random() * len(ACCOUNTS))
        accounts = ACCOUNTS[partition]
        account = accounts[int(random() * len(accounts))]
        command = self._command(f"c{self._number}", account, partition, now)
        asked = Asked(command, partition)
        self.asked.append(asked)
        self.open[account, command.id] = asked
        return asked

    def retry(self, now: Ms, *, quiet: bool) -> Asked | None:
        """One asked before: those who wait, and now and then somebody much too late."""
        random = self._random.random
        waiting = list(self.open.values())
        if waiting and (quiet or random() < 0.6):
            return waiting[int(random() * len(waiting))]
        if quiet or not self.asked:
            return None
        late = [a for a in self.asked if (a.command.issued_at or now) < now - DAY]
        among = late if late and random() < 0.8 else self.asked
        return among[int(random() * len(among))]

    def another(self, now: Ms) -> tuple[bytes, bytes, int] | None:
        """The id of a command that was asked before, with another payload; or plain garbage."""
        random = self._random.random
        if not self.asked:
            return None
        of = self.asked[int(random() * len(self.asked))]
        key = of.account.encode()
        kind = random()
        if kind < 0.4:
            changed = Grant(
                id=of.command.id,
                account=of.account,
                actor=_ADMIN,
                issued_at=now,
                amount=1 + int(random() * 9),
                kind=GrantKind.GIFT,
                source=f"other-{of.command.id}",
            )
            return key, codec.encode(changed), of.partition
        if kind < 0.6:
            return key, b"{no command", of.partition
        if kind < 0.8:
            return b"somebody else", of.raw, of.partition
        return key, of.raw, 1 - of.partition

    def told(self, account: str, command: str) -> bool:
        """A caller saw the counted event; whether anybody waited for it."""
        asked = self.open.pop((account, command), None)
        if asked is None:
            return False
        asked.done = True
        return True

    # ---- what they ask

    def _command(self, id_: str, account: str, partition: int, now: Ms) -> AnyCommand:
        random = self._random.random
        choice = random()
        if account not in self._granted or choice < 0.06:
            self._granted.add(account)
            return self._grant(id_, account, now)
        here = [r for r in self._reservations if r[1] == account]
        if choice < 0.5 and here:
            newest = here[-1 - int(random() * min(2, len(here)))][0]
            return self._end(id_, account, partition, newest, now)
        charges = [c for c in self._charges if c[1] == account]
        if choice > 0.84 and charges:
            charge = charges[int(random() * len(charges))][0]
            amount = None if random() < 0.5 else 1 + int(random() * 4)
            return Refund(
                id=id_, account=account, actor=_ADMIN, issued_at=now, charge=charge, amount=amount
            )
        if 0.8 < choice <= 0.84:
            return self._send(id_, account, now)
        if 0.5 < choice < 0.56:
            limits = Controls(run_limit=8 + int(random() * 20), day_limit=20 + int(random() * 40))
            return SetControls(
                id=id_, account=account, actor=_ADMIN, issued_at=now, controls=limits
            )
        if 0.56 < choice < 0.6:
            return Estimate(id=id_, account=account, actor=_ADMIN, issued_at=now, tool=TOOLS[0])
        self._reservations.append((id_, account, partition))
        return self._reserve(id_, account, now)

    def _grant(self, id_: str, account: str, now: Ms) -> Grant:
        random = self._random.random
        given = Grant(
            id=id_,
            account=account,
            actor=_ADMIN,
            issued_at=None if random() < 0.4 else now,
            amount=15 + int(random() * 40),
            kind=GrantKind.PAID if random() < 0.5 else GrantKind.PROMO,
            source=f"source-{id_}",
            expires_at=FOREVER if random() < 0.7 else now + int(random() * HOUR) + SECOND,
        )
        if given.amount % 7 == 3:
            given.effective_from = min(now + given.amount * 10 * SECOND, given.expires_at - 1)
        elif given.amount % 7 == 5:
            given.expires_at = now + DAY + given.amount * SECOND  # its owner is told of it
        return given

    def _reserve(self, id_: str, account: str, now: Ms) -> Reserve:
        random = self._random.random
        lifetime = int(random() * 20 * SECOND) if random() < 0.4 else int(random() * 15 * MINUTE)
        priced = random() < 0.75
        return Reserve(
            id=id_,
            account=account,
            actor=_ADMIN,
            issued_at=now,
            tool=TOOLS[int(random() * 2)] if priced else None,
            amount=None if priced else 1 + int(random() * 15),
            lifetime_ms=lifetime + 1,
            deadline=None if random() < 0.8 else now + int(random() * 4 * SECOND),
        )

    def _send(self, id_: str, account: str, now: Ms) -> Send:
        random = self._random.random
        others = [other for part in ACCOUNTS for other in part if other != account]
        return Send(
            id=id_,
            account=account,
            actor=_ADMIN,
            issued_at=now,
            to=others[int(random() * len(others))],
            amount=1 + int(random() * 12),
            transfer=id_ if random() < 0.9 else "same",
        )

    def _end(
        self, id_: str, account: str, partition: int, reservation: str, now: Ms
    ) -> Charge | Release:
        random = self._random.random
        if random() < 0.2:
            return Release(
                id=id_, account=account, actor=_ADMIN, issued_at=now, reservation=reservation
            )
        self._charges.append((id_, account, partition))
        metered = random() < 0.5
        return Charge(
            id=id_,
            account=account,
            actor=_ADMIN,
            issued_at=now,
            reservation=reservation,
            usage=Usage(int(random() * 9000), 512, int(random() * 9000)) if metered else None,
            amount=None if metered else int(random() * 8),
            final=random() < 0.8,
        )
