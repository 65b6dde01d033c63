"""Accounts at rest come back as they were; the state hash knows nothing of who rests."""

import pytest
from contracts.commands import GrantKind
from contracts.units import FOREVER
from ledger.accounts import Accounts
from ledger.domain.account import Account, Lot
from ledger.resting import SAMPLES_MAX, Rested, Resting

from tests.unit.domain.kit import given
from tests.unit.domain.words import charge, granted, refund, reserve


def account(number: int) -> Account:
    lot = Lot(f"g{number}", GrantKind.PAID, 50, 0, FOREVER, number, number)
    return Account(f"acct-{number:05}", version=1, granted=number, available=number, lots=[lot])


def awake(resting: Resting, rested: Rested) -> Account:
    return resting.awake(rested.sample, rested.packed)


def kept(young_max: int, many: int = 300) -> Accounts:
    accounts = Accounts(young_max)
    for number in range(many):
        accounts.add(account(number))
    return accounts


@pytest.mark.parametrize("young_max", [1, 2, 3, 7, 100])
def test_no_account_is_lost_however_few_are_in_use(young_max: int) -> None:
    accounts = kept(young_max)
    assert len(accounts) == 300
    assert accounts.state_hash() == kept(young_max=1000).state_hash()
    for number in (0, 299, 5, 5, 150, 0, 298):
        assert accounts.get(f"acct-{number:05}") == account(number)
    assert len(accounts) == 300
    assert accounts.state_hash() == kept(young_max=1000).state_hash()


def test_a_change_to_an_account_in_use_survives_its_rest() -> None:
    accounts = kept(young_max=2)
    found = accounts.get("acct-00007")
    assert found is not None
    found.available += 1
    found.version += 1
    for number in range(50, 100):
        accounts.get(f"acct-{number:05}")
    again = accounts.get("acct-00007")
    assert again is not found, "it went to rest meanwhile"
    assert again == found


def test_one_credit_more_is_another_state() -> None:
    accounts = kept(young_max=2)
    before = accounts.state_hash()
    found = accounts.get("acct-00007")
    assert found is not None
    found.available += 1
    found.version += 1
    assert accounts.state_hash() != before


def test_an_account_that_nobody_heard_of_is_none() -> None:
    accounts = kept(young_max=2)
    assert accounts.get("acct-9") is None
    assert len(accounts) == 300


def test_accounts_come_in_the_order_of_their_ids() -> None:
    ids = [found.id for found in kept(young_max=3).all()]
    assert ids == sorted(ids)
    assert len(ids) == 300


def test_an_account_with_everything_in_it_rests_and_wakes_the_same() -> None:
    story = given(granted(100)).when(reserve("r1", 60), charge("r1", 20, final=False))
    whole = story.when(refund("c1", 5), reserve("r2", 7)).account
    resting = Resting()
    assert awake(resting, resting.asleep(whole)) == whole


def test_accounts_wake_against_the_sample_they_went_to_rest_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ledger.resting.SAMPLE_EVERY", 1)
    resting = Resting()
    asleep = [resting.asleep(account(number)) for number in range(SAMPLES_MAX + 50)]
    assert len({one.sample for one in asleep}) == SAMPLES_MAX - 1
    for number, one in enumerate(asleep):
        assert awake(resting, one) == account(number)


def test_an_idle_account_is_small() -> None:
    """Accounts of one kind rest in far fewer bytes than they are encoded in."""
    resting = Resting()
    sizes = [len(resting.asleep(account(number)).packed) for number in range(100)]
    assert sorted(sizes)[50] < 60
