"""One world: workers with the real owner, gateways with the real reader, callers, and faults.

One seed is one world. Everything that happens is chosen by its random numbers, so a seed that
fails fails again. When the faults are used up the world must come to rest: every caller answered,
every command decided, nothing held that should have ended.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from bus.log import LogError, Record
from contracts.catalogue import Catalogue
from contracts.events import AnyEvent
from contracts.units import MINUTE, SECOND
from ledger.accounts import Accounts
from ledger.partition import Partition
from ledger.snapshots import Pace

from contracts import codec
from tests.simulation.auditor import Anomaly, Auditor
from tests.simulation.clients import ACCOUNTS, Callers
from tests.simulation.faults import strike
from tests.simulation.passes import arrived_once, carried, under_way
from tests.simulation.port import Site
from tests.simulation.second import compare
from tests.simulation.workers import Kit, Slot, Worker, failure, seen

PARTITIONS = len(ACCOUNTS)
WORKERS = (1, 2, 3, 3, 3)  # alone, it must get well by itself
COMMANDS = 14  # what the callers of one world have in mind
FAULTS = 14
PACE = Pace(events=1, gap_ms=0)  # a snapshot whenever there is something new
CHECKPOINT_EVERY = 4  # events
STEPS_MAX = 12_000  # far more than any world needs to come to rest


class World(Site):
    """One world."""

    def __init__(
        self,
        seed: int,
        weights: dict[str, int],
        catalogues: tuple[Catalogue, ...],
        *,
        fence: bool = True,
        kit: Kit = Kit(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(seed, PARTITIONS, fence=fence)
        random = self.random.random
        self.kit = kit
        self.stats: Counter[str] = Counter()
        self.memory: dict[Any, Any] = {}  # what mutants wrongly keep
        self.trace: list[str] | None = None
        self.steps = 0
        self.faults = FAULTS
        self.pace = 0.01 + random() * 0.04  # how often a fault, and how often a caller
        self.kinds = [kind for kind, weight in weights.items() for _ in range(weight)]
        workers = WORKERS[int(random() * len(WORKERS))]
        self.workers = [
            Worker(n, catalogues[int(random() * len(catalogues))]) for n in range(workers)
        ]
        self.slots = [Slot(w, p) for w in self.workers for p in range(PARTITIONS)]
        self.assigned = [int(random() * workers) for _ in range(PARTITIONS)]
        self.generation = 0
        self.callers = Callers(self.random, COMMANDS)
        parts = self.broker.partitions
        self.auditors = [Auditor(part, PARTITIONS, self.prices) for part in parts]
        self.gateways = [kit.gateway(parts, self._saw) for _ in range(2)]

    def prices(self, token: str) -> Catalogue:
        """The catalogue of the worker that made a claim token."""
        return self.workers[int(token.partition(".")[0] or 0)].prices

    def below(self, most: int) -> int:
        return int(self.random.random() * most)

    def note(self, *what: object) -> None:
        if self.trace is not None:
            self.trace.append(
                f"{self.steps:5d} {self.now % 10_000_000:9d} " + " ".join(map(str, what))
            )

    # ---- what the ports do

    def command(self, partition: int, key: bytes, value: bytes) -> Record:
        record = super().command(partition, key, value)
        self.auditors[partition].commands.appended(record)
        self.note("command", partition, record.offset, value.decode())
        return record

    def emitted(self, partition: int, key: bytes, value: bytes) -> None:
        command = codec.decode_command(value)
        carried(self.auditors, partition, command)
        self.stats["follow-ups"] += 1
        if self.faults and self.random.random() < 0.1:
            return  # lost on its way, and nobody learns of it
        super().emitted(partition, key, value)

    # ---- workers

    def _start(self, slot: Slot) -> None:
        worker, number = slot.worker, slot.partition
        slot.log = self.kit.log(self, number, worker.skew, str(worker.number))
        slot.owner = self.kit.owner(slot.log, lambda: self._fresh(number, worker), PACE)
        slot.run, slot.rest, slot.told = slot.owner.run(), None, False

    def _fresh(self, number: int, worker: Worker) -> Partition:
        if self.kit.partition is not None:
            return self.kit.partition(number, worker.prices)
        partition = Partition(number, PARTITIONS, worker.prices, CHECKPOINT_EVERY)
        partition.accounts = Accounts(young_max=1)
        return partition

    def close(self, slot: Slot) -> None:
        """Whatever ran here stops where it is, for ever."""
        if slot.owner is not None:
            self.stats.update(seen(slot.owner))
        if slot.run is not None:
            slot.run.close()
            slot.run = slot.rest = slot.log = slot.owner = None

    def _runnable(self, slot: Slot) -> bool:
        worker = slot.worker
        if worker.paused_until > self.now:
            return False
        if slot.run is None:
            if self.assigned[slot.partition] != worker.number:
                return False
            return worker.rejoins_at <= self.now and slot.standing_by != self.generation
        if slot.rest is None or slot.rest.ready():
            return True
        return self.assigned[slot.partition] != worker.number and self.random.random() < 0.1

    def _act(self, slot: Slot) -> None:
        if slot.run is None:
            self._start(slot)
        assert slot.log is not None
        if slot.told:
            if self.random.random() < 0.02:  # the group waits no longer
                self.stats["cancelled"] += 1
                self.close(slot)
                return
        elif self.assigned[slot.partition] != slot.worker.number and self.random.random() < 0.2:
            slot.told = True
            slot.log.released()
        if slot.rest is not None and not slot.rest.ready():
            return
        try:
            slot.rest = slot.run.send(None)
        except StopIteration:
            self.close(slot)
        except LogError as why:
            self._dropped(slot, why)

    def _dropped(self, slot: Slot, why: LogError) -> None:
        """An owner met an error: its worker gives all up, leaves the group and joins anew."""
        worker = slot.worker
        self.note("worker", worker.number, "drops", slot.partition, why)
        self.stats[failure(str(why))] += 1
        self.close(slot)
        if not self.kit.rejoins:
            slot.standing_by = self.generation
            return
        worker.rejoins_at = self.now + SECOND + int(self.random.random() * SECOND)
        for other in self.slots:
            if other.worker is worker and other.log is not None:
                other.told = True
                other.log.released()
        for partition, number in enumerate(self.assigned):
            if number == worker.number:
                self.assign(partition, self.below(len(self.workers)))

    def assign(self, partition: int, worker: int) -> None:
        """The group gives a partition to a worker; whoever had it learns of it later."""
        self.generation += 1
        self.assigned[partition] = worker
        for slot in self.slots:  # who gets back what it was told to give up, starts afresh
            if slot.partition == partition and slot.worker.number == worker and slot.told:
                self.close(slot)

    # ---- callers and gateways

    def _call(self) -> None:
        random = self.random.random
        gateway = self.gateways[int(random() * len(self.gateways))]
        callers = self.callers
        if callers.plan and random() < 0.5:
            asked = callers.ask(self.now)
        else:
            if self.faults and random() < 0.12:
                strange = callers.another(self.now)
                if strange is not None:
                    self.command(strange[2], strange[0], strange[1])
                return
            again = callers.retry(self.now, quiet=not self.faults)
            if again is None:
                return
            asked = again
        gateway.waiting.add((asked.account, asked.command.id))
        if random() < 0.95:  # else lost on its way to the log
            self.command(asked.partition, asked.account.encode(), asked.raw)

    def _saw(self, partition: int, offset: int, counts: bool) -> None:
        auditor = self.auditors[partition]
        auditor.follow()
        auditor.saw(offset, counts=counts)

    def _told(self, partition: int, offset: int, event: AnyEvent) -> None:
        assert event.command is not None
        auditor = self.auditors[partition]
        auditor.follow()
        raw = self.broker.partitions[partition].events[offset].value
        auditor.answered(offset, event, raw)
        self.callers.told(event.account, event.command.id)
        self.stats["answers"] += 1

    def _read(self) -> None:
        random = self.random.random
        gateway = self.gateways[int(random() * len(self.gateways))]
        gateway.read(int(random() * PARTITIONS), 1 + int(random() * 5), self._told)

    # ---- time

    def step(self) -> None:
        """One thing happens."""
        random = self.random.random
        self.steps += 1
        self.now += int(random() * 50)
        choice = random()
        if choice < 0.5:
            slots = self.slots
            at = int(random() * len(slots))
            for slot in (*slots[at:], *slots[:at]):
                if self._runnable(slot):
                    self._act(slot)
                    return
        if choice < 0.78 and self.network.messages:
            self.network.deliver(self.now)
        elif choice < 0.86:
            self._read()
        elif choice < 0.93:
            parts = self.broker.partitions if random() < 0.6 else self.broker.shelves
            part = parts[int(random() * PARTITIONS)]
            if part.batches:
                newest = part.batches[-1 - int(random() * min(2, len(part.batches)))]
                part.high = max(part.high, newest.end)
        elif random() < self.pace * 20:
            if self.faults and random() < 0.4:
                self.faults -= 1
                strike(self, self.kinds[int(random() * len(self.kinds))])
            else:
                self._call()

    def run(self) -> None:
        """Until the world is at rest; raises Anomaly."""
        while self.faults or self.callers.plan:
            self.step()
            if self.steps > STEPS_MAX:
                raise Anomaly("the callers never came to an end")
        for worker in self.workers:
            worker.paused_until = 0
        self._rest(lambda: "" if not self.callers.open else f"UNANSWERED {len(self.callers.open)}")
        self._rest(self._undecided)
        self.now += 20 * MINUTE
        due = self.now - 5 * MINUTE  # as the slowest worker clock sees it
        self._rest(lambda: self._first("OVERDUE", lambda auditor: auditor.overdue(due)))
        self._rest(lambda: self._first("UNDER WAY", under_way))
        self._rest(self._undecided)
        self._count()

    def _count(self) -> None:
        compare(self.auditors)
        arrived_once(self.auditors)
        for auditor in self.auditors:
            self.stats["skipped"] += auditor.skipped
            self.stats.update(auditor.stats)

    def _rest(self, left: Callable[[], str]) -> None:
        until = self.steps + STEPS_MAX
        while why := left():
            for _ in range(30):
                self.step()
                self.now += int(self.random.random() * 300)
            if self.steps > until:
                raise Anomaly(f"STUCK {why}")

    def _undecided(self) -> str:
        return self._first("UNDECIDED", lambda auditor: auditor.undecided())

    def _first(self, what: str, left: Callable[[Auditor], str]) -> str:
        for auditor in self.auditors:
            auditor.follow()
            if why := left(auditor):
                return f"{what} {why}"
        return ""
