"""Every state of every page at an address of its own, with the real templates, files and policy."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import uvicorn
from engine.ports import free_port
from fastapi import FastAPI
from fastapi.responses import Response
from gateway.pages import assets
from gateway.pages.assets import Assets
from gateway.pages.render import Renderer

from tests.proofs.pages_states_more import states

HOST = "127.0.0.1"


def application() -> FastAPI:
    """GET /gallery/{state}."""
    files = Assets()
    renderer, known, app = Renderer(files), states(), FastAPI()
    app.include_router(assets.routes(files))

    @app.get("/gallery/{name}")
    def shown(name: str) -> Response:
        state = known[name]
        return renderer.page(state.template, state.view, state.status)

    @app.get("/favicon.ico")
    @app.get("/api/live")  # made pages stand still
    def nothing() -> Response:
        return Response(status_code=204)

    @app.get("/api/credits/balance")
    def balance() -> Response:
        shown = {"available": 1859, "held": 85, "spent": 1443, "position": "MDo4"}
        return Response(msgspec.json.encode(shown), media_type="application/json")

    return app


@contextmanager
def gallery() -> Iterator[str]:
    """Its address, while it is open."""
    port = free_port()
    settings = uvicorn.Config(
        application(), host=HOST, port=port, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(settings)
    serving = threading.Thread(target=server.run)
    serving.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://{HOST}:{port}/gallery"
    finally:
        server.should_exit = True
        serving.join()
