"""A process's seat: owns what the group assigns, until something goes wrong or it is told to stop.

After any error all is dropped: owners, producers, state; the process leaves the group, waits a
moment and joins anew. Two owners that each took over by themselves would duel for ever. Only an
error that joining anew cannot mend (a rule that raises, an event nobody can read) halts its
partition and leaves the others alone.
"""

import asyncio
from collections.abc import Callable, Collection
from functools import partial

import structlog
from aiokafka.errors import KafkaError
from bus.kafka_log import Cluster, KafkaLog
from bus.log import LogError
from bus.membership import Membership

from ledger.owner import Owner
from ledger.partition import Partition, PartitionCountError
from ledger.snapshots import Pace

log = structlog.get_logger(__name__)

HAND_OVER_S = 2.0  # finish the batch on its way; longer, and the group waits for us


class Seat:
    """One membership, from joining to leaving."""

    def __init__(
        self, cluster: Cluster, group: str, fresh: Callable[[int], Partition], pace: Pace
    ) -> None:
        self._cluster = cluster
        self._fresh = fresh
        self._pace = pace
        self._membership = Membership(cluster.bootstrap, group, cluster.commands)
        self._running: dict[int, tuple[Owner, KafkaLog, asyncio.Task[None]]] = {}
        self._over = asyncio.Event()
        self.halted: set[int] = set()
        self.refusal: PartitionCountError | None = None  # joining anew would not help

    @property
    def owners(self) -> dict[int, Owner]:
        """The owners by partition, those still taking over included."""
        return {partition: owner for partition, (owner, _, _) in self._running.items()}

    async def hold(self, stop: asyncio.Event) -> None:
        """Own and serve until `stop` is set or an owner met an error.

        Raises PartitionCountError when the log is of another number of partitions.
        """
        stopping = asyncio.get_running_loop().create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._over.set())
        try:
            await self._membership.join(self._gained, self._lost)
            await self._membership.stay(self._over)
        except (KafkaError, OSError) as why:
            log.warning("seat_lost", why=repr(why))
        finally:
            stopping.cancel()
            await self._lost(list(self._running))
            await self._membership.leave()
        if self.refusal is not None:
            raise self.refusal

    async def _gained(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            port = KafkaLog(self._cluster, partition)
            fresh = partial(self._fresh, partition)
            owner = Owner(port, fresh, self._pace)
            task = asyncio.get_running_loop().create_task(self._own(partition, owner, port))
            self._running[partition] = (owner, port, task)

    async def _lost(self, partitions: Collection[int]) -> None:
        leaving = [self._running.pop(p) for p in partitions if p in self._running]
        for _, port, _ in leaving:
            port.released()
        tasks = {task for _, _, task in leaving}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=HAND_OVER_S)
            for task in late:
                task.cancel()
            await asyncio.wait(tasks)

    async def _own(self, partition: int, owner: Owner, port: KafkaLog) -> None:
        try:
            await owner.run()
            log.info("partition_released", partition=partition)
        except LogError as why:
            log.warning("partition_dropped", partition=partition, why=str(why))
            self._over.set()
        except PartitionCountError as why:
            self.refusal = why
            self._over.set()
        except Exception:
            log.exception("partition_halted", partition=partition)
            self.halted.add(partition)
        finally:
            await port.close()
