"""The hosted pages: pay a session, confirm to the bank, see invoices, receipts and the portal.

Plain HTML that needs no JavaScript. A typed card number is looked up among the test cards and
forgotten; nothing of it is stored, logged or shown again but brand and last four digits.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl

import jinja2
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from stripe_double import billing, checkout
from stripe_double.cards import CARDS, Card, card_of
from stripe_double.objects import (
    Charge,
    Invoice,
    Payer,
    PaymentMethod,
    Portal,
    Session,
    Subscription,
    Thing,
)
from stripe_double.refusals import Declined, Refused
from stripe_double.shelf import Shelf

HERE = Path(__file__).parent
FORM_BYTES_MAX = 8 << 10  # a dozen short fields
PORTAL_S = 3_600  # how long a portal's address opens it
HEADERS = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
SYMBOLS = {"gbp": "£", "eur": "€", "usd": "$"}
NO_TEST_CARD = "Only the test cards below pay here. Never type a real card number."
WORDS = {
    "authentication_required": "The payment was not confirmed. Try again or use another card.",
    "expired_card": "This card has expired. Use another one.",
    "generic_decline": "This card was declined. Use another one.",
    "incorrect_cvc": "The security code is wrong. Look at the card and try again.",
    "insufficient_funds": "There is not enough money on this card. Use another one.",
}
Fields = Mapping[str, str]
_Page = Callable[["Pages", Request], Awaitable[Response]]


class Pages:
    """The pages of one shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        self._templates.filters["money"] = money

    def shown(self, template: str, status: int = 200, **values: object) -> Response:
        """A page."""
        text = self._templates.get_template(template).render(values)
        return Response(text, status, headers=HEADERS, media_type="text/html")

    def session_page(self, session: Session, *, wrong: str = "") -> Response:
        """The page to pay on, or what became of the session."""
        if session.status != "open":
            back = _success(session) if session.status == "complete" else session.cancel_url
            return self.shown("over.html", session=session, back=back)
        status = 402 if wrong else 200
        return self.shown("pay.html", status, session=session, cards=CARDS, wrong=wrong)

    def portal_page(self, portal: Portal, *, wrong: str = "") -> Response:
        """A payer's own page."""
        shelf, payer = self.shelf, self.shelf.find(Payer, portal.customer)
        return self.shown(
            "portal.html",
            402 if wrong else 200,
            portal=portal,
            preferred=payer.invoice_settings.default_payment_method,
            cards=[x for x in shelf.every(PaymentMethod) if x.customer == payer.id and x.card],
            invoices=_of(shelf, Invoice, payer.id),
            subscriptions=_of(shelf, Subscription, payer.id),
            test_cards=CARDS,
            wrong=wrong,
        )


async def _see(pages: Pages, request: Request) -> Response:
    return pages.session_page(pages.shelf.find(Session, _name(request)))


async def _pay(pages: Pages, request: Request) -> Response:
    session, typed = pages.shelf.find(Session, _name(request)), await _fields(request)
    if session.status != "open":
        return pages.session_page(session)
    if typed.get("by") == "bank":
        checkout.pay_by_bank(pages.shelf, session)
        return RedirectResponse(_success(session), 303, HEADERS)
    card = card_of(typed.get("number", ""))
    if card is None:
        return pages.session_page(session, wrong=NO_TEST_CARD)
    return _try(pages, session, card, confirmed=False)


async def _confirm(pages: Pages, request: Request) -> Response:
    session, typed = pages.shelf.find(Session, _name(request)), await _fields(request)
    card = card_of(typed.get("number", ""))
    if card is None or session.status != "open":
        return pages.session_page(session)
    if typed.get("answer") != "yes":
        checkout.refuse(pages.shelf, session)
        return pages.session_page(session, wrong=WORDS["authentication_required"])
    return _try(pages, session, card, confirmed=True)


def _try(pages: Pages, session: Session, card: Card, *, confirmed: bool) -> Response:
    try:
        outcome = checkout.pay(pages.shelf, session, card, confirmed=confirmed)
    except Declined as why:
        code = why.error.decline_code or ""
        return pages.session_page(session, wrong=WORDS.get(code, WORDS["generic_decline"]))
    if outcome is checkout.Outcome.ASKS_OWNER:
        return pages.shown("confirm.html", session=session, card=card)
    return RedirectResponse(_success(session), 303, HEADERS)


async def _invoice(pages: Pages, request: Request) -> Response:
    return pages.shown("invoice.html", invoice=pages.shelf.find(Invoice, _name(request)))


async def _receipt(pages: Pages, request: Request) -> Response:
    return pages.shown("receipt.html", charge=pages.shelf.find(Charge, _name(request)))


async def _portal(pages: Pages, request: Request) -> Response:
    return pages.portal_page(_open_portal(pages, request))


async def _prefer(pages: Pages, request: Request) -> Response:
    """The payer leaves another card, to be used from now on."""
    portal, typed = _open_portal(pages, request), await _fields(request)
    card = card_of(typed.get("number", ""))
    if card is None:
        return pages.portal_page(portal, wrong=NO_TEST_CARD)
    billing.prefer(pages.shelf, card, pages.shelf.find(Payer, portal.customer))
    return RedirectResponse(portal.url, 303, HEADERS)


async def _remove(pages: Pages, request: Request) -> Response:
    """The payer takes a card away."""
    portal, typed = _open_portal(pages, request), await _fields(request)
    method = pages.shelf.find(PaymentMethod, typed.get("card"))
    if method.customer != portal.customer:
        raise Refused("This card is somebody else's.", status=404)
    billing.remove(pages.shelf, method)
    return RedirectResponse(portal.url, 303, HEADERS)


async def _end(pages: Pages, request: Request) -> Response:
    """The payer ends a subscription with its period, or goes on after all."""
    portal, typed = _open_portal(pages, request), await _fields(request)
    subscription = pages.shelf.find(Subscription, typed.get("subscription"))
    if subscription.customer != portal.customer:
        raise Refused("This subscription is somebody else's.", status=404)
    billing.change(pages.shelf, subscription, [], ends=typed.get("ends") == "yes")
    return RedirectResponse(portal.url, 303, HEADERS)


async def _style(_: Pages, __: Request) -> Response:
    return Response((HERE / "page.css").read_bytes(), headers=HEADERS, media_type="text/css")


def routes(shelf: Shelf) -> list[Route]:
    """All pages."""
    pages = Pages(shelf)
    table: tuple[tuple[str, str, _Page], ...] = (
        ("GET", "/pay/{name}", _see),
        ("POST", "/pay/{name}", _pay),
        ("POST", "/pay/{name}/confirm", _confirm),
        ("GET", "/invoices/{name}", _invoice),
        ("GET", "/receipts/{name}", _receipt),
        ("GET", "/portal/{name}", _portal),
        ("POST", "/portal/{name}", _end),
        ("POST", "/portal/{name}/cards", _prefer),
        ("POST", "/portal/{name}/cards/removed", _remove),
        ("GET", "/page.css", _style),
    )
    return [Route(path, _page(pages, show), methods=[method]) for method, path, show in table]


def money(amount: int, currency: str) -> str:
    """Minor units as people write them."""
    symbol = SYMBOLS.get(currency, currency.upper() + " ")
    return f"{symbol}{amount // 100}.{amount % 100:02d}"


def _page(pages: Pages, show: _Page) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await show(pages, request)
        except Refused as why:
            return pages.shown("refused.html", why.status, message=why.error.message)

    return endpoint


def _open_portal(pages: Pages, request: Request) -> Portal:
    portal = pages.shelf.find(Portal, _name(request))
    if portal.created + PORTAL_S < pages.shelf.now_s:
        raise Refused("This link is no longer good. Ask for a new one.", status=404)
    return portal


_Owned = Invoice | Subscription


def _of(shelf: Shelf, kind: type[_Owned], payer: str) -> list[Thing]:
    return [x for x in shelf.every(kind) if x.customer == payer]


def _success(session: Session) -> str:
    return session.success_url.replace("{CHECKOUT_SESSION_ID}", session.id)


def _name(request: Request) -> str:
    return str(request.path_params["name"])


async def _fields(request: Request) -> Fields:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            raise Refused("The form is too large.", status=413)
    return dict(parse_qsl(body.decode(errors="replace"), max_num_fields=50))
