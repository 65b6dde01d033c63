"""How far a partition may be committed: up to the first record that is not finished yet.

Records begin in order and finish in any.  What was begun and not finished is read again by whoever
owns the partition next.
"""


class Progress:
    """One partition, from its assignment to its revocation."""

    __slots__ = ("_committed", "_next", "_open")

    def __init__(self) -> None:
        self._open: dict[int, None] = {}  # in order of offset, as they begin in that order
        self._next = -1
        self._committed = -1

    def begin(self, offset: int) -> None:
        self._open[offset] = None
        self._next = offset + 1

    def finish(self, offset: int) -> None:
        self._open.pop(offset, None)

    def due(self) -> int | None:
        """The offset to commit, the next to read; None when it has not moved."""
        offset = next(iter(self._open), self._next)
        return offset if offset > self._committed else None

    def committed(self, offset: int) -> None:
        self._committed = offset
