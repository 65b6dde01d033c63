"""The double's API: keys are compared and remembered, strange parameters refused, lists paged."""

import json
from typing import Any

import msgspec
import pytest
from stripe_double import api
from stripe_double.forms import unfolded
from stripe_double.refusals import Refused
from stripe_double.shelf import Shelf

PRICE = {"currency": "gbp", "unit_amount": 1000, "product_data": {"name": "500 credits"}}
SESSION = {
    "mode": "payment",
    "success_url": "https://shop.example/done",
    "line_items": [{"quantity": 1, "price_data": PRICE}],
}
DAY_S = 86_400


class Desk:
    """A shelf with a clock that a test turns."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000
        self.shelf = Shelf(lambda: self.now_s, "https://checkout.example")

    def ask(self, method: str, path: str, values: Any = None, key: str = "") -> tuple[int, Any]:
        found = api.answer(self.shelf, api.Call(method, path, values or {}, key))
        return found.status, json.loads(found.body)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_same_key_and_question_give_the_first_answer(desk: Desk) -> None:
    first = desk.ask("POST", "checkout/sessions", SESSION, "k")
    assert desk.ask("POST", "checkout/sessions", SESSION, "k") == first
    assert desk.ask("POST", "checkout/sessions", SESSION, "other")[1]["id"] != first[1]["id"]


def test_the_same_key_with_another_question_is_refused(desk: Desk) -> None:
    desk.ask("POST", "customers", {"metadata": {"account": "ada"}}, "k")
    status, said = desk.ask("POST", "customers", {"metadata": {"account": "eve"}}, "k")
    assert (status, said["error"]["type"]) == (400, "idempotency_error")


def test_a_key_is_forgotten_after_a_day(desk: Desk) -> None:
    first = desk.ask("POST", "customers", {}, "k")
    desk.now_s += DAY_S
    assert desk.ask("POST", "customers", {}, "k") != first


def test_a_key_remembers_a_refusal_of_what_began_and_not_of_what_made_no_sense(desk: Desk) -> None:
    portal = {"customer": "cus_1", "return_url": "https://shop.example"}
    first = desk.ask("POST", "billing_portal/sessions", portal, "k")
    assert first[0] == 404
    assert "k" in desk.shelf.keys
    desk.ask("POST", "refunds", {"amount": "much"}, "k2")
    assert "k2" not in desk.shelf.keys


def test_a_500_after_the_effect_is_what_the_key_says_from_then_on(desk: Desk) -> None:
    desk.shelf.faults.errors_after = 1
    assert desk.ask("POST", "customers", {}, "k")[0] == 500
    assert len(desk.shelf.objects) == 1
    assert desk.ask("POST", "customers", {}, "k")[0] == 500
    assert len(desk.shelf.objects) == 1


def test_an_answer_that_is_lost_is_there_for_the_same_key(desk: Desk) -> None:
    desk.shelf.faults.answers_lost = 1
    assert api.answer(desk.shelf, api.Call("POST", "customers", {}, "k")).lost
    again = api.answer(desk.shelf, api.Call("POST", "customers", {}, "k"))
    assert (again.lost, again.replayed, len(desk.shelf.objects)) == (False, True, 1)


@pytest.mark.parametrize(
    ("path", "values", "code"),
    [
        ("checkout/sessions", {**SESSION, "coupon": "x"}, "parameter_unknown"),
        ("checkout/sessions", {**SESSION, "mode": "setup"}, "parameter_invalid"),
        ("checkout/sessions", {**SESSION, "line_items": []}, "parameter_invalid"),
        ("checkout/sessions", {**SESSION, "success_url": "shop"}, "parameter_invalid"),
        ("prices", {**PRICE, "unit_amount": -1}, "parameter_invalid"),
        ("prices", {**PRICE, "currency": "GBP"}, "parameter_invalid"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(
    desk: Desk, path: str, values: Any, code: str
) -> None:
    status, said = desk.ask("POST", path, values)
    assert (status, said["error"]["code"]) == (400, code)
    assert desk.shelf.objects == {}


def test_what_is_no_call_is_not_found(desk: Desk) -> None:
    for method, path in (("GET", "coupons"), ("POST", "disputes"), ("DELETE", "refunds/re_1")):
        assert desk.ask(method, path)[0] == 404


def test_lists_come_newest_first_a_page_at_a_time(desk: Desk) -> None:
    made = [desk.ask("POST", "customers", {})[1]["id"] for _ in range(5)]
    _, first = desk.ask("GET", "customers", {"limit": "2"})
    assert [x["id"] for x in first["data"]] == made[:2:-1]
    assert first["has_more"]
    _, rest = desk.ask("GET", "customers", {"starting_after": made[3]})
    assert ([x["id"] for x in rest["data"]], rest["has_more"]) == (made[2::-1], False)


def test_lists_know_when_things_were_made(desk: Desk) -> None:
    desk.ask("POST", "customers", {})
    desk.now_s += 10
    _, young = desk.ask("POST", "customers", {})
    _, found = desk.ask("GET", "customers", {"created": {"gte": str(desk.now_s)}})
    assert [x["id"] for x in found["data"]] == [young["id"]]


def test_forms_nest_and_list() -> None:
    form = "a[0][b]=1&a[1][b]=2&c[d]=x&expand[]=e&f="
    found = msgspec.json.decode(msgspec.json.encode(unfolded(form)))
    assert found == {"a": [{"b": "1"}, {"b": "2"}], "c": {"d": "x"}, "expand": ["e"], "f": ""}


@pytest.mark.parametrize("form", ["a=1&a[b]=2", "&".join(f"x{n}=1" for n in range(501))])
def test_forms_that_contradict_themselves_or_never_end_are_refused(form: str) -> None:
    with pytest.raises(Refused):
        unfolded(form)
