"""The story that the demo tells, on services of the test's own; what it shows must be so."""

import re
from collections.abc import Iterator

import pytest
from engine.guard import Guard
from engine.local import Engine
from gateway.keys import Scope

from deploy.demo import buying, runs, spending
from deploy.demo.client import Client
from deploy.demo.screen import Screen
from tests.e2e.finance import replayed, scrip, verified
from tests.e2e.shop import shop_of
from tests.integration.gateway_world import World

GIFT = 500
OWN = "story-you"
BUYER = "story-buyer"
PACK = 500
SERVICE = frozenset({Scope.READ, Scope.SPEND, Scope.GRANT})  # as the demo's: no administrator


@pytest.fixture(scope="module")
def house(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("story")
    with shop_of(engine, database, folder, guard, "studio-tools") as made:
        yield made.world


async def test_estimate_run_charge_fail_and_prove_it(
    house: World, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Screen(bold=False)
    person_key = house.key(OWN, frozenset({Scope.READ, Scope.SPEND}))
    async with (
        Client(house.base, house.key(None, SERVICE)) as service,
        Client(house.base, person_key) as person,
    ):
        await spending.grant(service, OWN, GIFT)
        await runs.estimate(screen, service, OWN)
        await runs.over_http(screen, person, OWN)
        await runs.over_kafka(screen, house.engine.bootstrap, OWN, house.prefix)
        await runs.failing(screen, person, OWN)
        await spending.exactly_ten(screen, service, "story-ten")
    buyer_key = house.key(BUYER, frozenset({Scope.READ, Scope.SPEND}))
    async with Client(house.base, buyer_key) as buyer:
        await buying.a_pack(screen, buyer, BUYER)
    shown = capsys.readouterr().out
    with capsys.disabled():
        print(f"\n{shown}")
    charged = [int(paid) for paid in re.findall(r"charged (\d+) credits", shown)]
    assert len(charged) == 5, "three over HTTP, one of them repeated, one over Kafka"
    left = [int(balance) for balance in re.findall(r"credits, (\d+) left", shown)]
    assert left == [GIFT - sum(charged[:n]) for n in (1, 2, 3, 3)], "the balance after the charge"
    spent = sum(charged) - charged[3]  # the repetition of the second
    assert charged[3] == charged[1] > 0
    await verified(house.env)
    amounts = await replayed(house.env)
    assert (amounts[OWN]["available"], amounts[OWN]["held"]) == (GIFT - spent, 0)
    assert amounts[OWN]["spent"] == spent
    assert (amounts["story-ten"]["available"], amounts["story-ten"]["held"]) == (0, 70)
    assert amounts[BUYER]["available"] + amounts[BUYER]["spent"] == PACK
    assert amounts[BUYER]["spent"] > 0
    code, out, _ = await scrip(house.env, "explain", OWN)
    assert code == 0
    assert str(GIFT - spent) in out


async def test_a_killed_ledger_in_the_middle_of_load(
    house: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def kill() -> int:
        ledger = house.processes["ledger"]
        pid = ledger.pid
        ledger.kill()
        ledger.start()
        return pid

    async with Client(house.base, house.key(None, SERVICE)) as service:
        await spending.killed_ledger(Screen(bold=False), service, "story-storm", kill)
    with capsys.disabled():
        print(f"\n{capsys.readouterr().out}")
    await verified(house.env)
