"""How much may be under way, and when to send nothing more: bounds first, then a closed door.

A partition that owes an answer for `STALLED_S` is taken for dead, as is a broker that was not
heard for as long: new requests are turned away at once, and only a probe goes through now and
then, until an event counts again.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct

STALLED_S = 0.9  # callers are turned away within a second; an idle fetch takes 0.5 s
PROBE_S = 0.2  # between the requests that try whether it is over
LATE_S = 0.3  # a judge who was held up himself this long says nothing


class Bounds(Struct, frozen=True):
    """How many commands may wait for their answer at the same time."""

    all: int = 16_384  # 8 s of the fastest gateway's work; about 30 MB
    partition: int = 8_192
    account: int = 2_048  # two full batches


class NoAnswer(Exception):
    """There will be no answer."""


class Full(NoAnswer):
    """As many are waiting as may. `account`: of this account, else in all."""

    def __init__(self, *, account: bool) -> None:
        super().__init__()
        self.account = account


class Unreachable(NoAnswer):
    """Kafka or the ledger does not answer now."""


class Flight:
    """What is under way, by partition and account. `heard` tells when the broker last spoke."""

    def __init__(self, partitions: int, bounds: Bounds, heard: Callable[[], float]) -> None:
        self.partitions = partitions
        self.bounds = bounds
        self.refused = 0
        self._heard = heard
        self._all = 0
        self._in_partition = [0] * partitions
        self._of_account: dict[str, int] = {}
        self._progressed_at = [0.0] * partitions
        self._stalled = [False] * partitions
        self._deaf = True
        self._probed_at = [0.0] * partitions
        self._judged_at = 0.0

    @property
    def waiting(self) -> list[int]:
        """How many wait, by partition."""
        return list(self._in_partition)

    @property
    def stalled(self) -> list[bool]:
        """Which partitions are taken for dead."""
        return [self._deaf or stalled for stalled in self._stalled]

    @property
    def progressed_at(self) -> float:
        """When an event last counted."""
        return max(self._progressed_at)

    def enter(self, account: str, partition: int, at: float) -> None:
        """Count one in; raises Full or Unreachable."""
        bounds = self.bounds
        if self._deaf or (self._stalled[partition] and not self._probe(partition, at)):
            self.refused += 1
            raise Unreachable
        if self._all >= bounds.all or self._in_partition[partition] >= bounds.partition:
            self.refused += 1
            raise Full(account=False)
        of_account = self._of_account.get(account, 0)
        if of_account >= bounds.account:
            self.refused += 1
            raise Full(account=True)
        self._of_account[account] = of_account + 1
        self._in_partition[partition] += 1
        self._all += 1

    def leave(self, account: str, partition: int) -> None:
        """Count one out."""
        self._all -= 1
        self._in_partition[partition] -= 1
        if (left := self._of_account[account] - 1) == 0:
            del self._of_account[account]
        else:
            self._of_account[account] = left

    def progressed(self, partition: int, at: float) -> None:
        """An event counted."""
        self._progressed_at[partition] = at
        self._stalled[partition] = False

    def judge(self, at: float, oldest: Mapping[int, float]) -> None:
        """Look who is dead; `oldest` is since when each partition owes an answer."""
        late, self._judged_at = at - self._judged_at > LATE_S, at
        if late:
            return  # this process was held up: what it has not heard may lie in its own buffers
        self._deaf = at - self._heard() > STALLED_S
        for partition, since in oldest.items():
            if at - max(since, self._progressed_at[partition]) > STALLED_S:
                self._stalled[partition] = True

    def _probe(self, partition: int, at: float) -> bool:
        if at - self._probed_at[partition] < PROBE_S:
            return False
        self._probed_at[partition] = at
        return True
