"""What is remembered of runs, and what callers are told of them."""

import asyncio

import msgspec
from bus.stream import Counted
from contracts.events import (
    AnyEvent,
    Balance,
    CreditsCharged,
    CreditsReleased,
    CreditsReserved,
    ReservationExpired,
)
from contracts.reasons import Outcome, Reason
from contracts.runs import RunError, RunOutcome, RunResult
from gateway import runshown
from gateway.waiting import Answer
from gateway.watching import Ending, RunWatch
from msgspec import Raw

BALANCE = Balance(93, 0, 7)


def result(outcome: RunOutcome = RunOutcome.COMPLETED, **more: object) -> RunResult:
    return RunResult(run="r1", account="ada", tool="t", outcome=outcome, **more)  # type: ignore[arg-type]


def counted(event: AnyEvent, account: str = "ada") -> Counted:
    event.account, event.balance, event.seq = account, BALANCE, 5
    return Counted(0, 9, 1, event, b"")


def charged(*, final: bool = True) -> CreditsCharged:
    return CreditsCharged(
        reservation="r1",
        charge="r1:charge",
        amount=7,
        slices=(),
        outcome=Outcome.COMPLETED,
        final=final,
    )


async def test_a_run_is_over_when_both_result_and_price_are_known() -> None:
    known = RunWatch()
    with known.watch("ada", "r1") as watch:
        known.came(result(result=Raw(b"{}")))
        assert not watch.over
        known.counted([counted(charged())])
        assert watch.ending == Ending("charged", 7, BALANCE, "MDo1")
    assert len(known) == 0


async def test_a_partial_charge_or_the_remainder_is_not_the_end() -> None:
    known = RunWatch()
    rest = CreditsReleased(
        reservation="r1", amount=2, slices=(), outcome=Outcome.COMPLETED, remainder=True
    )
    with known.watch("ada", "r1") as watch:
        known.counted([counted(charged(final=False)), counted(rest)])
        assert watch.ending is None


async def test_another_accounts_run_of_the_same_name_says_nothing() -> None:
    known = RunWatch()
    with known.watch("ada", "r1") as watch:
        known.counted([counted(charged(), account="bob")])
        other = result(result=Raw(b"1"))
        other.account = "bob"
        known.came(other)
        assert watch.ending is None
        assert watch.result is None
    assert known.recent("ada", "r1") is None


async def test_who_waits_is_woken_and_who_waits_too_long_hears_so() -> None:
    known = RunWatch()
    with known.watch("ada", "r1") as watch:
        assert not await watch.until_over(0.01)
        waiting = asyncio.create_task(watch.until_over(5))
        await asyncio.sleep(0)
        known.came(result(charged=7))
        assert await waiting


async def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    known = RunWatch(bytes_max=3_500)
    for number in range(5):
        one = result(result=Raw(b"1"))
        one.run = f"r{number}"
        known.came(one)
    assert [known.recent("ada", f"r{number}") is not None for number in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]


async def test_a_second_telling_keeps_the_price_of_the_first() -> None:
    known = RunWatch()
    known.came(result(charged=7))
    known.came(result())
    recent = known.recent("ada", "r1")
    assert recent is not None
    assert recent.charged == 7


async def test_a_refused_second_request_under_the_same_id_does_not_replace_the_result() -> None:
    known = RunWatch()
    known.came(result(charged=7))
    error = RunError("id_conflict", "", Reason.ID_CONFLICT)
    known.came(result(RunOutcome.REFUSED, error=error))
    recent = known.recent("ada", "r1")
    assert recent is not None
    assert recent.outcome is RunOutcome.COMPLETED


def told(given: RunResult | None, ending: Ending | None, *, over: bool = True) -> runshown.Told:
    held = CreditsReserved(reservation="r1", amount=9, typical=7, slices=(), expires_at=1)
    return runshown.told(
        Answer(held, 0, 1, Balance(91, 9, 0)), held, given, ending, "q1", over=over
    )


def test_a_completed_run_shows_result_price_and_balance() -> None:
    shown = told(result(result=Raw(b'{"a":1}')), Ending("charged", 7, BALANCE, "p"))
    body = msgspec.json.decode(shown.body)
    assert shown.status == 200
    assert body["result"] == {"a": 1}
    assert body["credits"] == {
        "estimated": 7,
        "charged": 7,
        "balance": {"available": 93, "held": 0, "spent": 7},
    }


def test_a_run_asked_for_again_shows_the_balance_of_its_answer_not_an_older_one() -> None:
    """What was looked up in the read models may lag behind what the log has just answered."""
    lagging = Ending("charged", 7, Balance(80, 20, 0), "")
    body = msgspec.json.decode(told(result(), lagging).body)
    assert body["balance"] == {"available": 91, "held": 9, "spent": 0}
    assert body["credits"]["charged"] == 7


def test_no_result_means_nothing_charged_and_says_so() -> None:
    back = Ending("released", 0, BALANCE, "p")
    for given, status, code in (
        (result(RunOutcome.INVALID_INPUT, error=RunError("invalid_input", "x")), 422, None),
        (result(RunOutcome.NOT_AVAILABLE), 501, "not_available_yet"),
        (result(RunOutcome.FAILED, error=RunError("timeout", "slow")), 504, "tool_timeout"),
        (result(RunOutcome.FAILED, error=RunError("crashed", "x")), 502, "tool_failed"),
        (None, 502, "tool_failed"),
    ):
        shown = told(given, back)
        body = msgspec.json.decode(shown.body)
        assert (shown.status, body["creditsCharged"]) == (status, 0)
        assert body["code"] == (code or "invalid_input")


def test_a_run_that_outlasts_the_wait_has_an_address() -> None:
    shown = told(None, None, over=False)
    assert shown.status == 202
    assert msgspec.json.decode(shown.body)["statusUrl"] == "/api/runs/r1"


def test_an_expired_reservation_is_a_timeout_that_cost_nothing() -> None:
    known = RunWatch()
    with known.watch("ada", "r1") as watch:
        known.counted([counted(ReservationExpired(reservation="r1", amount=9, slices=()))])
        assert watch.over
        shown = told(None, watch.ending)
    assert shown.status == 504
    assert msgspec.json.decode(shown.body)["creditsCharged"] == 0
