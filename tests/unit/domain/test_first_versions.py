"""Logs of the first versions said the rest of a final charge in an event of its own, before it."""

from contracts.events import CreditsCharged, CreditsReleased
from contracts.reasons import Outcome
from ledger.domain.evolve import evolve

from tests.unit.domain.kit import given
from tests.unit.domain.words import granted, part, reserved


def test_a_charge_that_was_written_as_two_events_is_remembered_like_one() -> None:
    account = given(granted(100), reserved("r1", 60)).account
    back = CreditsReleased(
        reservation="r1",
        amount=20,
        slices=(part("g1", 20),),
        outcome=Outcome.COMPLETED,
        remainder=True,
    )
    taken = CreditsCharged(
        reservation="r1",
        charge="c1",
        amount=40,
        slices=(part("g1", 40),),
        outcome=Outcome.COMPLETED,
        final=True,
        released=20,
    )
    for event in (back, taken):
        evolve(account, event)
    assert (account.available, account.held, account.spent) == (60, 0, 40)
    assert not account.reservations
