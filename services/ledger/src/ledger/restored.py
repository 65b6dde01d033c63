"""What a restored state has seen: its buckets were copied one by one, each up to its own offset."""

from contracts.events import AnyEvent

from ledger.buckets import bucket_of


class Restored:
    """While the tail is read: which bucket has seen what of it, and whether it all adds up."""

    def __init__(self, events: int = 0) -> None:
        self.upto = 0  # no bucket has seen more
        self._buckets: dict[int, int] = {}
        self._owing = events  # that accounts must have seen, and have not so far

    def fill(self, bucket: int, upto: int, events: int) -> None:
        """A bucket has seen so many events, all before the offset `upto`."""
        self._buckets[bucket] = upto
        self.upto = max(self.upto, upto)
        self._owing -= events

    def has_seen(self, event: AnyEvent, offset: int) -> bool:
        """Whether the event's account has seen it; then it is counted as one more there must be."""
        seen = event.account != "" and offset < self._buckets.get(bucket_of(event.account), 0)
        self._owing += seen
        return seen

    @property
    def is_whole(self) -> bool:
        """Whether the accounts have seen each of their events once; asked when the tail is read."""
        return self._owing == 0
