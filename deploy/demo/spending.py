"""Scenes about money under pressure: a balance for ten, and a ledger that is killed."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct, field

from deploy.demo.client import Client
from deploy.demo.house import DemoFailed
from deploy.demo.screen import Screen

PARALLEL, PRICE, ROOM = 100, 7, 10
CALLERS = 32
HELD, CHARGED = 10, 7
CALM_S = 3.0  # load before the kill, and after the recovery
SILENCE_S = 0.5  # far above a round trip, far below a takeover
RECOVERY_WITHIN_S = 40.0


class Load(Struct):
    """What the callers of the storm were told, and when."""

    pairs: int = 0
    answered: list[float] = field(default_factory=list)
    over: bool = False
    position: str = ""


async def exactly_ten(screen: Screen, client: Client, account: str) -> None:
    """A hundred at once on a balance for ten: no interleaving lets an eleventh through."""
    screen.scene(f"{PARALLEL} parallel reserves of {PRICE} credits on a balance of {PRICE * ROOM}")
    await grant(client, account, PRICE * ROOM)
    answers = await asyncio.gather(
        *(
            client.ask("/v1/reservations", f"{account}-{n}", {"account": account, "amount": PRICE})
            for n in range(PARALLEL)
        )
    )
    held = sum(status == 201 for status, _ in answers)
    no = [body for status, body in answers if status == 402]
    refused = sum(body["code"] == "insufficient_credits" for body in no)
    screen.fact("201 held", held)
    screen.fact(
        "402 refused", f"{refused} ({no[0]['code']}, short of {no[0]['shortfall']})" if no else 0
    )
    if (held, refused) != (ROOM, PARALLEL - ROOM):
        raise DemoFailed(
            f"{held} succeeded and {refused} were refused, not {ROOM} and {PARALLEL - ROOM}"
        )


async def killed_ledger(
    screen: Screen, client: Client, account: str, kill: Callable[[], int]
) -> None:
    """Kill -9 in the middle of load: everybody gets an answer, nobody pays twice."""
    screen.scene("kill -9 of the ledger in the middle of load")
    granted = 1_000_000
    position = await grant(client, account, granted)
    load, retried = Load(position=position), client.retried
    callers = [asyncio.create_task(_spend(client, account, n, load)) for n in range(CALLERS)]
    begun = time.monotonic()
    await asyncio.sleep(CALM_S)
    screen.fact(
        "before",
        f"{load.pairs / CALM_S:,.0f} reserve + charge pairs/s over HTTP, {CALLERS} callers",
    )
    killed, counted = time.monotonic(), load.pairs
    pid = kill()
    await _first_answer_after(load, killed, callers)
    back = time.monotonic() - killed
    resumed = load.pairs
    await asyncio.sleep(CALM_S)
    after = (load.pairs - resumed) / CALM_S
    load.over = True
    await asyncio.gather(*callers)
    took = time.monotonic() - begun
    screen.fact(
        f"killed pid {pid}",
        f"first answer again after {_gap(load, killed):.1f} s "
        f"(seen after {back:.1f} s), then {after:,.0f} pairs/s",
    )
    screen.fact(
        "callers",
        f"all {CALLERS} answered; asked again with the same key {client.retried - retried} times",
    )
    await _pays_once(screen, client, account, load, granted)
    if load.pairs <= counted:
        raise DemoFailed(f"no pair was finished after the kill within {took:.0f} s")


async def grant(client: Client, account: str, amount: int) -> str:
    """Give credits; where the log stands after it."""
    given = await client.post(
        f"/v1/accounts/{account}/grants",
        f"{account}-grant",
        {"amount": amount, "kind": "promo", "source": f"{account}-grant"},
    )
    position: str = given["position"]
    return position


async def _spend(client: Client, account: str, number: int, load: Load) -> None:
    for turn in _turns(load):
        name = f"{account}-{number}-{turn}"
        await client.post("/v1/reservations", name, {"account": account, "amount": HELD})
        load.answered.append(time.monotonic())
        charged: dict[str, Any] = await client.post(
            f"/v1/reservations/{name}/charge",
            f"{name}-c",
            {"account": account, "amount": CHARGED},
        )
        load.answered.append(time.monotonic())
        load.position = charged["position"]
        load.pairs += 1


def _turns(load: Load) -> Iterator[int]:
    return itertools.takewhile(lambda _: not load.over, itertools.count())


async def _first_answer_after(load: Load, killed: float, callers: list[asyncio.Task[None]]) -> None:
    """Wait for an answer that came after a silence, not one that was under way."""
    while _gap(load, killed) < SILENCE_S:
        if time.monotonic() - killed > RECOVERY_WITHIN_S:
            raise DemoFailed(f"no answer within {RECOVERY_WITHIN_S:.0f} s of the kill")
        for caller in callers:
            if caller.done():
                caller.result()
        await asyncio.sleep(0.02)


def _gap(load: Load, killed: float) -> float:
    """The longest silence between two answers around the kill."""
    near = [at for at in load.answered if at > killed - CALM_S]
    return max((b - a for a, b in itertools.pairwise(near)), default=0.0)


async def _pays_once(
    screen: Screen, client: Client, account: str, load: Load, granted: int
) -> None:
    """What the callers were told adds up to what the account has left."""
    status, end = await client.ask(
        "/v1/reservations", f"{account}-last", {"account": account, "amount": 1}
    )
    if status != 201:
        raise DemoFailed(f"the last reserve was answered {status}: {end}")
    left = end["balance"]["available"] + end["balance"]["held"]
    told = load.pairs * CHARGED
    screen.fact("told to callers", f"{load.pairs} charges of {CHARGED} = {told} credits")
    screen.fact("gone from the account", f"{granted - left} credits")
    if granted - left != told:
        raise DemoFailed(f"{granted - left} credits are gone, the callers were told {told}")
