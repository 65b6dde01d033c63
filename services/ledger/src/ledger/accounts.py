"""All accounts of a partition, in memory: those in use decoded, those at rest encoded and small.

Two generations: an account that is touched moves to the young one; when that is full it becomes
the old one, whose accounts go to rest two for each account that is touched, so that no single
command ever waits for more than that.
"""

import hashlib
from collections.abc import Iterator

from ledger.domain.account import Account
from ledger.resting import Resting, encoded

YOUNG_MAX = 20_000  # accounts decoded at once, twice at the most; about 60 MB
_TO_REST_AT_ONCE = 2  # more than one: the old generation is empty before the young one is full


class Accounts:
    """The accounts by id."""

    def __init__(self, young_max: int = YOUNG_MAX) -> None:
        self._young_max = young_max
        self._young: dict[str, Account] = {}
        self._old: dict[str, Account] = {}
        self._rest: dict[str, bytes] = {}
        self._resting = Resting()

    def __len__(self) -> int:
        return len(self._young) + len(self._old) + len(self._rest)

    def get(self, account: str) -> Account | None:
        """The account, decoded; None when nothing ever happened to it."""
        found = self._young.get(account)
        if found is None:
            found = self._woken(account)
        return found

    def add(self, account: Account) -> None:
        """A new account."""
        self._settle()
        self._young[account.id] = account

    def all(self) -> Iterator[Account]:
        """Every account, in the order of their ids; those at rest stay there."""
        ids = sorted((*self._young, *self._old, *self._rest))
        for account in ids:
            found = self._young.get(account) or self._old.get(account)
            yield found if found is not None else self._resting.awake(self._rest[account])

    def state_hash(self) -> str:
        """SHA-256 over every account, the same however the state came to be."""
        print_ = hashlib.sha256()
        for account in self.all():
            print_.update(encoded(account))
        return print_.hexdigest()

    def _woken(self, account: str) -> Account | None:
        found = self._old.pop(account, None)
        if found is None:
            resting = self._rest.pop(account, None)
            if resting is None:
                return None
            found = self._resting.awake(resting)
        self._settle()
        self._young[account] = found
        return found

    def _settle(self) -> None:
        for _ in range(min(_TO_REST_AT_ONCE, len(self._old))):
            account, state = self._old.popitem()
            self._rest[account] = self._resting.asleep(state)
        if len(self._young) >= self._young_max:
            self._young, self._old = {}, self._young
