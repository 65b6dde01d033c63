"""Snapshots: the accounts that changed, written bucket by bucket beside the work, then a marker.

    begin -> copy some buckets a turn -> publish what is acknowledged -> all there? -> marker

A bucket is copied as it is then, with the offset behind all that was decided (`upto`), and is
published once that is acknowledged: what the log does not say is never told here either. The
marker names the moment of the beginning and comes last. To restore is to fill in the buckets and
to read the events behind the marker, leaving out for each bucket what it has seen already.

Nothing rests on a snapshot. It is a short way to what the log says: one that is not there, not
whole, of another layout or ahead of the log is left alone, and the whole log is read.
"""

from collections import deque
from collections.abc import Iterable

import msgspec
from bus.log import Append, KeyValue, PartitionLog, Record
from bus.reader import Position
from contracts.events import CommandRef
from contracts.units import SECOND, Ms

from ledger.partition import Partition
from ledger.shelves import (
    CLAIM,
    MARKER,
    Shelf,
    Shelves,
    buckets_in,
    lineage_of,
    opened,
    records_of,
    sample_record,
    sealed,
    shelves_of,
)

EVERY_EVENTS = 100_000  # behind the last marker; read back in less than a second
GAP_MS = 30 * SECOND  # from one beginning to the next: a busy account is not written for ever
BATCH_BYTES = 256 << 10  # small, so that a batch of events never waits long behind one
AHEAD_BYTES = 2 * BATCH_BYTES  # copied and not yet published
BYTES_PER_MS = 5 << 10  # of the gap: no snapshot writes more than a fifth of what events do
EFFORT = 40  # of one turn: a bucket counts 1, an account that is encoded 5, 8 KiB 1; half a ms


class Pace(msgspec.Struct, frozen=True):
    """How often there is a snapshot."""

    events: int = EVERY_EVENTS
    gap_ms: Ms = GAP_MS


class Marker(msgspec.Struct, frozen=True):
    """The moment that a snapshot shows: where its reader stood and what it had counted."""

    layout: str
    lineage: int
    partitions: int
    at: Position
    now: Ms
    events: int  # that belong to accounts
    samples: int
    newest: CommandRef | None  # the last command that was decided


_encode = msgspec.json.Encoder().encode
_decode_marker = msgspec.json.Decoder(Marker).decode


class _Job(msgspec.Struct):
    marker: Marker
    left: list[int]
    buckets: set[int]
    marked: int  # what was marked before
    samples_kept: int  # likewise
    ready: deque[tuple[int, KeyValue]]  # the offset it is acknowledged behind, a record
    ready_bytes: int = 0
    is_closing: bool = False


class Snapshots:
    """One owner's snapshots of its partition."""

    def __init__(
        self, partition: Partition, log: PartitionLog, pace: Pace, writer: int | None
    ) -> None:
        self._partition = partition
        self._log = log
        self._pace = pace
        self._writer = writer  # the offset of our claim; None: there is no topic to write to
        self._job: _Job | None = None
        self._append: Append | None = None
        self._begun_at: Ms = 0
        self._written = 0  # bytes of the last one
        self.taken = 0
        self.took_ms: Ms = 0  # the last one

    @property
    def is_busy(self) -> bool:
        """Whether there is something to do also when nobody asks anything."""
        return self._job is not None

    def turn(self, expected: int, acknowledged: int) -> None:
        """Do a little. `expected` is the offset behind all that was decided; raises LogError."""
        if self._append is not None and self._append.done:
            self._append.offset()
            self._append = None
            if self._job is not None and self._job.is_closing:
                self._job = None
                self.taken += 1
                self.took_ms = self._log.now() - self._begun_at
        if self._writer is None:
            return
        if self._job is None:
            self._begin(expected)
        elif not self._job.is_closing:
            self._copy(self._job, expected)
            self._publish(self._job, acknowledged, self._writer)

    def claimed(self, writer: int | None) -> None:
        """Go on under another claim. What is under way is given up, and taken the next time."""
        self._writer = writer
        if self._job is not None:
            self._partition.accounts.give_back(self._job.buckets)
            self._partition.marked = self._job.marked
            self._partition.samples_kept = self._job.samples_kept
        self._job = self._append = None

    def _begin(self, expected: int) -> None:
        partition, now = self._partition, self._log.now()
        since = partition.reader.seq - partition.marked
        gap = max(self._pace.gap_ms, self._written // BYTES_PER_MS)
        if since < self._pace.events or now - self._begun_at < gap:
            return
        self._written = 0
        reader = partition.reader
        partition.lineage = partition.lineage or lineage_of(reader.token)
        at = Position(expected, reader.token, reader.seq, reader.commands_from)
        marker = Marker(
            layout=partition.layout,
            lineage=partition.lineage,
            partitions=partition.partitions,
            at=at,
            now=partition.now,
            events=reader.seq - partition.accountless,
            newest=partition.newest,
            samples=0,
        )
        buckets = partition.accounts.changed()
        left = sorted(buckets, reverse=True)
        self._job = _Job(marker, left, buckets, partition.marked, partition.samples_kept, deque())
        self._begun_at, partition.marked = now, reader.seq

    def _copy(self, job: _Job, expected: int) -> None:
        partition, effort = self._partition, EFFORT
        resting = partition.accounts.resting
        while job.left and effort > 0 and job.ready_bytes < AHEAD_BYTES:
            bucket = job.left.pop()
            found, body, encoded = partition.accounts.copied(bucket)
            effort -= 1 + 5 * encoded + (len(body) >> 13)
            fresh = range(partition.samples_kept, len(resting.samples))
            records = [sample_record(partition.lineage, n, resting.samples[n]) for n in fresh]
            partition.samples_kept = len(resting.samples)
            samples = len(resting.samples) - 1
            shelf = Shelf(partition.lineage, expected, found, body, samples)
            for record in (*records, *records_of(bucket, shelf)):
                job.ready.append((expected, record))
                job.ready_bytes += len(record[1])
                self._written += len(record[1])

    def _publish(self, job: _Job, acknowledged: int, writer: int) -> None:
        if self._append is not None:
            return
        records, size = [], 0
        while job.ready and job.ready[0][0] <= acknowledged and size < BATCH_BYTES:
            record = job.ready.popleft()[1]
            records.append(record)
            size += len(record[1])
        job.ready_bytes -= size
        if not records and not job.left and not job.ready:
            if acknowledged < job.marker.at.offset:
                return
            records.append((MARKER, _encode(self._marker(job))))
            job.is_closing = True
        if records:
            self._append = self._log.snapshot([sealed(record, writer) for record in records])

    def _marker(self, job: _Job) -> Marker:
        """The samples are those that its accounts rest against, the newest ones included."""
        return msgspec.structs.replace(job.marker, samples=self._partition.samples_kept - 1)


class Found:
    """A snapshot as it is read from the log: the newest record of each key, by its last owner."""

    def __init__(self) -> None:
        self._records: dict[bytes, bytes] = {}
        self._buckets: set[int] = set()
        self._writer = 0
        self.left_out = 0  # records of an owner that was succeeded by then, or of no owner

    def read(self, records: Iterable[Record]) -> None:
        """Take records in order."""
        for record in records:
            if record.key == CLAIM:
                self._writer = max(self._writer, record.offset)
            elif (found := opened(record.key, record.value or b"")) is None:
                self.left_out += 1
            elif self._writer <= found[0] < record.offset:
                self._writer, self._records[record.key] = found
            else:
                self.left_out += 1

    def fill(self, partition: Partition, end: int) -> str:
        """Bring a fresh partition to the marker; or say why not, and leave it as it is.

        `end` is the offset behind the last event: a snapshot that knows more is not of this log.
        """
        self._buckets = buckets_in(self._records)
        last = self._records.pop(MARKER, None)
        if last is None:
            return "there is none"
        try:
            marker = _decode_marker(last)
        except msgspec.DecodeError as wrong:
            return f"its marker cannot be read: {wrong}"
        if marker.layout != partition.layout:
            return f"it is of layout {marker.layout}, this is {partition.layout}"
        if marker.partitions != partition.partitions:
            return f"it is of {marker.partitions} partitions"
        shelves = shelves_of(self._records, marker.lineage, marker.samples)
        if shelves is None:
            return "some of its records are of another one, or damaged"
        upto = max((shelf.upto for shelf in shelves.buckets.values()), default=0)
        if max(upto, marker.at.offset) > end:
            return f"it is ahead of the log, which ends at {end}"
        _fill(partition, marker, shelves)
        return ""

    def replace(self, partition: Partition) -> None:
        """See to it that the next snapshot leaves nothing of this one behind."""
        partition.accounts.give_back(self._buckets)


def _fill(partition: Partition, marker: Marker, shelves: Shelves) -> None:
    partition.restore(marker.at, marker.now, marker.newest, marker.events)
    partition.lineage = marker.lineage
    partition.samples_kept = partition.accounts.resting.take_over(shelves.samples)
    for bucket, shelf in shelves.buckets.items():
        partition.fill(bucket, shelf.upto, shelf.summary, shelf.body)
