"""The double of Stripe as a process: its page without a browser, its deliveries, faults and memory.

Stripe's own library calls it and checks what it signs.
"""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import stripe
from engine.guard import Guard
from payments.circuit import Circuits
from payments.objects import Payer, Refund
from payments.till import Till, TillDown, TillRefused

from tests.integration.stripe_http import KEY, StripeServer

SECRET, OLD_SECRET = "the-new-one", "the-old-one"


class Endpoint:
    """A shop's endpoint that remembers what it was given; `refuses` the next so many."""

    def __init__(self) -> None:
        self.given: list[tuple[bytes, str]] = []
        self.refuses = 0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                endpoint.given.append((body, self.headers["stripe-signature"]))
                self.send_response(503 if endpoint.refuses > 0 else 200)
                endpoint.refuses -= 1
                self.end_headers()

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def kinds(self, about: str) -> list[str]:
        """The kinds of the deliveries about an object, in the order in which they came."""
        events = [json.loads(body) for body, _ in list(self.given)]
        return [x["type"] for x in events if x["data"]["object"]["id"] == about]

    def until(self, about: str, number: int) -> list[str]:
        deadline = time.monotonic() + 20
        while len(found := self.kinds(about)) < number:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def double(
    endpoint: Endpoint, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StripeServer]:
    folder: Path = tmp_path_factory.mktemp("double")
    secrets = f"{SECRET},{OLD_SECRET}"
    made = StripeServer(
        folder, guard, endpoint=endpoint.url, secret=secrets, state=str(folder / "files")
    )
    yield made
    made.stop()


@pytest.fixture
def till(double: StripeServer) -> Till:
    double.fail()
    return Till(KEY, double.url, Circuits(time.monotonic))


def open_page(double: StripeServer, session: str) -> httpx.Response:
    return httpx.get(f"{double.url}/pay/{session}", trust_env=False)


def press(double: StripeServer, path: str, **fields: str) -> httpx.Response:
    return httpx.post(f"{double.url}/pay/{path}", data=fields, trust_env=False)


def test_the_page_takes_a_card_and_sends_the_buyer_back(double: StripeServer) -> None:
    session = double.session("order", 1000)
    page = open_page(double, session)
    assert "Pay £10.00" in page.text
    assert "script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    paid = press(double, session, by="card", number="4242 4242 4242 4242")
    assert (paid.status_code, paid.headers["location"]) == (303, "https://shop.example")
    assert double.see(f"checkout/sessions/{session}")["payment_status"] == "paid"
    assert "This is paid" in open_page(double, session).text
    assert "This is paid" in press(double, session, by="card", number="4242424242424242").text


def test_a_declined_card_and_a_number_that_is_no_test_card(double: StripeServer) -> None:
    session = double.session("order", 1000)
    for number, said in (("4000000000000002", "was declined"), ("4111111111111111", "Never type")):
        answer = press(double, session, by="card", number=number)
        assert answer.status_code == 402
        assert said in answer.text
        assert number not in re.sub(r"<details>.*</details>", "", answer.text, flags=re.DOTALL)
    assert double.see(f"checkout/sessions/{session}")["payment_status"] == "unpaid"


@pytest.mark.parametrize(("answer", "status"), [("yes", "paid"), ("no", "unpaid")])
def test_a_card_whose_owner_must_confirm(double: StripeServer, answer: str, status: str) -> None:
    session = double.session("order", 1000)
    asked = press(double, session, by="card", number="4000002760003184")
    assert "Your bank asks you to confirm" in asked.text
    assert double.see(f"checkout/sessions/{session}")["payment_status"] == "unpaid"
    press(double, f"{session}/confirm", number="4000002760003184", answer=answer)
    assert double.see(f"checkout/sessions/{session}")["payment_status"] == status


def test_a_bank_debit_completes_and_is_paid_later(double: StripeServer) -> None:
    session = double.session("order", 1000)
    press(double, session, by="bank")
    seen = double.see(f"checkout/sessions/{session}")
    assert (seen["status"], seen["payment_status"]) == ("complete", "unpaid")
    assert "on its way" in open_page(double, session).text
    double.settle(session, works=True)
    assert double.see(f"checkout/sessions/{session}")["payment_status"] == "paid"


def test_a_session_that_is_not_there_and_one_that_expired(double: StripeServer) -> None:
    assert open_page(double, "cs_test_none").status_code == 404
    session = double.session("order", 1000)
    double.expire(session)
    assert "has expired" in open_page(double, session).text
    press(double, session, by="card", number="4242424242424242")
    assert double.see(f"checkout/sessions/{session}")["payment_status"] == "unpaid"


def test_deliveries_are_signed_by_each_secret_in_force(
    double: StripeServer, endpoint: Endpoint
) -> None:
    double.fail()
    session = double.session("order", 1000)
    double.pay(session)
    assert endpoint.until(session, 1) == ["checkout.session.completed"]
    body, signature = endpoint.given[-1]
    for secret in (SECRET, OLD_SECRET):
        event = stripe.Webhook.construct_event(body, signature, secret)
        assert event.livemode is False
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signature, "another")


def test_a_delivery_is_tried_again_until_it_is_acknowledged(
    double: StripeServer, endpoint: Endpoint
) -> None:
    double.fail()
    session = double.session("order", 1000)
    endpoint.refuses = 2
    double.expire(session)
    assert len(endpoint.until(session, 3)) == 3
    time.sleep(0.3)
    assert len(endpoint.kinds(session)) == 3


def test_deliveries_may_be_doubled_delayed_or_lost(
    double: StripeServer, endpoint: Endpoint
) -> None:
    double.fail(duplicate=2, delay_ms=200, reorder=True)
    twice = double.session("order", 1000)
    double.expire(twice)
    assert endpoint.kinds(twice) == []
    assert len(endpoint.until(twice, 3)) == 3
    double.fail(drop=1)
    lost = double.session("order", 1000)
    double.expire(lost)
    double.fail(never_made=1)
    never = double.session("order", 1000)
    double.expire(never)
    double.fail()
    last = double.session("order", 1000)
    double.expire(last)
    endpoint.until(last, 1)
    assert endpoint.kinds(lost) == endpoint.kinds(never) == []
    made = {x.object for x in double.events}
    assert lost in made
    assert never not in made


def test_the_library_sees_one_effect_of_a_call_whose_answer_was_lost(
    double: StripeServer, till: Till
) -> None:
    double.fail(answers_lost=1)
    with pytest.raises(TillDown):
        till.post(Payer, "customers", {"metadata": {"account": "ada"}}, key="lost-1")
    made = till.post(Payer, "customers", {"metadata": {"account": "ada"}}, key="lost-1")
    newest = next(till.every(Payer, "customers"))
    assert (newest.id, newest.metadata) == (made.id, {"account": "ada"})
    assert till.post(Payer, "customers", {"metadata": {"account": "ada"}}, key="lost-1") == made
    with pytest.raises(TillRefused, match="invalid_request"):
        till.post(Payer, "customers", {"metadata": {"account": "eve"}}, key="lost-1")


def test_a_500_after_the_effect_stays_and_the_effect_can_be_seen(
    double: StripeServer, till: Till
) -> None:
    session = double.session("order", 1000)
    intent = double.pay(session)
    double.fail(errors_after=1)
    with pytest.raises(TillDown):
        till.post(Refund, "refunds", {"payment_intent": intent, "amount": 400}, key="late-1")
    (refund,) = till.every(Refund, "refunds", payment_intent=intent)
    assert refund.amount == 400


def test_a_call_that_times_out_had_its_effect_once(double: StripeServer) -> None:
    double.fail(time_outs=1)
    named = {"idempotency-key": "slow-1"}
    with pytest.raises(httpx.ReadTimeout):
        double.http.post("/v1/customers", data={"name": "Ada"}, headers=named, timeout=0.3)
    again = double.http.post("/v1/customers", data={"name": "Ada"}, headers=named)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    newest = double.see("customers?limit=2")["data"]
    assert [x["id"] for x in newest if x["name"] == "Ada"] == [again.json()["id"]]


def test_the_portal_exchanges_and_removes_cards_of_its_payer_only(double: StripeServer) -> None:
    mine, other = (double.http.post("/v1/customers").json()["id"] for _ in range(2))
    portal = double.http.post(
        "/v1/billing_portal/sessions",
        data={"customer": mine, "return_url": "https://shop.example"},
    ).json()["url"]
    double.prefer(other, "5555555555554444")
    (theirs,) = double.see(f"customers/{other}/payment_methods")["data"]
    with httpx.Client(trust_env=False, follow_redirects=True) as page:
        wrong = page.post(f"{portal}/cards", data={"number": "4111111111111111"})
        assert (wrong.status_code, "Never type" in wrong.text) == (402, True)
        kept = page.post(f"{portal}/cards", data={"number": "4242424242424242"})
        assert "visa ending in 4242, used from now on" in kept.text
        (own,) = double.see(f"customers/{mine}/payment_methods")["data"]
        foreign = page.post(f"{portal}/cards/removed", data={"card": theirs["id"]})
        assert foreign.status_code == 404
        gone = page.post(f"{portal}/cards/removed", data={"card": own["id"]})
    assert "No card is kept" in gone.text
    assert double.see(f"customers/{other}/payment_methods")["data"] == [theirs]
    assert double.events[-1].kind == "payment_method.detached"


def test_nobody_without_a_test_key_gets_in(double: StripeServer) -> None:
    live = "sk_" + "live_1"
    for headers in ({}, {"authorization": f"Bearer {live}"}):
        answer = httpx.get(f"{double.url}/v1/customers", headers=headers, trust_env=False)
        assert answer.status_code == 401


def test_a_restart_forgets_nothing(double: StripeServer, till: Till) -> None:
    paid, open_ = double.session("order", 1000), double.session("order", 2500)
    double.pay(paid)
    made = till.post(Payer, "customers", {}, key="before")
    events = len(double.raw_events)
    double.process.kill()
    double.start()
    assert double.see(f"checkout/sessions/{paid}")["payment_status"] == "paid"
    assert "Pay £25.00" in open_page(double, open_).text
    assert till.post(Payer, "customers", {}, key="before") == made
    assert till.post(Payer, "customers", {}, key="after").id != made.id
    assert len(double.see("events?limit=100")["data"]) == min(events, 100)
    double.pay(open_)
    assert double.events[-1].object == open_
