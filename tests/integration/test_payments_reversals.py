"""Money that goes back takes its credits along: in the ledger's own log, on real parts.

Each scene buys a starter pack (500 credits for 10.00) and ends by what the ledger's log says.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from contracts.commands import Reserve
from contracts.events import (
    AccountFrozen,
    AccountThawed,
    CommandRefused,
    CreditsGranted,
    CreditsReserved,
    CreditsRevoked,
)
from contracts.reasons import Reason
from engine.guard import Guard
from engine.local import Engine
from payments.index import Held
from payments.subscription import Subscription

from tests.integration.payments_buyer import SERVICE, Buyer
from tests.integration.payments_world import World, until, world


@pytest_asyncio.fixture(scope="module")
async def here(
    engine: Engine, database: str, tmp_path_factory: pytest.TempPathFactory, guard: Guard
) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("reversals")
    async with world(engine, database, "back.", folder, guard) as made:
        yield made


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


async def test_a_refused_command_of_no_purchase_waits_for_a_person(here: World) -> None:
    """A plan that the ledger does not know: refused, listed, asked again, and let stand."""
    books, index, operator = here.parts.books, here.parts.index, "olga"

    def pays(subscription: Subscription) -> None:
        subscription.trigger_event(
            Subscription.PlanPaid,
            subscription="sub_1",
            item="si_1",
            plan="no-such-plan",
            period_start=1_790_000_000,
            period_end=1_890_000_000,
            created=1,
        )

    def waiting() -> list[Held]:
        return [one for one in index.held() if one.account == "planless"]

    async def waits(*, but: str = "") -> Held:
        async def there() -> bool:
            return any(one.name != but for one in waiting())

        await until(there)
        return next(one for one in waiting() if one.name != but)

    books.change_subscription("planless", pays)
    first = await waits()
    assert (first.what, first.why) == ("command", "SetPlan: plan_unknown")
    assert books.settle_refusal(first.name, operator, again=True)
    second = await waits(but=first.name)
    assert [one.name for one in waiting()] == [second.name]
    assert books.settle_refusal(second.name, operator, again=False)
    assert waiting() == []
    assert not books.settle_refusal(second.name, operator, again=True)
    refused = await Buyer(here, "planless").of(CommandRefused)
    assert [str(one.reason) for one in refused if isinstance(one, CommandRefused)] == [
        "plan_unknown"
    ] * 2
