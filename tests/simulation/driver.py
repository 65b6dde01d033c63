"""Runs coroutines on a simulated port with no faults: everything arrives, in order, soon."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from contracts.units import Ms

from tests.simulation.port import SimLog, Site, Until

STEPS_MAX = 100_000  # a scripted scene needs a few hundred
STEP_MS = 5

Result = TypeVar("Result")
Scene = Coroutine[Any, Any, Result]


class Running:
    """A coroutine in the background, and how it ended."""

    def __init__(self, work: Scene[Any]) -> None:
        self.work = work
        self.rest: Any = None
        self.over = False
        self.result: Any = None
        self.failure: Exception | None = None

    def step(self) -> None:
        """Let it go on if what it rests for has come."""
        if self.over or (self.rest is not None and not self.rest.ready()):
            return
        try:
            self.rest = self.work.send(None)
        except StopIteration as done:
            self.over, self.result = True, done.value
        except Exception as why:  # noqa: BLE001 - kept for whoever looks at it
            self.over, self.failure = True, why


class Driver:
    """A quiet site, one partition or more, and what runs on it."""

    def __init__(self, partitions: int = 1, *, fence: bool = True) -> None:
        self.site = Site(7, partitions, fence=fence)
        self.running: list[Running] = []

    def port(self, partition: int = 0, name: str = "owner", skew: Ms = 0) -> SimLog:
        """The port of another owner."""
        return SimLog(self.site, partition, skew, name)

    def start(self, work: Scene[Any]) -> Running:
        """Run it in the background."""
        self.running.append(Running(work))
        return self.running[-1]

    def run(self, work: Scene[Result]) -> Result:
        """Run it to its end."""
        mine = self.start(work)
        self.until(lambda: mine.over)
        if mine.failure is not None:
            raise mine.failure
        result: Result = mine.result
        return result

    def until(self, holds: Callable[[], bool]) -> None:
        """Go on until something holds."""
        for _ in range(STEPS_MAX):
            if holds():
                return
            self.step()
        raise AssertionError("it never came to that")

    def step(self) -> None:
        """Everybody moves a little."""
        site = self.site
        for one in list(self.running):
            one.step()
        for _ in range(4):
            if site.network.messages:
                site.network.deliver(site.now)
        for part in (*site.broker.partitions, *site.broker.shelves):
            part.high = len(part.events)
        site.now += STEP_MS

    async def sleep(self, for_ms: Ms) -> None:
        """Inside a scene: let time pass."""
        until = self.site.now + for_ms
        await Until(lambda: self.site.now >= until)

    def close(self) -> None:
        """End whatever still runs."""
        for one in self.running:
            one.work.close()
