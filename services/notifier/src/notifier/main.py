"""The notifier as a process: built in order, closed in reverse; it keeps nothing of its own."""

import asyncio
import logging
import signal
import sys
from tempfile import TemporaryDirectory

import structlog
from aiokafka.errors import KafkaError
from bus.outbox import Outbox
from bus.topics import TopicError, partitions_of
from contracts.topics import EVENTS, NOTIFICATIONS

from notifier.agent import Told, application
from notifier.metrics import Metrics
from notifier.settings import Settings, SettingsError, from_environment

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.2  # how soon it is seen that Faust gave up
STOP_WITHIN_S = 8.0  # whoever stops us waits for ten
TRY_AGAIN_S = 1.0  # while Kafka is not there yet

_STOPPED, _HALTED, _USAGE, _AWAY = 0, 1, 2, 6


async def serve(settings: Settings, stopping: asyncio.Event) -> int:
    """Tell until told to stop; gives the exit code."""
    partitions = await _partitions(settings, stopping)
    if stopping.is_set():
        return _STOPPED
    metrics, outbox = Metrics(settings.metrics_port), Outbox(settings.bootstrap)
    halted = list[Exception]()

    def halt(why: Exception) -> None:
        log.error("notifier_halted", why=repr(why))
        halted.append(why)

    told = Told(outbox, settings.prefix + NOTIFICATIONS.name, partitions, metrics)
    folder = TemporaryDirectory(prefix="scrip-notifier-")
    app = application(settings, partitions, told, folder.name, halt)
    await outbox.start()
    try:
        app.finalize()
        await app.start()
        log.info("notifier_ready", partitions=partitions)
        while not (stopping.is_set() or halted or app.crashed or app.should_stop):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY_S)  # Faust tells its end by flags
        if stopping.is_set():
            return _STOPPED
        return _HALTED if halted else _AWAY
    finally:
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await app.stop()
        except TimeoutError:
            log.warning("faust_abandoned")
        await outbox.stop()
        folder.cleanup()


async def _partitions(settings: Settings, stopping: asyncio.Event) -> int:
    """How many partitions the events have, once the topics are there."""
    while not stopping.is_set():
        try:
            await partitions_of(settings.bootstrap, settings.prefix + NOTIFICATIONS.name)
            return await partitions_of(settings.bootstrap, settings.prefix + EVENTS.name)
        except (KafkaError, TopicError, OSError, TimeoutError) as why:
            log.warning("waiting_for_kafka", why=repr(why), again_in_s=TRY_AGAIN_S)
            await asyncio.sleep(TRY_AGAIN_S)
    return 0


async def _until_told(settings: Settings) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return await serve(settings, stopping)


def main() -> None:
    """Read the environment and run; ends the process with its exit code."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own lines say it once
    try:
        settings = from_environment()
    except SettingsError as wrong:
        print(f"scrip notifier: {wrong}", file=sys.stderr)
        sys.exit(_USAGE)
    code = asyncio.run(_until_told(settings))
    if code == _AWAY:
        print("scrip notifier: lost Kafka, or its place in the group", file=sys.stderr)
    sys.exit(code)
