"""Somebody who bought a pack, at the ledger: asks for runs, and reads what the log says of them."""

from bus.outbox import Outbox
from bus.partition import partition_of
from contracts.commands import Actor, ActorKind, AnyCommand, Charge, Reserve
from contracts.events import AnyEvent, CreditsCharged, CreditsGranted
from contracts.topics import COMMANDS

from contracts import codec
from tests.integration.payments_log import counted
from tests.integration.payments_world import PARTITIONS, World, until

SERVICE = Actor(ActorKind.SERVICE, "studio")


class Buyer:
    """One account that bought one pack."""

    def __init__(self, here: World, account: str) -> None:
        self.here = here
        self.account = account
        self.intent = ""

    async def buy(self, *, save_card: bool = False) -> None:
        session = await self.here.checkout(self.account, save_card=save_card)
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

    async def sees_balance(self, balance: tuple[int, int, int]) -> None:
        """Once available, held and spent are these."""

        async def there() -> bool:
            return await self.balance() == balance

        await until(there)

    async def of(self, kind: type[AnyEvent]) -> list[AnyEvent]:
        return [event for event in await self.events() if isinstance(event, kind)]

    async def balance(self) -> tuple[int, int, int]:
        balance = (await self.events())[-1].balance
        assert balance is not None
        return balance.available, balance.held, balance.spent
