"""The floor: the ledger's lanes and topics with a worker that copies instead of deciding.

    python -m tests.benchmarks.echo BOOTSTRAP PREFIX

Same feed, same fenced producer, same port, same group commit; a command's bytes are its event.
"""

import asyncio
import sys

import uvloop
from bus.kafka_log import Cluster, KafkaLog
from bus.log import Append, KeyValue
from bus.topics import partitions_of
from contracts.topics import COMMANDS
from ledger.owner import BATCH_BYTES


async def copy(log: KafkaLog, start: int) -> None:
    """One partition's worker."""
    await log.fence()
    await log.commands_from(start)
    append: Append | None = None
    pending: list[KeyValue] = []
    while True:
        await log.wait(append, 1000, hungry=True)
        if append is not None and append.done:
            append.offset()
            append = None
        pending.extend((record.key, record.value) for record in log.take(100_000))
        if append is None and pending:
            most = max(1, BATCH_BYTES // (len(pending[0][1]) + 100))
            append, pending = log.append(pending[:most]), pending[most:]


async def main(bootstrap: str, prefix: str) -> None:
    count = await partitions_of(bootstrap, prefix + COMMANDS.name)
    cluster = Cluster(bootstrap, prefix, "echo", count)
    await cluster.start()
    logs = [KafkaLog(cluster, partition) for partition in range(count)]
    print("echo ready", flush=True)
    await asyncio.gather(*(copy(log, 0) for log in logs))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2]))
