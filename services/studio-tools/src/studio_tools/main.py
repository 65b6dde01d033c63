"""The tool worker, wired in plain sight: built in order, closed in reverse."""

import asyncio
import signal
import sys
import time
from contextlib import AsyncExitStack

import structlog
import uvloop
from aiokafka.errors import KafkaError
from bus.outbox import Outbox
from bus.stream import EventStream, fresh_positions
from bus.topics import TopicError, partitions_of
from contracts.catalogue import NOOP, served
from contracts.topics import COMMANDS, RUN_DISPATCH, RUN_RESULTS
from prometheus_client import CollectorRegistry, start_http_server

from studio_tools import registry
from studio_tools.answers import Answers
from studio_tools.intake import Intake
from studio_tools.link import ZygoteConfig, ZygoteError
from studio_tools.metrics import Metrics
from studio_tools.runner import ToolRunner
from studio_tools.settings import GROUP, Settings, SettingsError, from_env
from studio_tools.settling import Settling
from studio_tools.turns import Turns
from studio_tools.worker import Worker

LOOK_EVERY_S = 5.0  # how old the gauges may be

log = structlog.get_logger(__name__)


async def serve(settings: Settings, stopping: asyncio.Event) -> None:
    """Run until `stopping` is set.  Raises what makes it impossible to go on."""
    bootstrap, prefix = settings.kafka_bootstrap, settings.topic_prefix
    catalogue = served(settings.env)
    prometheus = CollectorRegistry()
    metrics = Metrics(prometheus, catalogue.tools)
    positions = await fresh_positions(bootstrap, time.time_ns() // 1_000_000, prefix)
    commands = await partitions_of(bootstrap, prefix + COMMANDS.name)
    results = await partitions_of(bootstrap, prefix + RUN_RESULTS.name)
    async with AsyncExitStack() as opened:
        noop = NOOP.id in catalogue.tools
        config = ZygoteConfig(registry.WITH_NOOP if noop else registry.PRODUCTION)
        runner = await opened.enter_async_context(ToolRunner(config))
        outbox = Outbox(bootstrap)
        await outbox.start()
        opened.push_async_callback(outbox.stop)
        stream = EventStream(bootstrap, positions, prefix)
        await stream.start()
        opened.push_async_callback(stream.stop)
        answers = Answers(stream)
        settling = Settling(outbox, answers, commands, prefix, metrics)
        turns = Turns(settings.runs_at_once)
        worker = Worker(
            runner,
            turns,
            settling,
            outbox,
            catalogue,
            metrics=metrics,
            partitions=results,
            prefix=prefix,
        )
        topic = prefix + RUN_DISPATCH.name
        intake = Intake(bootstrap, topic, prefix + GROUP, worker.handle, metrics)
        await intake.start()
        opened.push_async_callback(intake.stop)
        if settings.metrics_port:
            server, _ = start_http_server(settings.metrics_port, "127.0.0.1", prometheus)
            opened.callback(server.server_close)
            opened.callback(server.shutdown)
        log.info("studio_tools_ready", tools=len(runner.ready.tools), noop=noop)
        await _until(stopping, answers, intake, metrics)


async def _until(
    stopping: asyncio.Event, answers: Answers, intake: Intake, metrics: Metrics
) -> None:
    """The intake ends by itself once `stopping` is set; the others serve it to the end."""
    taking = asyncio.create_task(intake.run(stopping), name="intake")
    serving = [
        asyncio.create_task(answers.listen(), name="answers"),
        asyncio.create_task(_look(answers, metrics), name="gauges"),
    ]
    await asyncio.wait((taking, *serving), return_when=asyncio.FIRST_COMPLETED)
    stopping.set()
    await taking
    for task in serving:
        task.cancel()
    for ended in await asyncio.gather(*serving, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


async def _look(answers: Answers, metrics: Metrics) -> None:
    while True:
        metrics.skipped.set(answers.skipped)
        await asyncio.sleep(LOOK_EVERY_S)


async def _main(settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stop, stopping.set)
    await serve(settings, stopping)


def main() -> None:
    """Read the environment and run.  Exits 2 for a wrong setting, 6 for a missing dependency."""
    try:
        uvloop.run(_main(from_env()))
    except SettingsError as wrong:
        print(f"scrip studio-tools: {wrong}", file=sys.stderr)
        sys.exit(2)
    except (TopicError, ZygoteError, KafkaError) as missing:
        print(f"scrip studio-tools: {missing}", file=sys.stderr)
        sys.exit(6)


if __name__ == "__main__":
    main()
