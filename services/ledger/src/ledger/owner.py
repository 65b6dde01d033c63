"""The owner of one partition: claims it exactly, decides its commands, appends, once, in order.

    fence -> snapshot -> read to the end -> claim -> read to the claim -> exact? -> decide -> ...

No transaction, no offset commit, no reply topic: one record batch is atomic by itself, and all
else is read from the log. Whatever goes wrong, the owner raises LogError (or stops): its producer
and its state are dropped, and who owns the partition next is asked anew.

The state runs ahead of the log: commands are decided while the batch before is on its way. Nobody
is told of it: answers come from the log, and the courier waits for the acknowledgment.
"""

from collections.abc import Callable, Sequence

import structlog
from bus.log import Append, KeyValue, LogError, PartitionLog
from contracts.events import CommandRef
from contracts.units import BATCH_BYTES_MAX, HOUR, Ms

from contracts import codec
from ledger.courier import TICK_MS, Courier
from ledger.partition import Partition, PartitionCountError
from ledger.shelves import CLAIM
from ledger.snapshots import Found, Pace, Snapshots

log = structlog.get_logger(__name__)

RENEW_MS = HOUR  # a fresh reader looks back 70 minutes for a claim
BATCH_BYTES = BATCH_BYTES_MAX * 3 // 4  # room for what the broker adds to each record
AHEAD_BYTES = 4 * BATCH_BYTES_MAX  # decided but not sent; more would only wait here
BUSY_MS = 4  # a rest while a snapshot is under way: it goes on without anybody asking
DECIDE_AT_ONCE = 2_000  # commands, about 20 ms: then what is on its way gets its turn
RECORD_OVERHEAD = 24  # bytes of lengths, offsets and times beside key and value, at most


class Superseded(LogError):
    """Somebody else owns the partition now."""


class Owner:
    """Owns one partition until something goes wrong or it is told to stop."""

    def __init__(
        self,
        log: PartitionLog,
        fresh: Callable[[], Partition],
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        self._log = log
        self._fresh = fresh
        self._pace = pace
        self.partition = fresh()
        self._courier = Courier(self.partition, log)
        self._writer: int | None = None
        self.snapshots = Snapshots(self.partition, log, pace, None)
        self._pending: list[tuple[int, Sequence[KeyValue]]] = []  # bytes, a command's records
        self._pending_bytes = 0
        self._pending_records = 0
        self._append: Append | None = None
        self._sent = 0  # records in the batch on its way
        self._acknowledged = 0  # the offset behind the last acknowledged record
        self._claimed_at: Ms = 0
        self.batches = 0
        self.events = 0
        self.claims = 0
        self.serving = False

    async def run(self) -> None:
        """Take over, then serve until the partition is no longer ours."""
        await self.take_over()
        while self._log.mine():
            await self.step()
        await self.drain()

    # ---- taking over

    async def take_over(self) -> None:
        """From nothing to an exact claim; decides nothing before."""
        await self._log.fence()
        state = await self._restored()
        while True:
            if not self._log.mine():
                raise Superseded("the partition was given to another owner")
            end = await self._log.end()
            await self._read(state, end)
            state.reader.commands_from = await self._next_command(state)
            landed, token = await self._claim(state, end)
            await self._read(state, landed + 1)
            if state.reader.token != token:
                raise Superseded("another claim is newer than ours")
            if landed == end:
                break
        self._settle_in(state, landed)
        await self._log.commands_from(state.reader.commands_from)
        self.serving = True

    async def _restored(self) -> Partition:
        """What a snapshot and the events behind it say, or else nothing yet: read all."""
        found, state = Found(), self._fresh()
        self._writer = await self._shut_out()
        if self._writer is not None:
            async for records in self._log.snapshots(self._writer):
                found.read(records)
        end = await self._log.end()
        why_not = found.fill(state, end) or await self._tail_differs(state, end)
        if why_not:
            log.info("snapshot_left_alone", partition=state.number, why=why_not)
            state = self._fresh()
            found.replace(state)
        return state

    async def _shut_out(self) -> int | None:
        """Claim the snapshots: nothing of an earlier owner counts from there on. None: no topic."""
        if not await self._log.keeps_snapshots():
            log.warning("snapshots_missing", partition=self.partition.number)
            return None
        append = self._log.snapshot([(CLAIM, b"")])
        while not append.done:
            await self._log.wait(append, TICK_MS, hungry=False)
        return append.offset()

    async def _tail_differs(self, state: Partition, end: int) -> str:
        """Read what happened since the snapshot; say so if the two do not belong together."""
        at = state.reader.position
        async for records in self._log.events(at.offset - 1, at.offset):
            if codec.decode_event(records[0].value).owner != at.token:
                return "it is of another log"
        try:
            await self._read(state, end)
        except (LogError, PartitionCountError):
            raise
        except Exception as why:  # noqa: BLE001 - remembering cannot fail on what the log says
            return f"it does not fit the log: {why!r}"
        if not state.restored.is_whole:
            return "its accounts have not seen each event once"
        first = await self._log.first_command()
        oldest = next((ref for ref in state.provenance if ref.offset >= first), None)
        if oldest is not None and not await self._still_there(oldest):
            return "commands were cut that are older than it"
        return ""

    async def _read(self, state: Partition, end: int) -> None:
        async for records in self._log.events(state.reader.offset, end):
            state.replay(records)

    async def _claim(self, state: Partition, at: int) -> tuple[int, str]:
        token = self._log.token()
        append = self._log.append([(b"", codec.encode(state.claim(token, at)))])
        while not append.done:
            await self._log.wait(append, TICK_MS, hungry=False)
        self.claims += 1
        return append.offset(), token

    def _settle_in(self, state: Partition, landed: int) -> None:
        state.start_deciding()
        self.partition = state
        self._courier = Courier(state, self._log)
        self.snapshots = Snapshots(state, self._log, self._pace, self._writer)
        self._acknowledged = landed + 1
        self._claimed_at = self._log.now()

    async def _next_command(self, state: Partition) -> int:
        """The next command to decide, unless the commands topic was cut: then further back.

        A cut keeps a prefix of the topic: the newest command of ours that is still there is found
        by halving. Commands decided before are answered again, not decided again.
        """
        first = await self._log.first_command()
        kept = [ref for ref in state.provenance if ref.offset >= first]
        if not kept or await self._still_there(kept[-1]):
            return max(state.reader.commands_from, first)
        there, gone = 0, len(kept) - 1  # kept[:there] are still there, kept[gone:] are not
        while there < gone:
            middle = (there + gone) // 2
            if await self._still_there(kept[middle]):
                there = middle + 1
            else:
                gone = middle
        if await self._log.first_command() != first:  # old commands were deleted meanwhile
            return await self._next_command(state)
        back_to = kept[there - 1].offset + 1 if there else first
        log.warning(
            "commands_cut", decided=state.reader.commands_from, back_to=back_to, lost=kept[-1].id
        )
        return back_to

    async def _still_there(self, ref: CommandRef) -> bool:
        record = await self._log.command_at(ref.offset)
        if record is None or record.timestamp != ref.timestamp:
            return False
        if not ref.id:  # was rejected: whatever its bytes say, its time is all we noted of it
            return True
        try:
            return codec.decode_command(record.value or b"").id == ref.id
        except codec.CodecError:
            return False

    # ---- serving

    async def step(self) -> None:
        """One turn: take what is there, decide it, send what waits, rest."""
        if self._log.now() - self._claimed_at > RENEW_MS:
            await self.renew()
        if self._pending_bytes < AHEAD_BYTES:
            self._decide()
        self._courier.look(self._expected)
        self._courier.send(self._acknowledged)  # nothing may be in flight that would do it
        self._send()
        self.snapshots.turn(self._expected, self._acknowledged)
        hungry = self._pending_bytes < AHEAD_BYTES
        self.partition.accounts.sweep_on(self.partition.now)
        busy = self.snapshots.is_busy or self.partition.checkpoints.is_busy
        rest_ms = BUSY_MS if busy else TICK_MS
        await self._log.wait(self._append, rest_ms, hungry=hungry)
        self._acknowledge()

    async def drain(self) -> None:
        """Send all that was decided and wait for it."""
        while self._pending or self._append is not None:
            self._send()
            await self._log.wait(self._append, TICK_MS, hungry=False)
            self._acknowledge()

    async def renew(self) -> None:
        """Keep the claim young: nothing in flight, a new epoch, an exact claim, or out."""
        await self.drain()
        await self._log.fence()
        self._writer = await self._shut_out()
        self.snapshots.claimed(self._writer)
        expected = self._acknowledged
        landed, token = await self._claim(self.partition, expected)
        if landed != expected:
            raise Superseded(f"the renewed claim landed at {landed}, not at {expected}")
        self.partition.reader.token = token
        self._acknowledged = landed + 1
        self._claimed_at = self._log.now()

    @property
    def _expected(self) -> int:
        """The offset behind everything decided so far."""
        return self._acknowledged + self._sent + self._pending_records

    def _decide(self) -> None:
        decide, pending, decided = self.partition.decide, self._pending, 0
        for record in self._log.take(DECIDE_AT_ONCE):
            written = decide(record)
            size = 0
            for key, value in written:
                size += len(key) + len(value) + RECORD_OVERHEAD
            pending.append((size, written))
            self._pending_bytes += size
            self._pending_records += len(written)
            decided += 1
        checkpoint = self.partition.checkpoint(decided)
        if checkpoint is not None:
            size = len(checkpoint[1]) + RECORD_OVERHEAD
            pending.append((size, (checkpoint,)))
            self._pending_bytes += size
            self._pending_records += 1

    def _send(self) -> None:
        """Start the next batch: whole commands only, one batch at a time."""
        if self._append is not None or not self._pending:
            return
        records: list[KeyValue] = []
        room, taken = BATCH_BYTES, 0
        for size, written in self._pending:
            room -= size
            if room < 0 and taken:
                break
            records.extend(written)
            self._pending_bytes -= size
            taken += 1
        del self._pending[:taken]
        self._pending_records -= len(records)
        self._sent = len(records)
        self._append = self._log.append(records)

    def _acknowledge(self) -> None:
        if self._append is None or not self._append.done:
            return
        landed = self._append.offset()
        if landed != self._acknowledged:
            raise Superseded(f"a batch landed at {landed}, not at {self._acknowledged}")
        self._acknowledged += self._sent
        self.batches += 1
        self.events += self._sent
        self._append, self._sent = None, 0
        self._courier.send(self._acknowledged)
