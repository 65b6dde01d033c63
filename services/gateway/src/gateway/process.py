"""The HTTP server and its companions: they start together, and one that fails ends them all."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Coroutine, Iterator
from typing import Any

import uvicorn

from gateway.hot import Hot
from gateway.live import Live
from gateway.streaming import Protocol

DRAIN_S = 5  # for requests under way when told to stop; they wait for an answer no longer
KEEP_ALIVE_S = 75  # longer than the idle time of common proxies
BACKLOG = 4_096  # a burst of connections waits in the kernel instead of being refused


class _Server(uvicorn.Server):
    """Leaves signals to us: this process closes more than HTTP."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Process:
    """Serves `app` on one port."""

    def __init__(self, app: Hot, host: str, port: int, live: Live) -> None:
        self._live = live
        self._server = _Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                http=Protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,  # nobody's address decides anything that a header could forge
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=DRAIN_S,
                backlog=BACKLOG,
            )
        )

    async def run(self, *companions: Coroutine[Any, Any, None]) -> None:
        """Serve until SIGTERM or SIGINT; raises what a companion raised."""
        loop = asyncio.get_running_loop()
        for told in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(told, self._stop)
        beside = [asyncio.create_task(companion) for companion in companions]
        serving = asyncio.create_task(self._server.serve())
        gc.freeze()  # what was built until now stays for good
        try:
            done, _ = await asyncio.wait({serving, *beside}, return_when=asyncio.FIRST_COMPLETED)
            if serving not in done:
                self._stop()
                await serving
            for task in done:
                task.result()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    def _stop(self) -> None:
        self._live.stop()
        self._server.should_exit = True
