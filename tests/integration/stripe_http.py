"""The double of Stripe as a process of its own, and the words to say what happens there.

Without an endpoint it delivers nothing by itself; the tests then deliver as badly as they like.
"""

import threading
from pathlib import Path
from typing import Any

import httpx
import msgspec
from engine.guard import Guard
from engine.ports import free_port
from engine.processes import Process
from engine.services import scrip
from payments.handling import Hint
from stripe_double.control import AnyHappening
from stripe_double.faults import Faults
from stripe_double.records import AnyObject, Event

from tests.unit.payments.stripe_happenings import Happenings
from tests.unit.payments.stripe_world import hint_of

KEY = "sk_test_1"
FOREIGN = ("SCRIP_STRIPE_DOUBLE_ENDPOINT", "SCRIP_STRIPE_WEBHOOK_SECRETS_FILE", "SCRIP_STATE_DIR")


class StripeServer(Happenings):
    """A running double."""

    def __init__(
        self, folder: Path, guard: Guard, *, endpoint: str = "", secret: str = "", state: str = ""
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        env = {
            **dict.fromkeys(FOREIGN, ""),
            "SCRIP_HTTP_PORT": str(port),
            "SCRIP_STRIPE_DOUBLE_ENDPOINT": endpoint,
            "SCRIP_STRIPE_WEBHOOK_SECRETS": secret,
            "SCRIP_STATE_DIR": state,
        }
        argv = [scrip(), "stripe-double", "run"]
        log = folder / "stripe-double.log"
        self.process = Process("stripe-double", argv, log=log, env=env, guard=guard, port=port)
        self.http = httpx.Client(
            base_url=self.url,
            timeout=10,
            trust_env=False,
            headers={"authorization": f"Bearer {KEY}"},
            # Let go before the server does, after its five seconds, just as we would ask again.
            limits=httpx.Limits(keepalive_expiry=1.0),
        )
        self._events: list[Event] = []
        self._lock = threading.Lock()
        self.start()

    def start(self) -> None:
        self.process.start()
        self.process.wait_ready(f"{self.url}/healthz")

    def stop(self) -> None:
        self.http.close()
        self.process.stop()

    def happen(self, what: AnyHappening) -> Any:
        answer = self.http.post("/double/happenings", content=msgspec.json.encode(what))
        assert answer.status_code == 200, answer.text
        return _object(answer.content)

    def fail(self, **faults: Any) -> None:
        """These faults from now on, and no others."""
        answer = self.http.put("/double/faults", content=msgspec.json.encode(Faults(**faults)))
        assert answer.status_code == 200, answer.text

    def session(self, order: str, amount: int) -> str:
        """A checkout that nobody of ours began; its name."""
        price = "line_items[0][price_data]"
        form = {
            "mode": "payment",
            "success_url": "https://shop.example",
            "client_reference_id": order,
            f"{price}[currency]": "gbp",
            f"{price}[unit_amount]": str(amount),
            f"{price}[product_data][name]": "something",
        }
        answer = self.http.post("/v1/checkout/sessions", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def see(self, path: str) -> dict[str, Any]:
        """An object, or a list of them, as the API gives it."""
        answer = self.http.get(f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @property
    def events(self) -> list[Hint]:
        """Every event as a hint, in the order in which they were made."""
        return [hint_of(event) for event in self.raw_events]

    @property
    def raw_events(self) -> list[Event]:
        with self._lock:
            answer = self.http.get(f"/double/events?seen={len(self._events)}")
            self._events += _made(answer.content)
            return list(self._events)


_made = msgspec.json.Decoder(list[Event]).decode
_object = msgspec.json.Decoder(AnyObject).decode
