"""The dues may name a bucket early, never late, and never the same one twice at once."""

from collections.abc import Iterable

from contracts.units import FOREVER, Ms
from ledger.buckets import bucket_of
from ledger.dues import Dues


class Known:
    """Accounts and when something of theirs ends, as the ledger's buckets know it."""

    def __init__(self, **due: Ms) -> None:
        self.due = due
        self.dues = Dues()
        for account, at in due.items():
            self.dues.add(at, account)

    def members(self, bucket: int) -> Iterable[tuple[Ms, str]]:
        return [(at, one) for one, at in self.due.items() if bucket_of(one) == bucket]

    def take(self, now: Ms, most: int = 10) -> list[str]:
        taken = self.dues.take(now, most, self.members)
        for account in taken:
            self.due[account] = FOREVER  # as if it were settled
        return taken


def test_accounts_are_taken_in_the_order_of_time_when_it_has_come() -> None:
    known = Known(c=30, a=10, b=20)
    assert known.take(9) == []
    assert known.take(20) == ["a", "b"]
    assert known.take(99) == ["c"]
    assert known.take(99) == []


def test_an_account_is_named_once_however_often_it_was_added() -> None:
    known = Known(a=3)
    for at in (1, 2, 3):
        known.dues.add(at, "a")
    assert known.take(3) == ["a"]


def test_a_bucket_comes_again_for_what_ends_later() -> None:
    one, other = _neighbours()
    known = Known(**{one: 10, other: 20})
    assert known.take(10) == [one]
    assert known.take(19) == []
    assert known.take(20) == [other]


def test_a_flood_is_taken_in_turns() -> None:
    known = Known(**{f"a{number}": number for number in range(10)})
    assert [len(known.take(99, most=4)) for _ in range(4)] == [4, 4, 2, 0]


def test_what_never_ends_is_not_kept() -> None:
    known = Known(a=FOREVER)
    assert known.take(FOREVER) == []


def _neighbours() -> tuple[str, str]:
    """Two accounts of one bucket."""
    seen: dict[int, str] = {}
    number = 0
    while (other := seen.setdefault(bucket_of(f"n{number}"), f"n{number}")) == f"n{number}":
        number += 1
    return other, f"n{number}"
