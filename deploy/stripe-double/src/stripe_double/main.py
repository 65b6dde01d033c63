"""The double as a process: built here in plain sight, served until SIGTERM or SIGINT."""

import asyncio
import contextlib
import secrets
import signal
import time
from collections.abc import Iterator

import structlog
import uvicorn
from starlette.applications import Starlette

from stripe_double.courier import Courier
from stripe_double.journal import resumed
from stripe_double.settings import HOST, Settings
from stripe_double.shelf import Shelf
from stripe_double.web import application

log = structlog.get_logger(__name__)


def run(settings: Settings) -> None:
    """Serve until told to stop."""
    shelf = Shelf(lambda: int(time.time()), settings.page, series=secrets.token_hex(3))
    with contextlib.ExitStack() as opened:
        if settings.state_file is not None:
            opened.callback(resumed(shelf, settings.state_file).close)
        asyncio.run(_serve(settings, shelf))


async def _serve(settings: Settings, shelf: Shelf) -> None:
    courier = None
    if settings.endpoint:
        courier = Courier(shelf, settings.endpoint, settings.secrets)
    log.info("stripe_double_ready", page=settings.page, endpoint=settings.endpoint)
    await _until_told(application(shelf, courier), settings.http_port)


class _Server(uvicorn.Server):
    """Leaves signals to us, so that being told to stop is no failure."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _until_told(app: Starlette, port: int) -> None:
    server = _Server(
        uvicorn.Config(
            app,
            host=HOST,
            port=port,
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
    )

    def stop() -> None:
        server.should_exit = True

    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, stop)
    await server.serve()
