"""People at the gateway who will not be put off: the same key again until there is an answer.

Some hang up in the middle and ask again; that must change nothing either.
"""

import asyncio
import random
import time
from collections import Counter
from typing import Any

import httpx

from tests.integration.gateway_world import World, keyed

AGAIN_S = 0.2
PATIENCE_S = 60.0  # two takeovers after kill -9, one after the other, and a gateway's start
NOT_YET = frozenset({429, 503, 504})
NOOP = "/api/test-studio/noop/run"
HANGS_UP = 0.1  # how often a caller goes away before the answer
TOO_MUCH = 10**9


class Callers:
    """`spent` is what they were told that they paid, by account."""

    def __init__(self, world: World, key: str, accounts: list[str]) -> None:
        self.accounts = accounts
        self.spent: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.retried = 0
        self.hung_up = 0
        self.longest_s = 0.0
        self._http = httpx.AsyncClient(
            base_url=world.base,
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE_S,
            limits=httpx.Limits(max_connections=200),
            trust_env=False,
        )
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, callers: int, seed: int) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._live(n, seed)) for n in range(callers)]

    async def stop(self) -> None:
        """Everybody gets the answer they wait for, then nobody asks any more."""
        self._over.set()
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(
        self,
        path: str,
        key: str,
        body: dict[str, Any],
        account: str = "",
        chance: random.Random | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """The answer, however often it has to be asked for."""
        begun, headers = time.monotonic(), keyed(key)
        if account:
            headers["Scrip-Account"] = account
        while True:
            hang_up = chance is not None and chance.random() < HANGS_UP
            try:
                async with asyncio.timeout(0.005 if hang_up else None):
                    answer = await self._http.post(path, json=body, headers=headers)
                if answer.status_code not in NOT_YET:
                    self.longest_s = max(self.longest_s, time.monotonic() - begun)
                    return answer.status_code, answer.json()
            except TimeoutError:
                self.hung_up += 1
                continue
            except httpx.TransportError:
                pass  # the gateway is being killed under us: that is the point
            assert time.monotonic() - begun < PATIENCE_S, f"{path} {key}: no answer"
            self.retried += 1
            await asyncio.sleep(AGAIN_S)

    async def _live(self, number: int, seed: int) -> None:
        chance, turn = random.Random(f"{seed}.{number}"), 0
        while not self._over.is_set():
            turn += 1
            account, key = chance.choice(self.accounts), f"c{number}-{turn}"
            if chance.random() < 0.3:
                await self._run(account, key, chance)
            else:
                await self._spend(account, key, chance)

    async def _run(self, account: str, key: str, chance: random.Random) -> None:
        status, ran = await self.ask(NOOP, key, {"input": {}}, account, chance)
        while status == 202:  # it outlasts the wait: the same key again waits for it again
            await asyncio.sleep(AGAIN_S)
            status, ran = await self.ask(NOOP, key, {"input": {}}, account)
        self.answers[f"run {status}"] += 1
        assert status == 200, (status, ran)
        self.spent[account] += ran["credits"]["charged"]

    async def _spend(self, account: str, key: str, chance: random.Random) -> None:
        amount = TOO_MUCH if chance.random() < 0.1 else chance.randint(1, 50)
        body: dict[str, Any] = {"account": account, "amount": amount}
        status, held = await self.ask("/v1/reservations", key, body, chance=chance)
        self.answers[f"reserve {status}"] += 1
        if amount == TOO_MUCH:
            assert (status, held["code"]) == (402, "insufficient_credits"), held
            return
        assert status == 201, held
        paid = chance.randint(1, amount)
        body = {"account": account, "amount": paid}
        url = f"/v1/reservations/{key}/charge"
        status, charged = await self.ask(url, f"{key}-c", body, chance=chance)
        self.answers[f"charge {status}"] += 1
        assert (status, charged["charged"]) == (200, paid), charged
        self.spent[account] += paid
