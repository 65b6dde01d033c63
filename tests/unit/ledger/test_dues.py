"""The dues may name an account early, never late, and never the same one twice at once."""

from contracts.units import FOREVER
from ledger.dues import Dues


def test_accounts_are_taken_in_the_order_of_time_when_it_has_come() -> None:
    dues = Dues()
    for at, account in ((30, "c"), (10, "a"), (20, "b")):
        dues.add(at, account)
    assert dues.take(9, most=10) == []
    assert dues.take(20, most=10) == ["a", "b"]
    assert dues.take(99, most=10) == ["c"]
    assert dues.take(99, most=10) == []


def test_an_account_is_named_once_however_often_it_was_added() -> None:
    dues = Dues()
    for at in (1, 2, 3):
        dues.add(at, "a")
    assert dues.take(3, most=10) == ["a"]


def test_a_flood_is_taken_in_turns() -> None:
    dues = Dues()
    for number in range(10):
        dues.add(number, f"a{number}")
    assert [len(dues.take(99, most=4)) for _ in range(4)] == [4, 4, 2, 0]


def test_what_never_ends_is_not_kept() -> None:
    dues = Dues()
    dues.add(FOREVER, "a")
    assert dues.take(FOREVER, most=10) == []
