"""What belongs to payments: the gateway lets the caller in and passes the request on, as it is.

It decides who calls and how often, and vouches for that with an identity token of one minute; what
is bought, for how much and whether it is paid is decided by payments alone. Stripe's deliveries
pass byte for byte and vouched for by nobody: their signature is payments' to check.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import httpx
import structlog
from contracts.identity import HEADER
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from gateway.asgi import BODY_BYTES_MAX, read_body
from gateway.guest import Guest, Reception
from gateway.keys import Scope
from gateway.problems import RETRY_SOON_S, ProblemError, failure
from gateway.rates import USAGE, Rates, Rule
from gateway.vouching import Vouching
from gateway.web import request_id_of

CHECKOUT = Rule("checkout", 10)
VERIFY = Rule("verify", 20)
DELIVERY_BYTES_MAX = (256 << 10) + 1  # one more than payments takes, so that it says no itself
ANSWER_WITHIN_S = 35.0  # payments asks Stripe with a timeout and two retries
_PASSED_ON = ("content-type", "idempotency-key", "stripe-signature", "content-encoding")
_PASSED_BACK = ("content-type", "retry-after")

log = structlog.get_logger(__name__)


class Question(Struct, frozen=True):
    """What a page asks of payments: a GET, or with a body a POST that `key` names."""

    path: str
    query: str = ""
    body: bytes | None = None
    key: str = ""


class Passing:
    """The way to payments; without an address or a key there is none, and callers are told."""

    def __init__(self, url: str, vouching: Vouching) -> None:
        self._url = url
        self._vouching = vouching
        self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False)

    async def on_behalf(self, request: Request, guest: Guest, path: str, body: bytes) -> Response:
        """Pass a request on for somebody who was let in."""
        guest.principal.must_lead()
        if not self._vouching.able:
            raise _unavailable()
        vouched = {HEADER: self._vouching.token(guest)}
        return guest.with_headers(await self.on(request, path, body, vouched))

    async def on(
        self, request: Request, path: str, body: bytes, vouched: dict[str, str]
    ) -> Response:
        """Pass a request on, with only the headers that it needs."""
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        headers |= {**vouched, "x-request-id": request_id_of(request)}
        query = str(request.query_params)
        answer = await self._send(request.method, path, query, body, headers)
        back = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
        return Response(answer.content, status_code=answer.status_code, headers=back)

    async def ask(self, guest: Guest, request_id: str, question: Question) -> httpx.Response:
        """A question of our own pages for somebody who was let in."""
        guest.principal.must_lead()
        if not self._vouching.able:
            raise _unavailable()
        headers = {HEADER: self._vouching.token(guest), "x-request-id": request_id}
        if question.body is None:
            return await self._send("GET", question.path, question.query, b"", headers)
        headers |= {"content-type": "application/json", "idempotency-key": question.key}
        return await self._send("POST", question.path, question.query, question.body, headers)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _send(
        self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
    ) -> httpx.Response:
        if not self._url:
            raise _unavailable()
        try:
            return await self._client.request(
                method, self._url + path, params=query, content=body, headers=headers
            )
        except httpx.HTTPError as why:
            log.warning("payments_not_reached", why=repr(why))
            raise _unavailable() from why


class Route(Struct, frozen=True):
    """A people's route of payments, with the scope and the rate that the gateway asks for."""

    method: str
    path: str
    scope: Scope
    rule: Rule
    summary: str


PEOPLE = (
    Route("POST", "/api/billing/checkout", Scope.SPEND, CHECKOUT, "Start a purchase"),
    Route("POST", "/api/billing/top-up", Scope.SPEND, CHECKOUT, "Charge a pack to the saved card"),
    Route("GET", "/api/billing/purchases", Scope.READ, USAGE, "What you bought"),
    Route("GET", "/api/billing/invoices", Scope.READ, USAGE, "Your invoices and receipts"),
    Route("GET", "/api/billing/payment-methods", Scope.READ, USAGE, "Your cards"),
    Route("POST", "/api/billing/portal", Scope.ADMIN, CHECKOUT, "A link to Stripe's own pages"),
    Route("GET", "/api/billing/subscription", Scope.READ, USAGE, "Your subscription"),
    Route("PUT", "/api/billing/subscription", Scope.ADMIN, CHECKOUT, "Begin or change a plan"),
    Route("DELETE", "/api/billing/subscription", Scope.ADMIN, CHECKOUT, "End it with its period"),
)


def routes(passing: Passing, reception: Reception, rates: Rates) -> APIRouter:
    """Payments' routes behind this host name."""
    router = APIRouter(tags=["billing"])
    for route in PEOPLE:
        router.add_api_route(
            route.path,
            _passed_on(route, passing, reception, rates),
            methods=[route.method],
            summary=route.summary,
        )

    @router.get("/api/billing/verify-payment", summary="The true state of your purchase")
    async def verify(request: Request, session_id: str) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, VERIFY)
        del session_id  # named for the document; passed on with the query
        return await passing.on_behalf(request, guest, "/api/billing/verify-payment", b"")

    @router.get("/api/billing/purchases/{purchase}/receipt", summary="Stripe's receipt")
    async def receipt(request: Request, purchase: str) -> Response:
        guest = await reception.at_home(request, Scope.READ)
        guest.limited(rates, USAGE)
        path = f"/api/billing/purchases/{quote(purchase, safe='')}/receipt"
        return await passing.on_behalf(request, guest, path, b"")

    @router.post("/api/billing/purchases/{purchase}/refunds", summary="Give money back")
    async def refund(request: Request, purchase: str) -> Response:
        guest = await reception.at_home(request, Scope.ADMIN)
        if guest.principal.account is not None:
            raise failure(403, "not_permitted", "Giving money back is an administrator's call.")
        body = await read_body(request.receive, BODY_BYTES_MAX)
        path = f"/api/billing/purchases/{quote(purchase, safe='')}/refunds"
        return await passing.on_behalf(request, guest, path, body)

    @router.post("/api/stripe/webhook", summary="Stripe's deliveries")
    async def webhook(request: Request) -> Response:
        body = await read_body(request.receive, DELIVERY_BYTES_MAX)
        return await passing.on(request, "/api/stripe/webhook", body, {})

    return router


def _passed_on(
    route: Route, passing: Passing, reception: Reception, rates: Rates
) -> Callable[[Request], Awaitable[Response]]:
    async def pass_on(request: Request) -> Response:
        guest = await reception.at_home(request, route.scope)
        guest.limited(rates, route.rule)
        body = await read_body(request.receive, BODY_BYTES_MAX)
        return await passing.on_behalf(request, guest, route.path, body)

    return pass_on


def _unavailable() -> ProblemError:
    return failure(
        503,
        "payments_unavailable",
        "Payments cannot be reached now. Nothing was taken; try again with the same key.",
        retry_after_s=RETRY_SOON_S,
    )
