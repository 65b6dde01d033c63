"""All services under load over HTTP, and each of them killed at random moments.

Gateway, ledger, projector and worker get kill -9 in turn; the projector's compliance log is torn in
the middle of a line besides. In the end everybody was answered, what they were told they paid is
what is gone, and `scrip verify` finds nothing.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine.guard import Guard
from engine.local import Engine
from gateway.keys import Scope

from tests.e2e.callers import Callers
from tests.e2e.finance import replayed, verified
from tests.integration.gateway_world import World, world

SERVICES = ("ledger", "audit-projector", "studio-tools")
KILLED = (*SERVICES, "gateway")
ROUNDS = 3
CALLERS = 24
GRANTED = 1_000_000
SEED = 20261124
TORN_BYTES = 40
SERVICE = frozenset({Scope.READ, Scope.SPEND, Scope.GRANT})  # no administrator: gives by rule


@pytest.fixture(scope="module")
def house(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    prefix, folder = f"t{uuid.uuid4().hex[:10]}.", tmp_path_factory.mktemp("house")
    with world(engine, database, prefix, folder, guard, services=SERVICES) as made:
        yield made


async def test_whatever_is_killed_everybody_is_answered_and_nobody_pays_twice(
    house: World,
) -> None:
    chance, begun = random.Random(SEED), time.monotonic()
    accounts = [f"all-{n}" for n in range(8)]
    callers = Callers(house, house.key(None, SERVICE), accounts)
    for account in accounts:
        body = {"amount": GRANTED, "kind": "promo", "source": f"s-{account}"}
        status, given = await callers.ask(f"/v1/accounts/{account}/grants", "grant", body)
        assert status == 201, given
    await callers.start(CALLERS, SEED)
    await asyncio.sleep(1.0)
    order = [name for _ in range(ROUNDS) for name in chance.sample(KILLED, len(KILLED))]
    torn = 0
    for name in order:
        torn += await _kill(house, name, tear=name == "audit-projector")
        await asyncio.sleep(chance.uniform(0.3, 2.5))
    await callers.stop()
    found = await verified(house.env)
    amounts = await replayed(house.env)
    assert {a: amounts[a]["spent"] for a in accounts} == {a: callers.spent[a] for a in accounts}
    assert {a: amounts[a]["held"] for a in accounts} == dict.fromkeys(accounts, 0)
    print(
        f"{len(order)} kills in {time.monotonic() - begun:.0f} s · {torn} logs torn ·"
        f" longest wait {callers.longest_s:.1f} s · retried {callers.retried} ·"
        f" hung up {callers.hung_up} · {dict(callers.answers)} ·"
        f" {sum(callers.spent.values())} credits told and gone ·"
        f" verify: {len(found['checks'])} checks, 0 differences"
    )
    assert torn >= 1
    assert callers.answers["run 200"] >= 1
    await callers.close()
    _refusals_are_no_errors(house, callers.answers["reserve 402"])


async def test_a_gateway_killed_while_callers_wait_gives_the_first_answers(house: World) -> None:
    """The ledger is paused so that everybody waits; the same keys after it give one answer each."""
    callers = Callers(house, house.key(None, SERVICE), ["waiting"])
    body = {"amount": 10 * 7, "kind": "promo", "source": "s"}
    assert (await callers.ask("/v1/accounts/waiting/grants", "grant", body))[0] == 201
    house.processes["ledger"].pause()
    wanted = [
        asyncio.create_task(
            callers.ask("/v1/reservations", f"k{n}", {"account": "waiting", "amount": 7})
        )
        for n in range(100)
    ]
    await asyncio.sleep(0.4)
    await _kill(house, "gateway", tear=False)
    house.processes["ledger"].resume()
    first = await asyncio.gather(*wanted)
    again = await asyncio.gather(
        *(
            callers.ask("/v1/reservations", f"k{n}", {"account": "waiting", "amount": 7})
            for n in range(100)
        )
    )
    held = [answer["reservationId"] for status, answer in first if status == 201]
    print(f"{len(held)} held, {100 - len(held)} refused, {callers.retried} asked again")
    assert len(held) == len(set(held)) == 10
    assert [status for status, _ in first].count(402) == 90
    assert [(status, _outcome(body)) for status, body in first] == [
        (status, _outcome(body)) for status, body in again
    ]
    await verified(house.env)
    await callers.close()


def _outcome(body: dict[str, object]) -> object:
    return body.get("reservationId") or body.get("code")


async def _kill(house: World, name: str, *, tear: bool) -> int:
    """kill -9 and start again at once; give how many compliance logs were torn meanwhile."""
    process = house.processes[name]
    await asyncio.to_thread(process.kill)
    torn = _tear(house.folder / "audit") if tear else 0
    process.start()
    return torn


def _tear(folder: Path) -> int:
    """Cut the newest line of a chain in two, as a power cut in the middle of a write does."""
    for file in sorted(folder.rglob("*.jsonl")):
        raw = file.read_bytes()
        if len(raw) > 2 * TORN_BYTES:
            file.write_bytes(raw[:-TORN_BYTES])
            return 1
    return 0


def _refusals_are_no_errors(house: World, refusals: int) -> None:
    assert refusals >= 1
    for name in ("gateway", "ledger"):
        lines = [x for x in house.log(name).splitlines() if '"error"' in x or "[error" in x]
        assert not lines, lines[:3]
