"""Problems, positions, bodies, rates: the small tables at the edge."""

import msgspec
import pytest
from contracts.commands import Actor, ActorKind
from contracts.events import CommandRefused, LimitStatus
from contracts.reasons import Reason, Remedy
from gateway import bodies, positions, problems
from gateway.bodies import decoder
from gateway.keys import Scope
from gateway.principals import Principal
from gateway.problems import REASONS, ProblemError
from gateway.rates import ESTIMATE, Rates


def test_every_reason_has_its_status() -> None:
    assert set(REASONS) == set(Reason)
    assert {status for status, _ in REASONS.values()} <= {402, 403, 404, 409, 422, 501, 503}


def test_a_limit_is_told_with_its_figures_and_what_helps() -> None:
    refusal = CommandRefused(
        kind="Reserve",
        reason=Reason.DAY_LIMIT,
        remedy=Remedy.WAIT_FOR_RESET,
        limit=LimitStatus("day", 100, 60, 30, 10, 1_700_000_000_000),
        shortfall=5,
    )
    shown = msgspec.json.decode(msgspec.json.encode(problems.of_refusal(refusal, "/buy", "p")))
    assert shown["status"] == 402
    assert shown["code"] == "day_limit"
    assert shown["limit"] == {
        "name": "day",
        "limit": 100,
        "used": 60,
        "held": 30,
        "left": 10,
        "resetsAt": "2023-11-14T22:13:20Z",
    }
    assert shown["resetsAt"] == "2023-11-14T22:13:20Z"
    assert shown["shortfall"] == 5
    assert shown["remedy"] == "wait_for_reset"
    assert "topUpUrl" not in shown


def test_a_position_comes_back_as_it_went() -> None:
    place = positions.place(positions.shown(3, 12345))
    assert (place.partition, place.seq) == (3, 12345)


@pytest.mark.parametrize("wrong", ["", "x", "MTox0", "LTE6NQ==", "é", "MTo1OjY="])
def test_a_made_up_position_is_refused(wrong: str) -> None:
    with pytest.raises(positions.PositionError):
        positions.place(wrong)


@pytest.mark.parametrize(
    "body",
    [
        b'{"account":"a","amount":"10"}',
        b'{"account":"a","amount":1.5}',
        b'{"account":"a","amount":true}',
        b'{"account":"a b","amount":1}',
        b'{"account":"a\\u0000","amount":1}',
        b'{"account":"a\\n","amount":1}',
        b'{"account":"' + b"a" * 65 + b'","amount":1}',
        b'{"account":"a","amount":1,"lifetime":5}',
        b'{"account":"a","requestedLimits":{"cpuMs":"5"},"toolId":"t"}',
        b"[]",
    ],
)
def test_what_does_not_fit_is_422(body: bytes) -> None:
    with pytest.raises(ProblemError) as refused:
        decoder(bodies.ReserveBody)(body)
    assert refused.value.problem.status == 422


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"{]"])
def test_what_is_no_json_is_400(body: bytes) -> None:
    with pytest.raises(ProblemError) as refused:
        decoder(bodies.ReserveBody)(body)
    assert refused.value.problem.status == 400


def test_numbers_out_of_range_go_to_the_ledger_to_be_refused_on_record() -> None:
    body = decoder(bodies.ReserveBody)(b'{"account":"a","amount":9223372036854775808}')
    assert body.amount == 2**63


def person(account: str | None, name: str = "key:1") -> Principal:
    return Principal(name, account, frozenset(Scope), Actor(ActorKind.SERVICE, "k"))


def test_the_rate_is_given_at_once_and_then_evenly() -> None:
    rates, ada = Rates("accounts"), person("ada")
    headers = [rates.take(ESTIMATE, ada, 0.0) for _ in range(20)]
    assert dict(headers[0])[b"ratelimit"].startswith(b'"estimate";r=19;')
    assert dict(headers[-1])[b"ratelimit"].startswith(b'"estimate";r=0;')
    with pytest.raises(ProblemError) as refused:
        rates.take(ESTIMATE, ada, 0.0)
    assert refused.value.problem.status == 429
    assert refused.value.problem.retry_after_s == 3
    rates.take(ESTIMATE, ada, 3.01)


def test_a_second_key_does_not_double_an_accounts_rate() -> None:
    rates = Rates("accounts")
    for number in range(20):
        rates.take(ESTIMATE, person("ada", f"key:{number % 2}"), 0.0)
    with pytest.raises(ProblemError):
        rates.take(ESTIMATE, person("ada", "key:3"), 0.0)
    rates.take(ESTIMATE, person("bob", "key:4"), 0.0)


def test_service_keys_are_free_unless_all_are_limited() -> None:
    for _ in range(100):
        assert Rates("accounts").take(ESTIMATE, person(None), 0.0) == ()
        assert Rates("off").take(ESTIMATE, person("ada"), 0.0) == ()
    strict = Rates("all")
    for _ in range(20):
        strict.take(ESTIMATE, person(None), 0.0)
    with pytest.raises(ProblemError):
        strict.take(ESTIMATE, person(None), 0.0)
