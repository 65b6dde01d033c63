"""What was lately told of runs: a run dispatched again is answered, not run again."""

from collections import OrderedDict

RECENT_BYTES_MAX = 32 * 2**20  # thousands of usual results; a retry comes within seconds


class Recent:
    """The newest results, as they were published, up to a number of bytes."""

    def __init__(self, bytes_max: int = RECENT_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._results: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def keep(self, run: str, result: bytes) -> None:
        self._bytes += len(result) - len(self._results.pop(run, b""))
        self._results[run] = result
        while self._bytes > self._bytes_max:
            self._bytes -= len(self._results.popitem(last=False)[1])

    def get(self, run: str) -> bytes | None:
        return self._results.get(run)
