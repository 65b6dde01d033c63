"""Style sheet and scripts: read once, compressed once, named by their content, cached for ever."""

import gzip
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway.principals import not_found

FOR_EVER = "public, max-age=31536000, immutable"
SHORT = "public, max-age=300"  # a name without a content hash may change what it means
_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_NAMES = ("static/pages.css", "static/pages.js", "static/live.js", "static/mark.svg")
_VENDORED = ("vendor/htmx.min.js",)


class Asset(Struct, frozen=True):
    """A file as it is sent."""

    kind: str
    plain: bytes
    packed: bytes
    mark: str


class Assets:
    """All of them; `url` names one so that a browser may keep it."""

    def __init__(self) -> None:
        room = files("gateway.pages")
        self._assets = {
            path.rpartition("/")[2]: _asset(room, path) for path in (*_NAMES, *_VENDORED)
        }

    def url(self, name: str) -> str:
        """Where a file is, with its content's mark."""
        return f"/static/{self._assets[name].mark}/{name}"

    def plain(self, name: str) -> bytes:
        """A file's bytes."""
        return self._assets[name].plain

    def answer(self, request: Request, name: str, mark: str) -> Response:
        """A file, compressed for those who take it; 404 for any other name."""
        if (asset := self._assets.get(name)) is None:
            raise not_found()
        headers = {
            "cache-control": FOR_EVER if mark == asset.mark else SHORT,
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        body = asset.plain
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"], body = "gzip", asset.packed
        return Response(body, media_type=asset.kind, headers=headers)


def routes(assets: Assets) -> APIRouter:
    """GET /static/{mark}/{name}; a page that is older than this process finds the new file."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{mark}/{name}")
    async def static(request: Request, mark: str, name: str) -> Response:
        return assets.answer(request, name, mark)

    return router


def _asset(room: Traversable, path: str) -> Asset:
    plain = room.joinpath(path).read_bytes()
    kind = _KINDS[path.rpartition(".")[2]]
    packed = gzip.compress(plain, 9, mtime=0)
    return Asset(kind, plain, packed, sha256(plain).hexdigest()[:12])
