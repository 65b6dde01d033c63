"""What is forgotten at which very millisecond, list by list."""

from contracts.caps import Cap, CapOf
from contracts.units import ANSWER_KEPT_MS, DAY, FOREVER, MINUTE, REFUND_DAYS
from ledger.domain.account import Account
from ledger.domain.forgetting import forget, stale_from, touch

from tests.unit.domain.kit import Story, given
from tests.unit.domain.words import SERVICE, T0, charge, granted, reserve, set_controls

HOUR_ON = T0 + 60 * MINUTE
KEPT = ANSWER_KEPT_MS
OVER = T0 + KEPT + 1  # the first millisecond at which something of T0 is over


def lived() -> Account:
    """Two runs, an hour apart; the first of them counts against a cap."""
    story: Story = given(granted(100))
    story.when(set_controls(caps=(Cap(CapOf.KEY, SERVICE.id, 99),)))
    story.when(reserve("r1", 50), charge("r1", 20))
    story.when(reserve("r2", 30), charge("r2", 10, "c2"), at=HOUR_ON)
    return story.account


def test_at_the_last_moment_everything_is_there_and_then_only_the_later() -> None:
    account = lived()
    forget(account, OVER - 1)
    assert list(account.answers) == ["before-1", "k1", "r1", "c1", "r2", "c2"]
    assert (list(account.ended), account.answers_since) == (["r1", "r2"], T0)
    forget(account, OVER)
    assert list(account.answers) == ["r2", "c2"]
    assert (list(account.ended), account.answers_since) == (["r2"], HOUR_ON)
    assert list(account.charges) == ["c1", "c2"]
    forget(account, HOUR_ON + KEPT + 1)
    assert (account.answers, account.ended, account.answers_since) == ({}, {}, FOREVER)


def test_charges_go_one_by_one_with_what_they_counted() -> None:
    account = lived()
    last = T0 + REFUND_DAYS * DAY
    forget(account, last)
    assert (list(account.charges), list(account.countable)) == (["c1", "c2"], ["c1", "c2"])
    forget(account, last + 1)
    assert (list(account.charges), list(account.countable)) == (["c2"], ["c2"])
    forget(account, last + 1)
    forget(account, HOUR_ON + REFUND_DAYS * DAY + 1)
    assert (account.charges, account.countable) == ({}, {})


def test_a_charge_that_counted_nothing_is_forgotten_too() -> None:
    account = given(granted(100)).when(reserve("r1", 5), charge("r1", 5)).account
    forget(account, T0 + REFUND_DAYS * DAY + 1)
    assert (account.charges, account.countable) == ({}, {})


def test_a_touch_forgets_only_when_the_oldest_answer_is_over() -> None:
    account = lived()
    touch(account, OVER - 1)
    assert "r1" in account.answers
    touch(account, OVER)
    assert "r1" not in account.answers
    touch(account, OVER)
    assert list(account.answers) == ["r2", "c2"]
    empty = Account("acct-9")
    touch(empty, OVER)
    assert empty.answers_since == FOREVER


def test_there_is_something_to_forget_after_the_first_that_is_over() -> None:
    account = lived()
    assert stale_from(account) == T0 + KEPT
    forget(account, OVER)
    assert stale_from(account) == HOUR_ON + KEPT
    account.answers.clear()
    assert stale_from(account) == HOUR_ON + KEPT, "an ending is left"
    account.ended.clear()
    assert stale_from(account) == T0 + REFUND_DAYS * DAY, "charges are left"
    account.charges.clear()
    assert stale_from(account) == FOREVER


def test_who_was_told_nothing_forgets_nothing() -> None:
    account = lived()
    account.answers_since = FOREVER
    assert stale_from(account) == FOREVER
    assert stale_from(Account("acct-9")) == FOREVER


def test_nothing_is_over_before_whoever_touches_it_would_forget() -> None:
    account = lived()
    account.answers_since = HOUR_ON
    assert stale_from(account) == HOUR_ON + KEPT
