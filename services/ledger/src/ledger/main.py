"""The ledger as a process: everything is built here, in plain sight, and closed in reverse."""

import asyncio
import gc
import random
import signal

import structlog
import uvloop
from aiokafka.errors import KafkaError
from bus.kafka_log import Cluster
from bus.topics import partitions_of
from contracts.catalogue import served
from contracts.topics import COMMANDS, EVENTS

from ledger import metrics
from ledger.partition import Partition, PartitionCountError
from ledger.prices import Prices
from ledger.seat import Seat
from ledger.settings import Settings
from ledger.snapshots import Pace

log = structlog.get_logger(__name__)

REJOIN_AFTER_S = (1.0, 2.0)  # jittered: two that failed together must not meet again


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Own what is assigned, until `stop`; raises PartitionCountError, TopicError, KafkaError."""
    prices = Prices(served(settings.environment))
    partitions = await partitions_of(settings.bootstrap, settings.prefix + COMMANDS.name)
    events = await partitions_of(settings.bootstrap, settings.prefix + EVENTS.name)
    if events != partitions:
        raise PartitionCountError(
            f"{COMMANDS.name} has {partitions} partitions, {EVENTS.name} has {events}:"
            " create the topics as they were"
        )
    board = metrics.Board(settings.metrics_port)
    patience = random.SystemRandom()
    following = asyncio.create_task(prices.follow(settings.bootstrap, settings.prefix))
    try:
        await prices.known()
        while not stop.is_set():
            cluster = Cluster(settings.bootstrap, settings.prefix, settings.environment, partitions)
            seat = Seat(
                cluster,
                group=f"{settings.prefix}scrip-ledger",
                fresh=lambda number: Partition(
                    number, partitions, prices.catalogue, settings.checkpoint_events
                ),
                pace=Pace(settings.snapshot_events, settings.snapshot_gap_ms),
            )
            board.watch(seat, cluster)
            prices.hand_to(seat)
            try:
                await cluster.start()
                await seat.hold(stop)
            except (KafkaError, OSError) as why:
                log.warning("kafka_unreachable", why=repr(why))
            finally:
                await cluster.stop()
            if not stop.is_set():
                log.info("joining_anew")
                await asyncio.sleep(patience.uniform(*REJOIN_AFTER_S))
    finally:
        following.cancel()
        await asyncio.wait({following})


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    # Nothing here makes cycles; collecting would walk every account for nothing.
    gc.set_threshold(200_000, 50, 1000)
    uvloop.run(_until_told(settings))


async def _until_told(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, stop.set)
    await serve(settings, stop)
