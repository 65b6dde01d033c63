"""Ledgers as processes of their own: started, watched, killed, paused."""

import asyncio
import re
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from engine.guard import Guard
from engine.places import HOST
from engine.ports import free_port
from engine.processes import Process
from engine.services import scrip

Probe: TypeAlias = Callable[[], Awaitable[bool]]

SERVING = re.compile(r'^scrip_partition_serving\{partition="(\d+)"\} 1\.0$', re.MULTILINE)
WITHIN_S = 30.0  # a takeover after kill -9 takes the session (6 s), a join and a restore
LOOK_S = 0.02


class Ledger:
    """One `scrip ledger run`."""

    def __init__(
        self,
        name: str,
        bootstrap: str,
        prefix: str,
        logs: Path,
        guard: Guard | None,
        **settings: str,
    ) -> None:
        self.name = name
        self.metrics_port = free_port()
        self.process = Process(
            name,
            (scrip(), "ledger", "run"),
            log=logs / f"{name}.log",
            env={
                "SCRIP_KAFKA_BOOTSTRAP": bootstrap,
                "SCRIP_ENV": "test",
                "SCRIP_TOPIC_PREFIX": prefix,
                "SCRIP_METRICS_PORT": str(self.metrics_port),
                **settings,
            },
            guard=guard,
        )

    def start(self) -> None:
        self.process.start()

    async def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        await asyncio.to_thread(self.process.kill)

    async def stop(self) -> int | None:
        """SIGTERM; gives the exit code."""
        return await asyncio.to_thread(self.process.stop)

    async def serving(self) -> set[int]:
        """The partitions it decides now; none while it does not answer."""
        return {int(number) for number in SERVING.findall(await self.metrics())}

    async def metrics(self) -> str:
        """What it shows to Prometheus; nothing while it is down or paused."""
        return await asyncio.to_thread(_get, f"http://{HOST}:{self.metrics_port}/metrics")

    def logged(self) -> str:
        """All it ever logged."""
        return self.process.log.read_text() if self.process.log.exists() else ""


async def all_served(
    ledgers: Iterable[Ledger], partitions: int, within_s: float = WITHIN_S
) -> float:
    """Wait until each partition is served by exactly one of them; give the seconds it took."""
    ledgers = list(ledgers)

    async def served() -> bool:
        found = [number for ledger in ledgers for number in await ledger.serving()]
        return sorted(found) == list(range(partitions))

    return await until(served, within_s, lambda: "\n".join(x.process.tail(8) for x in ledgers))


async def until(probe: Probe, within_s: float, why: Callable[[], str]) -> float:
    """Wait for an asynchronous probe to be true; give the seconds it took."""
    begun = time.monotonic()
    while not await probe():
        assert time.monotonic() - begun < within_s, f"not within {within_s} s:\n{why()}"
        await asyncio.sleep(LOOK_S)
    return time.monotonic() - begun


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=0.5) as answer:
            text: str = answer.read().decode()
            return text
    except (urllib.error.URLError, OSError):
        return ""
