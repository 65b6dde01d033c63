"""Stripe in memory behind HTTP, for services that run as processes of their own.

Speaks as much of the API as they need: form bodies with brackets, lists, idempotency keys, errors.
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from payments import objects
from payments.till import TillDown, TillRefused

from tests.unit.payments.stripe_world import Stripe

KINDS: dict[str, type[msgspec.Struct]] = {
    "checkout/sessions": objects.Session,
    "payment_intents": objects.Intent,
    "refunds": objects.Refund,
    "disputes": objects.Dispute,
    "charges": objects.Charge,
    "customers": objects.Payer,
    "invoices": objects.Invoice,
    "invoice_payments": objects.InvoicePayment,
    "subscriptions": objects.StripeSubscription,
    "billing_portal/sessions": objects.Portal,
    "radar/early_fraud_warnings": objects.FraudWarning,
    "balance_transactions": objects.Movement,
    "payouts": objects.Payout,
    "prices": objects.Named,
}


class StripeServer:
    """A running server; `stripe` is the account behind it."""

    def __init__(self) -> None:
        self.stripe = Stripe()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, params: dict[str, Any], key: str) -> tuple[int, Any]:
        room = next(x for x in KINDS if path == x or path.startswith(f"{x}/"))
        kind = KINDS[room]
        with self._lock:
            try:
                if method == "POST":
                    return 200, self.stripe.post(kind, path, params, key)
                if path != room:
                    return 200, self.stripe.get(kind, path)
                found = list(self.stripe.every(kind, path, **params))
            except TillDown:
                return 503, {"error": {"type": "api_error"}}
            except TillRefused as why:
                error = {"type": "invalid_request_error", "code": why.code}
                return (404 if why.missing else 400), {"error": error}
        after = params.get("starting_after")
        if after:
            found = found[[getattr(x, "id", "") for x in found].index(after) + 1 :]
        limit = int(params.get("limit", 10))
        return 200, {"object": "list", "data": found[:limit], "has_more": len(found) > limit}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer("GET", urlsplit(self.path).query)

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                self._answer("POST", self.rfile.read(length).decode())

            def _answer(self, method: str, form: str) -> None:
                path = urlsplit(self.path).path.removeprefix("/v1/")
                key = self.headers.get("idempotency-key", "")
                status, shown = server.answer(method, path, unfolded(form), key)
                body = msgspec.json.encode(shown)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002
                pass

        return Handler


def unfolded(form: str) -> dict[str, Any]:
    """`a[0][b]=1` as nested values; numbers become numbers."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(form):
        parts = re.findall(r"[^\[\]]+", name)
        at: Any = root
        for part in parts[:-1]:
            at = at.setdefault(part, {})
        at[parts[-1]] = _plain(value)
    listed: dict[str, Any] = json.loads(json.dumps(root), object_hook=_listed)
    return listed


def _plain(value: str) -> str | int | bool:
    if value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return int(value) if value.isdigit() else value


def _listed(found: dict[str, Any]) -> Any:
    if found and all(name.isdigit() for name in found):
        return [found[name] for name in sorted(found, key=int)]
    return found
