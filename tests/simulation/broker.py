"""A simulated Kafka broker: commands, events and snapshots, and the producers it knows.

It does what Kafka 4.3 does, the unpleasant parts included: a batch above the high watermark may
vanish with its leader, a repeated batch is acknowledged with its old offset only while the broker
still knows its producer, and a producer it forgot may write anything.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence

import msgspec
from bus.log import KeyValue, Record
from contracts.events import AnyRecord
from contracts.units import Ms

from contracts import codec

REMEMBERED_BATCHES = 5  # of each producer, as in Kafka


class Refused(Exception):
    """The broker says no: fenced, or out of order."""


class Batch:
    """A record batch as it lies in the log."""

    __slots__ = ("base", "count", "epoch", "pid", "seq")

    def __init__(self, base: int, count: int, pid: int, epoch: int, seq: int) -> None:
        self.base = base
        self.count = count
        self.pid = pid
        self.epoch = epoch
        self.seq = seq

    @property
    def end(self) -> int:
        return self.base + self.count


class Known:
    """What the broker remembers of a producer: its epoch and its last batches."""

    __slots__ = ("batches", "epoch", "used_at")

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.batches: deque[Batch] = deque(maxlen=REMEMBERED_BATCHES)
        self.used_at: Ms = 0


class SimPartition:
    """One partition of `ledger.events` and of `ledger.commands`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.events: list[Record] = []
        self.batches: list[Batch] = []
        self.high = 0
        self.producers: dict[int, Known] = {}
        self.forgotten: set[int] = set()
        self.commands: list[Record] = []
        self.command_offsets: list[int] = []
        self.command_end = 0
        self.command_start = 0
        self.cuts = 0
        self.gone = False  # the topic was deleted
        self._decoded: list[AnyRecord | None] = []

    # ---- events

    def produce(
        self, pid: int, epoch: int, seq: int, records: Sequence[KeyValue], now: Ms
    ) -> Batch:
        """Append one batch; a batch that is known already keeps its place."""
        if self.gone:
            raise Refused("no such topic")
        known = self.producers.get(pid)
        if known is not None:
            if epoch < known.epoch:
                raise Refused("fenced")
            if epoch > known.epoch:
                if seq:
                    raise Refused("out of order")
            else:
                for batch in known.batches:
                    if batch.seq == seq and batch.count == len(records):
                        return batch
                last = known.batches[-1]
                if seq != last.seq + last.count:
                    raise Refused("out of order")
        base = len(self.events)
        self.events.extend(
            Record(base + i, now, key, value) for i, (key, value) in enumerate(records)
        )
        self._decoded.extend([None] * len(records))
        batch = Batch(base, len(records), pid, epoch, seq)
        self.batches.append(batch)
        self.forgotten.discard(pid)
        self._note(batch, now)
        return batch

    def _note(self, batch: Batch, now: Ms) -> None:
        known = self.producers.get(batch.pid)
        if known is None or known.epoch != batch.epoch:
            known = self.producers[batch.pid] = Known(batch.epoch)
        known.batches.append(batch)
        known.used_at = now

    def lost(self, batch: Batch) -> bool:
        """Whether the batch went with a leader that it was not copied from."""
        return batch.base >= len(self.events) or batch not in self.batches

    def event(self, offset: int) -> AnyRecord:
        """The event at an offset, decoded once for all who only look."""
        event = self._decoded[offset]
        if event is None:
            event = self._decoded[offset] = codec.decode_event(self.events[offset].value)
        return event

    def new_leader(self, keep: int, now: Ms) -> None:
        """The log up to `keep` survives, and what the new leader knows of producers from it."""
        assert keep >= self.high
        del self.events[keep:], self._decoded[keep:]
        self.batches = [batch for batch in self.batches if batch.end <= keep]
        self.producers = {}
        for batch in self.batches:
            if batch.pid not in self.forgotten:
                self._note(batch, now)

    def forget(self, used_before: Ms) -> int:
        """Forget the producers that were idle; how many."""
        gone = [pid for pid, known in self.producers.items() if known.used_at < used_before]
        for pid in gone:
            del self.producers[pid]
            self.forgotten.add(pid)
        return len(gone)

    def power_loss(self, batches: int, now: Ms) -> None:
        """The last batches were not on disk, acknowledged or not."""
        keep = self.batches[-batches - 1].end if batches < len(self.batches) else 0
        self.high = keep
        self.new_leader(keep, now)

    def damage(self, offset: int, byte: int) -> None:
        """A record says something else, as no broker would let it: its checksum does not tell."""
        if offset < len(self.events) and (value := self.events[offset].value):
            at = byte % len(value)
            wrong = value[:at] + bytes([value[at] ^ 0x55]) + value[at + 1 :]
            self.events[offset] = msgspec.structs.replace(self.events[offset], value=wrong)

    # ---- commands

    def put_command(self, key: bytes, value: bytes, now: Ms, gap: int = 0) -> Record:
        """Append a command, leaving out `gap` offsets before it."""
        record = Record(self.command_end + gap, now, key, value)
        self.commands.append(record)
        self.command_offsets.append(record.offset)
        self.command_end = record.offset + 1
        return record

    def cut_commands(self, count: int) -> None:
        """The last commands are gone, as after a power loss without flushing."""
        keep = max(0, len(self.commands) - count)
        del self.commands[keep:], self.command_offsets[keep:]
        self.command_end = self.command_offsets[-1] + 1 if keep else self.command_start
        self.cuts += 1

    def drop_commands_before(self, offset: int) -> None:
        """Retention: the log starts at `offset` now."""
        keep = bisect_left(self.command_offsets, offset)
        del self.commands[:keep], self.command_offsets[:keep]
        self.command_start = max(self.command_start, offset)
        self.command_end = max(self.command_end, offset)

    def command_at(self, offset: int) -> Record | None:
        at = bisect_left(self.command_offsets, offset)
        found = at < len(self.commands) and self.command_offsets[at] == offset
        return self.commands[at] if found else None

    def commands_after(self, offset: int, most: int) -> list[Record]:
        at = bisect_left(self.command_offsets, offset)
        return self.commands[at : at + most]


class Broker:
    """All partitions, and the transaction coordinator that hands out producer ids."""

    def __init__(self, partitions: int, *, fence: bool) -> None:
        self.partitions = [SimPartition(number) for number in range(partitions)]
        self.shelves = [SimPartition(number) for number in range(partitions)]  # of snapshots
        self.keeps_snapshots = True
        self._fence = fence
        self._epochs: dict[int, tuple[int, int]] = {}
        self._pids = 0

    def init_producer(self, partition: int) -> tuple[int, int]:
        """InitProducerId: the same id with a higher epoch, which is the fence; else a new id."""
        known = self._epochs.get(partition)
        if known is None or not self._fence:
            self._pids += 1
            known = (self._pids, -1)
        pid, epoch = known[0], known[1] + 1
        self._epochs[partition] = (pid, epoch)
        return pid, epoch

    def delete_snapshots(self) -> None:
        """The topic is gone, or there is a new one of its name: nothing of the old one is left."""
        for shelf in self.shelves:
            shelf.gone = True
        self.shelves = [SimPartition(shelf.number) for shelf in self.shelves]

    def forget_transactional_id(self, partition: int) -> None:
        """The transactional id expired: the next owner gets another producer id."""
        self._epochs.pop(partition, None)
