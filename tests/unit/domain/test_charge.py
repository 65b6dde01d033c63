"""Charge: from a reservation, never above it; in parts until the final one returns the rest."""

import pytest
from contracts.commands import Usage
from contracts.events import Slice
from contracts.reasons import Outcome, Reason, Remedy
from contracts.units import AMOUNT_MAX, HOUR, MINUTE

from tests.unit.domain.kit import CATALOGUE, given
from tests.unit.domain.words import (
    SERVICE,
    T0,
    TOOL,
    charge,
    charged,
    ended_by_time,
    expire,
    granted,
    part,
    refused,
    reserve,
    reserved,
    usage,
)


def test_a_final_charge_returns_the_rest_in_the_same_event() -> None:
    rest = {"released": 20, "rest": (part("g1", 20),), "lost": ()}
    given(granted(100), reserved("r1", 60)).when(charge("r1", 40)).then(
        charged("c1", "r1", 40, final=True, slices=(part("g1", 40),), usage=None, **rest),
    ).stands(available=60, held=0, spent=40)


def test_a_charge_of_everything_returns_nothing() -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", 60)).then(
        charged("c1", "r1", 60, final=True, released=0)
    ).stands(available=40, held=0, spent=60)


def test_a_charge_of_nothing_ends_the_run() -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", 0)).then(
        charged("c1", "r1", 0, slices=(), released=60)
    ).stands(available=100, held=0, spent=0)


def test_three_partial_charges_and_a_final_one() -> None:
    parts = [charge("r1", n, f"c{n}", final=False) for n in (10, 15, 20)]
    given(granted(100), reserved("r1", 60)).when(*parts, charge("r1", 5, "last")).then(
        charged("c10", "r1", 10, final=False, released=0),
        charged("c15", "r1", 15, final=False, released=0),
        charged("c20", "r1", 20, final=False, released=0),
        charged("last", "r1", 5, final=True, released=10),
    ).stands(available=50, held=0, spent=50)


def test_partial_charges_may_use_up_the_hold_and_the_final_one_ends_it() -> None:
    given(granted(60), reserved("r1", 60)).when(
        charge("r1", 60, "c1", final=False), charge("r1", 0, "c2")
    ).then(charged("c1", "r1", 60, final=False), charged("c2", "r1", 0, final=True)).stands(
        available=0, held=0, spent=60
    )


def test_a_charge_above_the_hold_is_refused() -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", 61)).then(
        refused(Reason.EXCEEDS_RESERVATION, Remedy.CHANGE_REQUEST, shortfall=1, reservation="r1")
    ).stands(available=40, held=60, spent=0)


def test_partial_charges_together_never_exceed_the_hold() -> None:
    given(granted(100), reserved("r1", 60)).when(
        charge("r1", 50, "c1", final=False), charge("r1", 11, "c2", final=False)
    ).then(charged("c1", "r1", 50), refused(Reason.EXCEEDS_RESERVATION, shortfall=1))


def test_charges_consume_the_slices_in_their_recorded_order() -> None:
    story = given(granted(5, "a", priority=1), granted(5, "b"), reserved("r1", 8))
    story.when(charge("r1", 6, final=False), charge("r1", 1, "c2")).then(
        charged("c1", "r1", 6, slices=(Slice("a", 5), Slice("b", 1))),
        charged("c2", "r1", 1, slices=(Slice("b", 1),), released=1, rest=(Slice("b", 1),)),
    )


def test_usage_is_priced_and_the_rest_returned() -> None:
    used = usage(cpu_ms=3000, memory_mb=512, duration_ms=3000)
    given(granted(100)).when(reserve("r1", tool=TOOL), charge("r1", usage=used)).then(
        reserved("r1", 16),
        charged("c1", "r1", 4, released=12, usage=used, tool=TOOL, price_version=CATALOGUE.version),
    )


def test_little_usage_costs_the_minimum_and_endless_usage_the_hold() -> None:
    most = usage(AMOUNT_MAX, AMOUNT_MAX, AMOUNT_MAX)
    given(granted(100)).when(
        reserve("r1", tool=TOOL),
        reserve("r2", tool=TOOL),
        charge("r1", usage=usage(0, 0, 0), named="c1"),
        charge("r2", usage=most, named="c2"),
    ).then(
        reserved("r1", 16),
        reserved("r2", 16),
        charged("c1", "r1", 3, released=13),
        charged("c2", "r2", 16),
    )


def test_usage_is_cumulative_over_partial_charges() -> None:
    first, whole = usage(6000, 512, 6000), usage(12000, 512, 12000)
    given(granted(100)).when(
        reserve("r1", tool=TOOL),
        charge("r1", usage=first, named="c1", final=False),
        charge("r1", usage=first, named="c2", final=False),
        charge("r1", usage=whole, named="c3"),
    ).then(
        reserved("r1", 16),
        charged("c1", "r1", 6),
        charged("c2", "r1", 0),
        charged("c3", "r1", 4, released=6),
    ).stands(spent=10)


def test_either_usage_or_an_amount() -> None:
    given(granted(100), reserved("r1", 60)).when(
        charge("r1"), charge("r1", 5, "c2", usage=usage(1, 1, 1))
    ).then(
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("usage", "amount")),
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("usage", "amount")),
    )


@pytest.mark.parametrize("amount", [-1, AMOUNT_MAX + 1, 2**63, 2**64, -(2**63), 10**40])
def test_an_amount_out_of_range_is_refused(amount: int) -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", amount)).then(
        refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("amount",))
    )


@pytest.mark.parametrize("forged", [-1, 2**63, 10**40])
def test_forged_usage_is_refused(forged: int) -> None:
    given(granted(100), reserved("r1", 60)).when(
        charge("r1", usage=Usage(forged, forged, forged))
    ).then(refused(Reason.AMOUNT_OUT_OF_RANGE, fields=("cpuMs", "memoryMb", "durationMs")))


def test_a_run_that_nobody_reserved_for_is_unknown() -> None:
    given(granted(100)).when(charge("r1", 5)).then(
        refused(Reason.RESERVATION_UNKNOWN, reservation="r1", fields=("reservation",))
    )


def test_a_second_charge_under_another_id_is_refused() -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", 40), charge("r1", 40, "c2")).then(
        charged("c1", "r1", 40, released=20),
        refused(Reason.RESERVATION_ENDED, Remedy.NONE),
    ).stands(spent=40)


def test_a_charge_after_the_reservation_expired_is_an_unbilled_run() -> None:
    """The refusal names the reservation and the outcome of the run is never billed."""
    story = given(granted(100), reserved("r1", 60))
    story.when(expire(reservation="r1"), at=T0 + 5 * MINUTE).then(ended_by_time("r1", 60))
    story.when(charge("r1", 40), at=T0 + 6 * MINUTE).then(
        refused(Reason.RESERVATION_EXPIRED, Remedy.NONE, reservation="r1", kind="Charge")
    ).stands(available=100, held=0, spent=0)


def test_a_charge_that_meets_an_expiry_nobody_swept_settles_it_and_is_refused() -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", 40), at=T0 + 5 * MINUTE).then(
        ended_by_time("r1", 60), refused(Reason.RESERVATION_EXPIRED)
    )


def test_a_charge_in_the_last_millisecond_is_in_time() -> None:
    given(granted(100), reserved("r1", 60)).when(charge("r1", 60), at=T0 + 5 * MINUTE - 1).then(
        charged("c1", "r1", 60)
    )


def test_a_failed_run_may_be_charged_for_and_says_so() -> None:
    given(granted(100), reserved("r1", 60)).when(
        charge("r1", 60, outcome=Outcome.FAILED, by=SERVICE)
    ).then(charged("c1", "r1", 60, outcome=Outcome.FAILED))


def test_slices_of_a_lot_that_expired_meanwhile_stay_usable_by_the_run() -> None:
    soon = granted(10, "soon", expires_at=T0 + MINUTE, priority=1)
    given(soon, granted(10, "later"), reserved("r1", 15)).when(
        charge("r1", 12), at=T0 + 2 * MINUTE
    ).then(
        charged(
            "c1",
            "r1",
            12,
            slices=(part("soon", 10), part("later", 2)),
            rest=(part("later", 3),),
            lost=(),
        ),
    ).stands(expired=0, spent=12)


def test_the_rest_of_a_charge_is_lost_with_the_lot_it_came_from() -> None:
    soon = granted(10, "soon", expires_at=T0 + MINUTE)
    given(soon, reserved("r1", 10)).when(charge("r1", 4), at=T0 + 2 * MINUTE).then(
        charged("c1", "r1", 4, released=6, lost=(part("soon", 6),))
    ).stands(available=0, held=0, spent=4, expired=6)


def test_a_charge_id_names_one_charge_for_ever() -> None:
    """Else the first charge could never be refunded again."""
    story = given(granted(100), reserved("r1", 60)).when(charge("r1", 40))
    story.when(reserve("r2", 5), at=T0 + 26 * HOUR)
    story.when(charge("r2", 5, "other"), reserve("r3", 5), at=T0 + 26 * HOUR)
    story.when(charge("r3", 5, "c1"), at=T0 + 26 * HOUR).then(
        refused(Reason.ID_CONFLICT, fields=("id",))
    )
