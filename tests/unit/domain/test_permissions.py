"""Who may ask what; and the reserved account."""

from typing import get_args

import pytest
from contracts.reasons import Reason, Remedy
from contracts.units import ANONYMOUS
from ledger.domain.permissions import PERMITTED, may

from contracts import commands as c
from tests.unit.domain.kit import given
from tests.unit.domain.words import (
    COURIER,
    PAYMENTS,
    PERSON,
    SMALL_TOOL,
    WORKER,
    charge,
    estimate,
    estimated,
    grant,
    granted,
    refused,
    reserve,
    reserved,
    set_controls,
)


def test_every_command_says_who_may_ask_it() -> None:
    assert set(PERMITTED) == set(get_args(c.AnyCommand))


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        (c.ActorKind.TOOL_WORKER, {c.Charge, c.Release, c.Extend}),
        (c.ActorKind.COURIER, {c.Expire, c.Receive, c.Settle}),
        (
            c.ActorKind.PERSON,
            {
                c.Estimate,
                c.Reserve,
                c.Extend,
                c.Charge,
                c.Release,
                c.SetControls,
                c.SetPlan,
                c.Send,
            },
        ),
    ],
)
def test_an_actor_may_ask_what_its_kind_may_and_nothing_else(
    kind: c.ActorKind, allowed: set[type]
) -> None:
    assert {command for command, kinds in PERMITTED.items() if kind in kinds} == allowed


def test_nobody_but_the_money_side_and_support_makes_credits() -> None:
    makers = {c.ActorKind.SERVICE, c.ActorKind.PAYMENTS, c.ActorKind.ADMIN}
    assert set(PERMITTED[c.Grant]) == makers
    assert not may(grant(1, by=PERSON))


def test_an_actor_that_is_not_permitted_changes_nothing() -> None:
    given(granted(100), reserved("r1", 60)).when(
        grant(5, "new", by=WORKER),
        reserve("r2", 5, by=PAYMENTS),
        charge("r1", 5, by=COURIER),
        set_controls(by=WORKER),
    ).then(*(refused(Reason.NOT_PERMITTED, Remedy.NONE) for _ in range(4))).stands(
        available=40, held=60
    )


def test_anonymous_owns_nothing_and_spends_nothing() -> None:
    given().when(
        grant(5, account=ANONYMOUS),
        reserve("r1", 5, account=ANONYMOUS),
        charge("r1", 5, account=ANONYMOUS),
        estimate(SMALL_TOOL, account=ANONYMOUS),
    ).then(
        *(refused(Reason.ACCOUNT_RESERVED, fields=("account",)) for _ in range(3)),
        estimated(allowed=True),
    )
