"""A producer that fences its predecessors without transactions.

With `bus.abandon` and `bus.lean` the only place that touches aiokafka's internals (0.14.0,
pinned; its contract test runs on a real broker).

`InitProducerId` with a transactional id gives (producer id, epoch + 1). Plain idempotent batches
written under it make the partition leader refuse every older epoch of the same id: error 47.
Safety rests on the reader rule; the fence makes uncounted events practically never exist.
"""

from aiokafka import AIOKafkaProducer

from bus import kafka


async def fenced_producer(bootstrap: str, fence: str) -> AIOKafkaProducer:
    """A started producer under a fresh epoch of `fence`; raises KafkaError, TimeoutError."""
    initialiser = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        transactional_id=fence,
        retry_backoff_ms=10,
        request_timeout_ms=kafka.REQUEST_TIMEOUT_MS,
    )
    try:
        await initialiser.start()
        pid, epoch = initialiser._txn_manager._pid_and_epoch  # noqa: SLF001
    finally:
        await kafka.close(initialiser)
    return await _under(bootstrap, pid, epoch)


async def beside(bootstrap: str, fenced: AIOKafkaProducer) -> AIOKafkaProducer:
    """Another connection under the same epoch, for another topic: neither waits for the other.

    The broker counts sequences by partition, so each may be written through one of the two only.
    """
    pid, epoch = fenced._txn_manager._pid_and_epoch  # noqa: SLF001
    return await _under(bootstrap, pid, epoch)


async def _under(bootstrap: str, pid: int, epoch: int) -> AIOKafkaProducer:
    fenced = kafka.producer(bootstrap)
    fenced._txn_manager.set_pid_and_epoch(pid, epoch)  # noqa: SLF001 - before start(): no second InitProducerId
    try:
        await fenced.start()
    except BaseException:
        await kafka.close(fenced)
        raise
    return fenced
