"""What a cap counts in a day, a month and ever, and what becomes of it when it changes."""

from contracts.caps import Cap, CapOf, CapWindow
from contracts.reasons import Reason, Remedy
from contracts.units import DAY, HOUR, Ms

from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import (
    SERVICE,
    T0,
    Said,
    charge,
    granted,
    refund,
    refused,
    reserve,
    reserved,
    set_controls,
)

MIDNIGHT = T0 + 12 * HOUR
APRIL = T0 - 12 * HOUR + 31 * DAY


def cap(window: CapWindow, limit: int = 10, of: CapOf = CapOf.KEY, named: str = "") -> Cap:
    return Cap(of, named or SERVICE.id, limit, window)


def capped(*caps: Cap) -> Story:
    return given(granted(1_000)).when(set_controls(caps=caps))


def spend(story: Story, amount: int, named: str, at: Ms = T0) -> None:
    story.when(reserve(named, amount), charge(named, amount, f"c-{named}"), at=at)


def room(story: Story, left: int, named: str, at: Ms = T0) -> None:
    """So much may still be held, and not one credit more."""
    no: list[Said] = [refused(Reason.KEY_LIMIT)]
    story.when(reserve(f"{named}-no", left + 1), at=at).then(*no)
    if left:
        story.when(reserve(f"{named}-yes", left), at=at).then(reserved(f"{named}-yes", left))
        story.when(charge(f"{named}-yes", 0, f"{named}-c"), at=at)


def test_a_new_day_leaves_the_month_and_the_ever_as_they_are() -> None:
    story = capped(
        cap(CapWindow.DAY), cap(CapWindow.MONTH, 16), cap(CapWindow.EVER, 8, CapOf.MEMBER, "ada")
    )
    story.when(reserve("r1", 8, member="ada"), charge("r1", 8))
    spend(story, 5, "r2", MIDNIGHT)
    room(story, 3, "m", MIDNIGHT)
    story.when(reserve("a", 1, member="ada"), at=MIDNIGHT).then(
        refused(Reason.MEMBER_LIMIT, Remedy.RAISE_LIMIT, shortfall=1)
    )


def test_a_new_month_gives_a_monthly_cap_back_whole_once_something_is_spent_in_it() -> None:
    story = capped(cap(CapWindow.MONTH))
    spend(story, 10, "r1")
    spend(story, 4, "r2", APRIL)
    room(story, 6, "april", APRIL)
    room(story, 6, "later", APRIL + DAY)


def test_a_refund_gives_back_to_the_windows_that_its_charge_counted_in() -> None:
    """Charged yesterday: the day has nothing of it, the month and the ever have all of it."""
    story = capped(cap(CapWindow.DAY, 100), cap(CapWindow.MONTH, 20))
    spend(story, 15, "r1")
    spend(story, 5, "r2", MIDNIGHT)
    story.when(refund("c-r1", 6), at=MIDNIGHT)
    room(story, 6, "month", MIDNIGHT)
    of_month = capped(cap(CapWindow.MONTH), cap(CapWindow.EVER, 14, CapOf.TOOL, "none"))
    spend(of_month, 10, "r1")
    spend(of_month, 7, "r2", APRIL)
    of_month.when(refund("c-r1", 10), at=APRIL)
    room(of_month, 3, "april", APRIL)


def test_a_refund_of_a_charge_at_the_first_instant_of_its_windows_counts() -> None:
    story = given(granted(1_000)).when(
        set_controls(day_limit=10, month_limit=20, caps=(cap(CapWindow.DAY), cap(CapWindow.MONTH)))
    )
    spend(story, 10, "r0")
    spend(story, 10, "r1", APRIL)
    story.when(refund("c-r1", 4), at=APRIL)
    story.stands(day_spent=6, month_spent=6)
    room(story, 4, "again", APRIL)


def test_a_cap_that_stays_keeps_its_count_and_one_that_goes_is_forgotten() -> None:
    story = capped(cap(CapWindow.EVER), cap(CapWindow.DAY, 50))
    spend(story, 7, "r1")
    story.when(set_controls("k2", caps=(cap(CapWindow.EVER, 9),)))
    assert story.account.counted == {f"ever:key:{SERVICE.id}": 7}
    assert story.account.countable == {"c-r1": (f"key:{SERVICE.id}",)}
    room(story, 2, "kept")
    story.when(set_controls("k3"))
    assert (story.account.counted, story.account.countable) == ({}, {})
    story.when(set_controls("k4", caps=(cap(CapWindow.EVER),)))
    room(story, 10, "anew")


def test_one_that_does_not_count_hides_no_other() -> None:
    """Caps of others stand before and between; each is passed over, none ends the looking."""
    others = [cap(CapWindow.EVER, 10**6, CapOf.KEY, f"other-{n}") for n in range(2)]
    story = capped(others[0], cap(CapWindow.DAY), others[1], cap(CapWindow.MONTH, 12))
    spend(story, 6, "r1")
    room(story, 4, "day")
    spend(story, 6, "r2", MIDNIGHT)
    story.when(reserve("m", 1), at=MIDNIGHT).then(refused(Reason.KEY_LIMIT))
    story.when(refund("c-r1", 6), at=MIDNIGHT)
    room(story, 4, "next", MIDNIGHT)


def test_a_refund_counts_no_cap_below_nothing() -> None:
    """The cap came after the charge: it counts nothing, and a refund takes nothing from it."""
    story = capped(cap(CapWindow.EVER))
    spend(story, 8, "r1")
    story.when(set_controls("k2", caps=(cap(CapWindow.MONTH),)), refund("c-r1", 8))
    room(story, 10, "whole")
