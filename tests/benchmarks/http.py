"""Pairs and runs over HTTP: gateway, ledger and tool worker as they ship, one process of each.

A real key, bodies validated, 1,000 accounts granted over HTTP too. The projector is not there: it
is no part of an answer, and has its own figure. CPU is what the kernel says of each process within
the measured seconds.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from engine.places import HOST
from engine.ports import free_port
from engine.processes import Process
from msgspec import Struct

from tests.benchmarks.figures import Tree
from tests.benchmarks.world import CellFailed, World, ready

KEY_WITHIN_S = 30
GRANT_AT_ONCE = 64
_KEY = "SCRIP_BENCH_KEY"


class Road(Struct, frozen=True):
    """What a load needs to know of a running gateway and those behind it."""

    world: World
    address: str
    key: str
    pids: dict[str, int]

    def cell(self, what: str, in_flight: int, seconds: float) -> Tree:
        """One figure of `pairs` or `runs`; raises CellFailed."""
        return self.world.measured(
            "httpload",
            what,
            self.address,
            in_flight,
            seconds,
            self.world.watch(**self.pids),
            seconds=seconds,
            env={_KEY: self.key},
        )


@contextmanager
def road(world: World, prefix: str, *, worker: bool) -> Iterator[Road]:
    """Ledger and gateway, and the tool worker if asked; all accounts have their credits."""
    world.topics(prefix)
    url = world.database("bench_gateway")
    with ExitStack() as opened:
        ledger = opened.enter_context(world.serving_ledger(prefix))
        key = _key(world, prefix, url)
        port = free_port()
        more = {"SCRIP_HTTP_PORT": str(port), "SCRIP_METRICS_PORT": str(free_port())}
        gateway = world.service("gateway", ("gateway", "run"), prefix, more, url)
        opened.callback(gateway.stop)
        gateway.wait_ready(lambda: ready(f"http://{HOST}:{port}/readyz"))
        pids = {"ledger": ledger.process.pid, "gateway": gateway.pid}
        if worker:
            tools = _worker(world, prefix, url)
            opened.callback(tools.stop)
            pids["tools"] = tools.pid
        found = Road(world, f"{HOST}:{port}", key, pids)
        found.cell("grants", GRANT_AT_ONCE, 1)
        yield found


def _worker(world: World, prefix: str, url: str) -> Process:
    more = {"SCRIP_METRICS_PORT": str(free_port())}
    tools = world.service("studio-tools", ("studio-tools", "run"), prefix, more, url)
    tools.wait_ready("studio_tools_ready")
    return tools


def _key(world: World, prefix: str, url: str) -> str:
    """A key for any account, made by the command line as an operator would."""
    verb = ("gateway", "keys", "make", "--scopes", "read,spend,grant", "--label", "bench")
    making = world.service("gateway-key", verb, prefix, {}, url)
    if not making.wait(KEY_WITHIN_S) or making.exit_code:
        raise CellFailed(f"no key was made: {making.tail()}")
    key = making.tail(1).strip()
    os.truncate(making.log, 0)  # a key is shown once and kept nowhere
    return key
