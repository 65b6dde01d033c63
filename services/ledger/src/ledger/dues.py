"""When which bucket of accounts may have something due: it may be named early, never late.

A heap of buckets and not of accounts: however many holds are open, it stays as small as there are
buckets.
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from contracts.units import FOREVER, Ms

from ledger.buckets import bucket_of

Members = Callable[[int], Iterable[tuple[Ms, str]]]


class Dues:
    """Buckets by the time at which something of their accounts may end."""

    def __init__(self) -> None:
        self._heap: list[tuple[Ms, int]] = []
        self._earliest: dict[int, Ms] = {}  # of each bucket in the heap

    def add(self, at: Ms, account: str) -> None:
        """Something of the account may be due at `at`: said again whenever it is touched."""
        self.add_bucket(at, bucket_of(account))

    def add_bucket(self, at: Ms, bucket: int) -> None:
        """Something of the bucket's accounts may be due at `at`; FOREVER is never."""
        if at < self._earliest.get(bucket, FOREVER):
            self._earliest[bucket] = at
            heappush(self._heap, (at, bucket))

    def take(self, now: Ms, most: int, members: Members) -> list[str]:
        """Accounts whose time has come, each once; about so many at most, whole buckets always."""
        taken: list[str] = []
        while self._heap and self._heap[0][0] <= now and len(taken) < most:
            at, bucket = heappop(self._heap)
            if self._earliest.get(bucket) != at:
                continue  # an earlier entry took it
            del self._earliest[bucket]
            later = FOREVER
            for due, account in members(bucket):
                if due <= now:
                    taken.append(account)
                else:
                    later = min(later, due)
            self.add_bucket(later, bucket)
        return taken
