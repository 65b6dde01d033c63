"""Load with a memory: callers that reserve, charge and release until told to stop."""

import asyncio
import random
from collections import Counter

from contracts.commands import Charge, Release, Reserve
from contracts.events import CommandRefused, CreditsCharged, CreditsReleased, CreditsReserved

from tests.e2e.caller import SERVICE, Caller

GRANTED = 1_000_000
HELD_MAX = 100
TOO_MUCH = 10**9


class Spending:
    """Closed-loop callers over a few accounts, seeded; `spent` is what they were told."""

    def __init__(self, caller: Caller, name: str, *, callers: int, pause_s: float = 0.0) -> None:
        self.caller = caller
        self.name = name
        self.spent = 0
        self.answers: Counter[str] = Counter()
        self.accounts = [f"{name}-acct-{n}" for n in range(6)]
        self._callers = callers
        self._pause_s = pause_s
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Grant, then let the callers go."""
        await asyncio.gather(*(self.caller.grant(a, GRANTED) for a in self.accounts))
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._spend(n)) for n in range(self._callers)]

    async def stop(self) -> None:
        """Let every caller finish what it waits for; then the ledger has decided everything."""
        self._over.set()
        await asyncio.gather(*self._tasks)
        await settle(self.caller, f"{self.name}-end")

    async def _spend(self, number: int) -> None:
        chance = random.Random(f"{self.name}{number}")
        turn = 0
        while not self._over.is_set():
            turn += 1
            await self._one_run(chance, f"{self.name}-{number}-{turn}")
            if self._pause_s:
                await asyncio.sleep(chance.uniform(0, 2 * self._pause_s))

    async def _one_run(self, chance: random.Random, run: str) -> None:
        account = chance.choice(self.accounts)
        amount = TOO_MUCH if chance.random() < 0.05 else chance.randint(1, HELD_MAX)
        held = await self._told(Reserve(id=run, account=account, actor=SERVICE, amount=amount))
        if isinstance(held, CommandRefused):
            assert amount == TOO_MUCH, held
            return
        assert isinstance(held, CreditsReserved), held
        if chance.random() < 0.2:
            released = await self._told(
                Release(id=f"{run}-r", account=account, actor=SERVICE, reservation=run)
            )
            assert isinstance(released, CreditsReleased), released
            return
        charge = chance.randint(1, amount)
        charged = await self._told(
            Charge(id=f"{run}-c", account=account, actor=SERVICE, reservation=run, amount=charge)
        )
        # The answer to a final charge is the rest going back, if there is a rest.
        assert isinstance(charged, CreditsCharged | CreditsReleased), charged
        self.spent += charge

    async def _told(self, command: Reserve | Charge | Release) -> object:
        event = await self.caller.ask(command)
        self.answers[type(event).__name__] += 1
        return event


async def settle(caller: Caller, name: str) -> None:
    """Return when all that was ever sent is decided: a last command per partition is."""
    await asyncio.gather(
        *(
            caller.ask(
                Release(
                    id=f"{name}-{number}",
                    account=caller.account_in(number, name),
                    actor=SERVICE,
                    reservation="none",
                )
            )
            for number in range(caller.partitions)
        )
    )
