"""The HTTP server and its companions: they start together, and one that fails ends them all."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from typing import Any

import uvicorn
from fastapi import FastAPI

DRAIN_S = 5  # for requests under way when told to stop
KEEP_ALIVE_S = 75  # longer than the idle time of common proxies
BACKLOG = 1_024  # a burst of webhooks waits in the kernel instead of being refused


class _Server(uvicorn.Server):
    """Leaves signals to us: this process closes more than HTTP."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: FastAPI, host: str, port: int, *companions: Coroutine[Any, Any, None]) -> None:
    """Serve until SIGTERM or SIGINT; raises what a companion raised."""
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=DRAIN_S,
            backlog=BACKLOG,
        )
    )

    def stop() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, stop)
    beside = [asyncio.create_task(companion) for companion in companions]
    serving = asyncio.create_task(server.serve())
    try:
        done, _ = await asyncio.wait({serving, *beside}, return_when=asyncio.FIRST_COMPLETED)
        if serving not in done:
            stop()
            await serving
        for task in done:
            task.result()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
