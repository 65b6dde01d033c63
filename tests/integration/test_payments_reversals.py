"""Money that goes back takes its credits along: in the ledger's own log, on real parts.

Each scene buys a starter pack (500 credits for 10.00) and ends by what the ledger's log says.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from bus.outbox import Outbox
from bus.partition import partition_of
from contracts.commands import Actor, ActorKind, AnyCommand, Charge, Reserve
from contracts.events import (
    AccountFrozen,
    AccountThawed,
    AnyEvent,
    CommandRefused,
    CreditsCharged,
    CreditsGranted,
    CreditsReserved,
    CreditsRevoked,
)
from contracts.reasons import Reason
from contracts.topics import COMMANDS
from engine.guard import Guard
from engine.local import Engine

from contracts import codec
from tests.integration.payments_log import counted
from tests.integration.payments_world import PARTITIONS, World, until, world

SERVICE = Actor(ActorKind.SERVICE, "studio")


@pytest_asyncio.fixture(scope="module")
async def here(
    engine: Engine, database: str, tmp_path_factory: pytest.TempPathFactory, guard: Guard
) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("reversals")
    async with world(engine, database, "back.", folder, guard) as made:
        yield made


class Buyer:
    """One account that bought one pack."""

    def __init__(self, here: World, account: str) -> None:
        self.here = here
        self.account = account
        self.intent = ""

    async def buy(self) -> None:
        session = await self.here.checkout(self.account)
        self.intent = self.here.stripe.pay(session)
        await self.here.deliver_new()
        await self.sees(CreditsGranted)

    async def spend(self, amount: int) -> None:
        held = Reserve(id="run", account=self.account, actor=SERVICE, amount=amount)
        await self.ask(held)
        await self.ask(
            Charge(id="paid", account=self.account, actor=SERVICE, reservation="run", amount=amount)
        )
        await self.sees(CreditsCharged)

    async def ask(self, command: AnyCommand) -> None:
        outbox = Outbox(self.here.engine.bootstrap)
        await outbox.start()
        try:
            partition = partition_of(self.account, PARTITIONS)
            topic, key = self.here.prefix + COMMANDS.name, self.account.encode()
            await outbox.send(topic, partition, key, codec.encode(command))
        finally:
            await outbox.stop()

    async def events(self) -> list[AnyEvent]:
        found = await counted(self.here.engine.bootstrap, self.here.prefix)
        return [event for event in found if event.account == self.account]

    async def sees(self, kind: type[AnyEvent], count: int = 1) -> list[AnyEvent]:
        """The events of this kind, once there are so many."""

        async def there() -> bool:
            return len(await self.of(kind)) >= count

        await until(there)
        return await self.of(kind)

    async def of(self, kind: type[AnyEvent]) -> list[AnyEvent]:
        return [event for event in await self.events() if isinstance(event, kind)]

    async def balance(self) -> tuple[int, int, int]:
        balance = (await self.events())[-1].balance
        assert balance is not None
        return balance.available, balance.held, balance.spent


async def test_a_refund_from_the_dashboard_takes_the_unspent_credits(here: World) -> None:
    buyer = Buyer(here, "refunded")
    await buyer.buy()
    here.stripe.refund(buyer.intent, 1000)
    await here.deliver_new()
    (gone,) = await buyer.sees(CreditsRevoked)
    assert isinstance(gone, CreditsRevoked)
    assert (gone.amount, gone.debt) == (500, 0)
    assert await buyer.balance() == (0, 0, 0)


async def test_a_refund_after_spending_leaves_a_debt_that_the_next_purchase_pays(
    here: World,
) -> None:
    buyer = Buyer(here, "spent")
    await buyer.buy()
    await buyer.spend(200)
    here.stripe.refund(buyer.intent, 1000)
    await here.deliver_new()
    (gone,) = await buyer.sees(CreditsRevoked)
    assert isinstance(gone, CreditsRevoked)
    assert (gone.amount, gone.debt) == (300, 200)
    again = await here.checkout("spent")
    here.stripe.pay(again)
    await here.deliver_new()
    granted = (await buyer.sees(CreditsGranted, 2))[1]
    assert isinstance(granted, CreditsGranted)
    assert sum(part.amount for part in granted.repaid) == 200
    assert await buyer.balance() == (300, 0, 200)


async def test_a_dispute_stops_its_credits_and_won_lets_them_go(here: World) -> None:
    buyer = Buyer(here, "won")
    await buyer.buy()
    claim = here.stripe.dispute(buyer.intent, 1000)
    await here.deliver_new()
    await buyer.sees(AccountFrozen)
    await buyer.ask(Reserve(id="while", account="won", actor=SERVICE, amount=1))
    (no,) = await buyer.sees(CommandRefused)
    assert isinstance(no, CommandRefused)
    assert no.reason is Reason.ACCOUNT_FROZEN
    here.stripe.dispute_turns(claim.id, "won")
    await here.deliver_new()
    await buyer.sees(AccountThawed)
    await buyer.ask(Reserve(id="after", account="won", actor=SERVICE, amount=500))
    await buyer.sees(CreditsReserved)
    assert await buyer.balance() == (0, 500, 0)


async def test_a_dispute_lost_after_spending_with_a_partial_refund_before(here: World) -> None:
    buyer = Buyer(here, "lost")
    await buyer.buy()
    await buyer.spend(350)
    here.stripe.refund(buyer.intent, 200)  # a fifth of the money: 100 credits
    await here.deliver_new()
    await buyer.sees(CreditsRevoked)
    assert await buyer.balance() == (50, 0, 350)
    claim = here.stripe.dispute(buyer.intent, 800)
    await here.deliver_new()
    await buyer.sees(AccountFrozen)
    here.stripe.dispute_turns(claim.id, "lost")
    await here.deliver_new()
    gone = await buyer.sees(CreditsRevoked, 2)
    assert [(e.amount, e.debt) for e in gone if isinstance(e, CreditsRevoked)] == [
        (100, 0),
        (50, 350),
    ]
    assert (await buyer.balance())[0] == 0


async def test_nothing_of_this_waits_for_a_person(here: World) -> None:
    assert await asyncio.to_thread(here.parts.index.held) == []
