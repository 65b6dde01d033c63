"""What a command costs to decide and to remember where every limit is on, in microseconds.

    python -m tests.benchmarks.deciding [--turns N] [--accounts N]

An account with a plan, limits of the run, the day, the month and of runs at once, caps of its key,
its member and a tool, thresholds and a top-up rule; a reserve and a charge each
turn. Once more with nine caps: four of the key's and the member's, five of others.
Only `decide` and `evolve`, without Kafka, wire or digest. The floor is the same with an
account that has none of it. The best of the turns, the mean of a reserve and a charge.
"""

import argparse
import gc
import json
from collections.abc import Callable
from functools import partial

from contracts.caps import Cap, CapOf, CapWindow
from contracts.commands import (
    Actor,
    ActorKind,
    AnyCommand,
    Charge,
    Controls,
    Grant,
    GrantKind,
    Reserve,
    SetControls,
    SetPlan,
)
from contracts.events import CommandRefused, PartitionClaimed
from contracts.toppings import TopUpRule
from contracts.units import AMOUNT_MAX, MINUTE
from ledger.domain.evolve import evolve
from msgspec.structs import replace

from contracts import codec
from tests.benchmarks.micro import Stopwatch, World, turn

_KEY = Actor(ActorKind.SERVICE, "bench")
_ADMIN = Actor(ActorKind.ADMIN, "bench")
_PAYMENTS = Actor(ActorKind.PAYMENTS, "bench")
_MEMBER, _MUCH = "ada", AMOUNT_MAX // 10
_CAPS = (
    Cap(CapOf.KEY, _KEY.id, _MUCH, CapWindow.DAY),
    Cap(CapOf.MEMBER, _MEMBER, _MUCH, CapWindow.MONTH),
    Cap(CapOf.TOOL, "another-tool", _MUCH, CapWindow.EVER),
)
_NINE = (
    *_CAPS,
    Cap(CapOf.KEY, _KEY.id, _MUCH, CapWindow.MONTH),
    Cap(CapOf.MEMBER, _MEMBER, _MUCH, CapWindow.DAY),
    Cap(CapOf.TOOL, "another-tool", _MUCH, CapWindow.DAY),
    Cap(CapOf.TOOL, "a-third-tool", _MUCH, CapWindow.DAY),
    Cap(CapOf.KEY, "another-key", _MUCH, CapWindow.DAY),
    Cap(CapOf.KEY, "another-key", _MUCH, CapWindow.MONTH),
)
_ALL_ON = Controls(
    run_limit=_MUCH,
    concurrency=1_000,
    day_limit=_MUCH,
    month_limit=_MUCH,
    caps=_CAPS,
    alert_percents=(50, 80, 90),
    top_up=TopUpRule(below=1, pack="starter", monthly_max_minor=1),
)


def measure(turns: int, accounts: int, *, limited: bool, caps: tuple[Cap, ...] = _CAPS) -> float:
    """Microseconds a command: the best turn's decide, and evolve of all its events."""
    world, watch = World(accounts), Stopwatch()
    _prepare(world, _grant)
    if limited:
        _prepare(world, partial(_limit, caps))
        _prepare(world, _plan)
    for number in range(turns + 1):
        turn(world, watch, "reserve", partial(_reserve, number))
        turn(world, watch, "charge", partial(_charge, number))
        if not number:
            watch.turns.clear()  # warm
    costs = []
    for kind in ("reserve", "charge"):
        events = min(watch.turns[f"{kind}: events a command"])
        decided = min(watch.turns[f"{kind}: rule (decide)"])
        costs.append(decided + events * min(watch.turns[f"{kind}: evolve event"]))
    return round(sum(costs) / len(costs), 2)


def _prepare(world: World, made: Callable[[str], AnyCommand]) -> None:
    written = [pair for record in world.commands(made) for pair in world.deciding.decide(record)]
    records = world.events(written)
    world.replaying.replay(records)
    for record in records:
        event = codec.decode_event(record.value)
        if isinstance(event, PartitionClaimed | CommandRefused):
            raise TypeError(f"not prepared: {event}")
        evolve(world.evolving[event.account], event)


def _grant(account: str) -> Grant:
    return Grant(
        id=f"g{account}",
        account=account,
        actor=_PAYMENTS,
        amount=AMOUNT_MAX // 2,
        kind=GrantKind.PAID,
        source=f"s{account}",
    )


def _limit(caps: tuple[Cap, ...], account: str) -> SetControls:
    controls = replace(_ALL_ON, caps=caps)
    return SetControls(id=f"k{account}", account=account, actor=_ADMIN, controls=controls)


def _plan(account: str) -> SetPlan:
    return SetPlan(id=f"p{account}", account=account, actor=_PAYMENTS, plan="pro")


def _reserve(number: int, account: str) -> Reserve:
    return Reserve(
        id=f"{number}-{account}",
        account=account,
        actor=_KEY,
        amount=100,
        member=_MEMBER,
        lifetime_ms=10 * MINUTE,
    )


def _charge(number: int, account: str) -> Charge:
    held = f"{number}-{account}"
    return Charge(id=f"{held}c", account=account, actor=_KEY, reservation=held, amount=70)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--accounts", type=int, default=500)
    asked = parser.parse_args()
    gc.set_threshold(200_000, 50, 1000)  # as the ledger runs
    found = {
        name: measure(asked.turns, asked.accounts, limited=limited, caps=caps)
        for name, limited, caps in (
            ("decide_us", True, _CAPS),
            ("decide_nine_caps_us", True, _NINE),
            ("decide_floor_us", False, ()),
        )
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
