"""When which account may have something due: a heap that may name an account early, never late."""

from heapq import heappop, heappush

from contracts.units import FOREVER, Ms


class Dues:
    """Accounts by the time at which something of theirs may end."""

    def __init__(self) -> None:
        self._heap: list[tuple[Ms, str]] = []
        # No entry is older: an account whose `next_due` is has to be added again when it changes,
        # though `next_due` itself may stay (it may be early, and the log's time behind the clock).
        self.taken_until: Ms = 0

    def add(self, at: Ms, account: str) -> None:
        """Something of the account may be due at `at`."""
        if at < FOREVER:
            heappush(self._heap, (at, account))

    def take(self, now: Ms, most: int) -> list[str]:
        """Accounts whose time has come, each once, at most so many."""
        taken: dict[str, None] = {}
        self.taken_until = max(self.taken_until, now)
        while self._heap and self._heap[0][0] <= now and len(taken) < most:
            taken[heappop(self._heap)[1]] = None
        return list(taken)
