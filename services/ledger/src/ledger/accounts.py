"""All accounts of a partition, in memory: those in use decoded, those at rest encoded and small.

Two generations: an account that is touched moves to the young one; when that is full it becomes
the old one, whose accounts go to rest two for each account that is touched, so that no single
command ever waits for more than that. An account too large to be encoded in passing stays decoded.

The state hash is a sum of prints, one of each account, so that it never has to be taken anew: what
an account added is known while it is awake, and stands beside it while it is at rest. To hash the
state of one moment while commands go on, the accounts in use are frozen: each is printed when it
is touched next, or when there is time.
"""

from collections.abc import Iterator
from itertools import islice

from contracts.units import Ms

from ledger.buckets import BUCKETS, PRINTS, Buckets, Summary, bucket_of, entries, entry, summary
from ledger.domain.account import Account
from ledger.domain.forgetting import forget
from ledger.resting import PRINT_BYTES, Rested, Resting, is_large, print_of

YOUNG_MAX = 4_000  # accounts decoded at once, twice at the most: 50 MB while a day is young
_TO_REST_AT_ONCE = 2  # more than one: the old generation is empty before the young one is full


class Accounts:
    """The accounts by id."""

    def __init__(self, young_max: int = YOUNG_MAX) -> None:
        self._young_max = young_max
        self._young: dict[str, Account] = {}
        self._old: dict[str, Account] = {}
        self._large: dict[str, Account] = {}
        self._rest = Buckets()
        self._count = 0
        self._awake: dict[int, tuple[str, ...]] = {}  # by bucket
        self._known: dict[str, tuple[int, int]] = {}  # those awake: version and print in the sum
        self._sum = 0
        self.frozen: dict[str, Account] = {}  # still to be printed as they are
        self._frozen_sum = 0
        self._swept = 0  # the bucket that was swept last
        self._dirty: set[int] = set()  # buckets with an account at rest that was not copied so
        self._copied: dict[str, int] = {}  # those awake: the version that was copied last
        self.resting = Resting()

    def __len__(self) -> int:
        return self._count

    def get(self, account: str) -> Account | None:
        """The account, decoded; None when nothing ever happened to it."""
        found = self._young.get(account)
        if found is None:
            found = self._woken(account)
        return found

    def add(self, account: Account) -> None:
        """A new account."""
        self._settle()
        self._count += 1
        self._wake(bucket_of(account.id), account.id, (0, 0))
        self._copied[account.id] = -1
        self._young[account.id] = account

    def all(self) -> Iterator[Account]:
        """Every account, in the order of their ids; those at rest stay there."""
        packed = {rested.id.decode(): rested for rested in self._rest}
        awake = self.awake()
        for account in sorted((*packed, *awake)):
            found = awake.get(account)
            yield found if found is not None else self._decoded(packed[account])

    def awake(self) -> dict[str, Account]:
        """Those in use."""
        return {**self._large, **self._old, **self._young}

    # ---- the state hash

    def state_hash(self) -> str:
        """One hash of every account, the same however the state came to be."""
        changed = [a for a in self.awake().values() if self._print_known(a) is None]
        before = sum(self._known[account.id][1] for account in changed)
        return hash_of(self._sum + sum(map(print_of, changed)) - before)

    def freeze(self) -> None:
        """Remember this moment: its hash is known once nothing is frozen any more."""
        self.frozen = {n: a for n, a in self.awake().items() if self._print_known(a) is None}
        self._frozen_sum = self._sum

    def thaw(self, account: Account) -> None:
        """Print an account that is frozen, before it changes."""
        del self.frozen[account.id]
        found = print_of(account)
        by = found - self._known[account.id][1]
        self._known[account.id] = (account.version, found)
        self._sum += by
        self._frozen_sum += by

    def thaw_some(self, most: int) -> None:
        """Print so many of those that are frozen."""
        for name in list(islice(self.frozen, most)):
            self.thaw(self.frozen[name])

    def frozen_hash(self) -> str:
        """The hash of the moment that was remembered."""
        return hash_of(self._frozen_sum)

    # ---- buckets

    def dues_in(self, bucket: int) -> list[tuple[Ms, str]]:
        """When something of the bucket's accounts may end; those at rest stay there."""
        dues = [(rested.due, rested.id.decode()) for rested in entries(self._rest.body(bucket))]
        return dues + [(one.next_due, one.id) for one in self._awake_in(bucket)]

    def copied(self, bucket: int) -> tuple[Summary, bytes, int]:
        """A bucket as it is now, those in use included, and how many of them had to be encoded."""
        body, awake = self._rest.body(bucket), self._awake_in(bucket)
        if not awake:
            return summary(body), body, 0
        fresh = [self.resting.asleep(account, self._print_known(account)) for account in awake]
        self._copied.update((account.id, account.version) for account in awake)
        whole = b"".join((body, *map(entry, fresh)))
        return summary(body, fresh), whole, len(fresh)

    def fill(self, bucket: int, found: Summary, body: bytes) -> None:
        """Take a bucket from a snapshot; nothing is decoded."""
        self._rest.fill(bucket, body)
        self._count += found.accounts
        self._sum += found.prints

    def changed(self) -> set[int]:
        """The buckets that changed since they were copied last; `give_back` those that are not."""
        found, self._dirty = self._dirty, set()
        for bucket in self._awake:
            if any(self._copied[one.id] != one.version for one in self._awake_in(bucket)):
                found.add(bucket)
        return found

    def give_back(self, buckets: set[int]) -> None:
        """Buckets that were not taken into a snapshot after all."""
        self._dirty |= buckets

    def sweep_on(self, now: Ms) -> None:
        """Sweep the next bucket."""
        self._swept = (self._swept + 1) % BUCKETS
        self.sweep(self._swept, now)

    def sweep(self, bucket: int, now: Ms) -> int:
        """Make those at rest smaller by what is forgotten by now; gives how many.

        Nobody can tell: `stale` is when an account that is touched would forget, first of all and
        by the time of what touches it; until then its print stays what it was.
        """
        body = self._rest.body(bucket)
        if not body or all(one.stale >= now for one in entries(body)):
            return 0
        swept, count = [], 0
        for rested in entries(body):
            if rested.stale >= now:
                swept.append(entry(rested))
                continue
            account = self._decoded(rested)
            since = account.answers_since
            forget(account, now)
            account.answers_since = since  # so that whoever touches it forgets again, by its time
            swept.append(entry(self.resting.asleep(account, rested.print)))
            count += 1
        self._rest.fill(bucket, b"".join(swept))
        return count

    # ---- waking and going to rest

    def _woken(self, account: str) -> Account | None:
        found = self._old.pop(account, None)
        if found is None:
            if (large := self._large.get(account)) is not None:
                return large
            bucket = bucket_of(account)
            rested = self._rest.take(bucket, account)
            if rested is None:
                return None
            found = self._decoded(rested)
            self._wake(bucket, account, (rested.version, rested.print))
        self._settle()
        self._young[account] = found
        return found

    def _wake(self, bucket: int, account: str, known: tuple[int, int]) -> None:
        self._awake[bucket] = (*self._awake.get(bucket, ()), account)
        self._known[account] = known
        self._copied[account] = known[0]

    def _print_known(self, account: Account) -> int | None:
        """Its print in the sum, if nothing happened to it since: also one that was swept."""
        version, print_ = self._known[account.id]
        return print_ if version == account.version else None

    def _settle(self) -> None:
        for _ in range(min(_TO_REST_AT_ONCE, len(self._old))):
            name, account = self._old.popitem()
            if is_large(account):
                self._large[name] = account
            else:
                self._lay_down(name, account)
        if len(self._young) >= self._young_max:
            self._young, self._old = {}, self._young

    def _lay_down(self, name: str, account: Account) -> None:
        bucket = bucket_of(name)
        if name in self.frozen:
            self.thaw(account)
        rested = self.resting.asleep(account, self._print_known(account))
        self._rest.put(bucket, rested)
        self._sum += rested.print - self._known.pop(name)[1]
        if self._copied.pop(name) != account.version:
            self._dirty.add(bucket)
        left = tuple(other for other in self._awake[bucket] if other != name)
        if left:
            self._awake[bucket] = left
        else:
            del self._awake[bucket]

    def _awake_in(self, bucket: int) -> list[Account]:
        found = []
        for name in self._awake.get(bucket, ()):
            account = self._young.get(name) or self._old.get(name)
            found.append(account or self._large[name])
        return found

    def _decoded(self, rested: Rested) -> Account:
        return self.resting.awake(rested.sample, rested.packed)


def hash_of(total: int) -> str:
    """A sum of prints, as it is written."""
    return f"{total % PRINTS:0{2 * PRINT_BYTES}x}"
