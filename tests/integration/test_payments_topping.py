"""Automatic top-ups, whole: the ledger says one is due, the saved card is charged, credits come."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from contracts.commands import Actor, ActorKind, Controls, GrantKind, Reserve, SetControls
from contracts.events import (
    ControlsChanged,
    CreditsGranted,
    PurchaseFailed,
    TopUpDue,
    TopUpReported,
)
from contracts.toppings import TopUpRule, TopUpState
from engine.guard import Guard
from engine.local import Engine

from tests.integration.payments_buyer import SERVICE, Buyer
from tests.integration.payments_world import World, world

RULE = TopUpRule(below=100, pack="starter", monthly_max_minor=2_000)


@pytest_asyncio.fixture(scope="module")
async def here(
    engine: Engine, database: str, tmp_path_factory: pytest.TempPathFactory, guard: Guard
) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("topping")
    async with world(engine, database, "top.", folder, guard) as made:
        yield made


async def _rule(buyer: Buyer) -> None:
    owner = Actor(ActorKind.PERSON, buyer.account)
    controls = Controls(top_up=RULE)
    await buyer.ask(SetControls(id="rule", account=buyer.account, actor=owner, controls=controls))
    await buyer.sees(ControlsChanged)


async def _hold(buyer: Buyer, run: str, amount: int) -> None:
    await buyer.ask(Reserve(id=run, account=buyer.account, actor=SERVICE, amount=amount))


async def test_a_top_up_that_falls_due_is_charged_and_credited_once(here: World) -> None:
    buyer = Buyer(here, "tops")
    await buyer.buy(save_card=True)
    await _rule(buyer)
    await _hold(buyer, "r1", 401)
    await buyer.sees(TopUpDue)
    await _hold(buyer, "r2", 1)  # below still: one is under way
    granted = (await buyer.sees(CreditsGranted, 2))[1]
    assert isinstance(granted, CreditsGranted)
    assert (granted.kind, granted.amount) == (GrantKind.TOPUP, 500)
    assert len(await buyer.of(TopUpDue)) == 1
    assert (await buyer.balance())[:2] == (598, 402)
    await _hold(buyer, "r3", 500)
    assert len(await buyer.sees(CreditsGranted, 3)) == 3
    await _hold(buyer, "r4", 500)  # a third pack would pass the month's 20.00
    await buyer.sees_balance((98, 1_402, 0))
    assert len(await buyer.of(TopUpDue)) == 2


async def test_a_declined_card_is_told_in_the_log_and_nothing_is_credited(here: World) -> None:
    buyer = Buyer(here, "declined")
    await buyer.buy(save_card=True)
    await _rule(buyer)
    here.stripe.fail(declines=["card_declined"])
    await _hold(buyer, "r1", 450)
    await buyer.sees(TopUpDue)
    await buyer.sees(PurchaseFailed)
    told = (await buyer.sees(TopUpReported, 2))[-1]  # the first: a card was saved
    assert isinstance(told, TopUpReported)
    assert (told.state, told.declines) == (TopUpState.DECLINED, 1)
    assert told.wait_until > told.at
    assert len(await buyer.of(CreditsGranted)) == 1
    here.stripe.fail()
