"""The hot routes, in front of everything else: plain ASGI and msgspec, no framework in between.

A request here ends in exactly one reply; whatever goes wrong has the one shape of an error.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import TypeAlias

import structlog
from bus.trace import Trace
from msgspec import Struct

from gateway.asgi import (
    BODY_BYTES_MAX,
    Call,
    ClientGone,
    Receive,
    Reply,
    RequestIds,
    Scope,
    Send,
    read_body,
    respond,
)
from gateway.door import Door
from gateway.faults import internal, of_no_answer, problem_reply
from gateway.keys import Scope as KeyScope
from gateway.metrics import Metrics
from gateway.principals import Principal, anonymous
from gateway.problems import ProblemError
from gateway.waiting import NoAnswer

log = structlog.get_logger(__name__)

APPROVAL = b"scrip-approval"  # the key of a second admin
STREAMED = "scrip.streamed"  # in the scope of a reply that is sent as things happen

Handler: TypeAlias = Callable[[Call], Awaitable[Reply]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class Route(Struct, frozen=True):
    """A hot route. `label` names it in metrics; `anyone` may call without being known.

    `staff`: for keys that are bound to no account. `approvable`: a second admin may stand by.
    """

    label: str
    scope: KeyScope
    handle: Handler
    people: bool = False
    anyone: bool = False
    body_max: int = BODY_BYTES_MAX
    staff: bool = False
    approvable: bool = False


class Hot:
    """The ASGI application: hot POST routes by path, everything else to `rest`.

    `fixed` holds whole paths, `named` the noun and the verb of /v1/<noun>/<id>/<verb>.
    """

    def __init__(
        self,
        fixed: Mapping[str, Route],
        named: Mapping[tuple[str, str], Route],
        door: Door,
        metrics: Metrics,
        rest: App,
    ) -> None:
        self._fixed = fixed
        self._named = named
        self._door = door
        self._metrics = metrics
        self._rest = rest
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        trace = self._ids.trace(headers)
        found = self._find(scope["path"]) if scope["method"] == "POST" else None
        if found is None:
            await self._serve_rest(trace, scope, receive, send)
            return
        route, names = found
        started, metrics = perf_counter(), self._metrics
        metrics.in_flight += 1
        try:
            client = scope.get("client") or ("", 0)
            call = Call(headers, names, trace, time.time_ns() // 1_000_000, client[0])
            reply = await self._reply(route, call, receive)
        except ClientGone:
            return
        finally:
            metrics.in_flight -= 1
        await respond(send, reply, trace)
        metrics.requests.add(route.label, str(reply.status))
        metrics.duration(route.label).took(perf_counter() - started)

    def _find(self, path: str) -> tuple[Route, tuple[str, ...]] | None:
        if (route := self._fixed.get(path)) is not None:
            return route, ()
        parts = path.split("/")
        if len(parts) == 5 and parts[1] == "v1":
            named = self._named.get((parts[2], parts[4]))
            return None if named is None else (named, (parts[3],))
        return None

    async def _reply(self, route: Route, call: Call, receive: Receive) -> Reply:
        request_id = call.trace.request_id
        try:
            call.principal = await self._caller(route, call)
            call.principal.must(route.scope)
            if route.staff:
                call.principal.must_be_staff()
            if route.approvable and APPROVAL in call.headers:
                call.approved_by = await self._door.second(call.headers[APPROVAL], call.now)
            call.body = await read_body(receive, route.body_max)
            return await route.handle(call)
        except ProblemError as why:
            return problem_reply(why, request_id)
        except NoAnswer as why:
            self._metrics.shed.add(type(why).__name__.lower())
            return problem_reply(of_no_answer(why), request_id)
        except ClientGone:
            raise
        except Exception:
            log.exception("request_failed", route=route.label, request_id=request_id)
            return problem_reply(internal(), request_id)

    async def _caller(self, route: Route, call: Call) -> Principal:
        found = await self._door.look("POST", call.headers, call.now, people=route.people)
        if found is None:
            if not route.anyone:
                raise self._door.closed()
            return anonymous(call.address)
        return found

    async def _serve_rest(self, trace: Trace, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = perf_counter(), 500
        extra = [(b"x-request-id", trace.request_id.encode())]
        if trace.traceparent:
            extra.append((b"traceparent", trace.traceparent.encode()))

        async def with_trace(message: dict[str, object]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(str(message["status"]))
                message = {**message, "headers": [*message.get("headers", ()), *extra]}  # type: ignore[misc]
            await send(message)

        scope["scrip.trace"] = trace
        self._metrics.in_flight += 1
        try:
            await self._rest(scope, receive, with_trace)  # type: ignore[arg-type]
        finally:
            self._metrics.in_flight -= 1
            label = getattr(scope.get("route"), "path", "unknown")
            self._metrics.requests.add(label, str(status))
            if STREAMED not in scope:  # that lasts as long as somebody looks
                self._metrics.duration(label).took(perf_counter() - started)
