"""A caller of the gateway: a retry carries the same key, so it can never charge twice."""

import asyncio
import json
import time
from typing import Any, Self

from deploy.demo.house import DemoFailed
from deploy.demo.wire import Wire, WireError

PATIENCE_S = 45.0  # a killed ledger is replaced after its session of 6 s and a restore
AGAIN_S = 0.2
TRY_AGAIN = frozenset({429, 503, 504})  # not decided, or not known: the same key may ask again


class Client:
    """Speaks for one key. `retried` counts the times it had to ask again."""

    def __init__(self, url: str, key: str) -> None:
        self.retried = 0
        self._wire = Wire(url, {"Authorization": f"Bearer {key}"})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._wire.close()

    async def ask(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """POST under an idempotency key until there is an answer; its status and body."""
        return await self._ask("POST", path, json.dumps(body).encode(), {"Idempotency-Key": key})

    async def see(self, path: str) -> dict[str, Any]:
        """The body of a GET; DemoFailed for anything but 200."""
        status, answer = await self._ask("GET", path, b"", {})
        if status != 200:
            raise DemoFailed(f"GET {path} was answered {status}: {answer}")
        return answer

    async def _ask(
        self, method: str, path: str, raw: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        begun = time.monotonic()
        while True:
            try:
                answer = await self._wire.request(method, path, raw, headers)
            except WireError as why:
                said = str(why)
            else:
                if answer.status not in TRY_AGAIN:
                    return answer.status, answer.body
                said = str(answer.body)
            if time.monotonic() - begun > PATIENCE_S:
                raise DemoFailed(f"{method} {path} had no answer within {PATIENCE_S:.0f} s: {said}")
            self.retried += 1
            await asyncio.sleep(AGAIN_S)

    async def post(self, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """The body of a 2xx; DemoFailed for anything else."""
        status, answer = await self.ask(path, key, body)
        if not 200 <= status < 300:
            raise DemoFailed(f"POST {path} was answered {status}: {answer}")
        return answer
