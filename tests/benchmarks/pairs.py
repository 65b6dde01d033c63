"""A closed loop of reserve + charge pairs over Kafka, no HTTP: what the ledger itself can do.

    python -m tests.benchmarks.pairs BOOTSTRAP PREFIX IN_FLIGHT SECONDS [--hot] [--echo]
        [--accounts N] [--watch NAME=PID,...]

A pair is a reserve of 100 and a final charge of 70, over 1,000 accounts; 1 % of the reserves ask
for more than there is and are refused. Prints one JSON line.
"""

import argparse
import asyncio
import json
import time
import uuid

import uvloop
from contracts.commands import Charge, Reserve

from tests.benchmarks.bridge import BENCH, Bridge
from tests.benchmarks.cpu import CpuWatch, watched
from tests.benchmarks.figures import percentiles

ACCOUNTS = 1_000
HELD, CHARGED = 100, 70
TOO_MUCH = 10**11  # no account has that: refused
REFUSED_EVERY = 100
WARM_UP_S = 1.5
_HELD = ("CreditsReserved", "Reserve")  # an echo answers with the command
_REFUSED = ("CommandRefused", "Reserve")
_CHARGED = ("CreditsCharged", "Charge")


class PairLoad:
    """One cell: clients that each wait for their answer before they ask again."""

    def __init__(self, bridge: Bridge, run: str, accounts: list[str], start: float, end: float):
        self._bridge = bridge
        self._run = run
        self._accounts = accounts
        self._start, self._end = start, end
        self.pairs: list[float] = []
        self.reserves: list[float] = []
        self.refused = 0

    def stop(self) -> None:
        """No client begins another pair."""
        self._end = 0.0

    async def client(self, number: int) -> None:
        turn = 0
        while (begun := time.perf_counter()) < self._end:
            turn += 1
            account = self._accounts[(number * 7919 + turn * 31) % len(self._accounts)]
            name = f"{self._run}-{number}-{turn}"
            if (number + turn) % REFUSED_EVERY == 0:
                await self._too_much(name, account)
                continue
            reserve = Reserve(id=name, account=account, actor=BENCH, amount=HELD)
            _expect(await self._bridge.ask(reserve), _HELD)
            held = time.perf_counter()
            charge = Charge(
                id=name + "c", account=account, actor=BENCH, reservation=name, amount=CHARGED
            )
            _expect(await self._bridge.ask(charge), _CHARGED)
            if begun >= self._start:
                self.pairs.append(time.perf_counter() - begun)
                self.reserves.append(held - begun)

    async def _too_much(self, name: str, account: str) -> None:
        reserve = Reserve(id=name, account=account, actor=BENCH, amount=TOO_MUCH)
        _expect(await self._bridge.ask(reserve), _REFUSED)
        self.refused += 1


async def measure(
    bridge: Bridge,
    in_flight: int,
    seconds: float,
    *,
    hot: bool,
    echo: bool,
    of: int,
    cpu: CpuWatch,
) -> dict[str, object]:
    """Pairs per second, and milliseconds at p50 and p99."""
    run = uuid.uuid4().hex[:12]
    accounts = ["acct-hot"] if hot else [f"acct-{n}" for n in range(of)]
    if not echo:
        await asyncio.gather(*(bridge.grant(run, account) for account in accounts))
    start = time.perf_counter() + WARM_UP_S
    load = PairLoad(bridge, run, accounts, start, start + seconds)
    loop = asyncio.get_running_loop()
    loop.call_later(WARM_UP_S, cpu.start)
    loop.call_later(WARM_UP_S + seconds, cpu.stop)
    await asyncio.gather(*(load.client(number) for number in range(in_flight)))
    took = time.perf_counter() - start
    return {
        "pairs_per_s": round(len(load.pairs) / took, 1),
        **percentiles("pair_", load.pairs),
        **percentiles("reserve_", load.reserves),
        "refused": load.refused,
        "seconds": round(took, 2),
        "cpu_ms_per_pair": cpu.ms_per(len(load.pairs)),
    }


def _expect(answer: str, wanted: tuple[str, str]) -> None:
    if answer not in wanted:
        raise AssertionError(f"answered {answer}, not {wanted[0]}")


async def run(asked: argparse.Namespace) -> dict[str, object]:
    bridge = Bridge(asked.bootstrap, asked.prefix)
    await bridge.start()
    cpu = CpuWatch(watched(asked.watch))
    try:
        return await measure(
            bridge,
            asked.in_flight,
            asked.seconds,
            hot=asked.hot,
            echo=asked.echo,
            of=asked.accounts,
            cpu=cpu,
        )
    finally:
        await bridge.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("prefix")
    parser.add_argument("in_flight", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--hot", action="store_true")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--echo", action="store_true")
    parser.add_argument("--watch", default="")
    print(json.dumps(uvloop.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
