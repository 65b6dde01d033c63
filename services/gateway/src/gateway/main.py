"""The gateway as a process: everything is built here, in plain sight, and closed in reverse."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from typing import Any

import psycopg
import structlog
import uvicorn
import uvloop
from aiokafka.errors import KafkaError
from bus.outbox import Outbox
from bus.stream import Counted
from bus.topics import TopicError, partitions_of
from contracts.catalogue import served
from contracts.topics import COMMANDS, EVENTS, RUN_DISPATCH

from gateway import keystore, logs, paths, web
from gateway.batch import Batch
from gateway.board import show
from gateway.dispatch import Dispatch
from gateway.door import Door
from gateway.estimates import Estimates
from gateway.flight import Bounds, Flight
from gateway.hot import Hot
from gateway.keyring import KeyRing
from gateway.listening import Listener
from gateway.metrics import Metrics
from gateway.rates import Rates
from gateway.readmodels import ReadModels
from gateway.requests import Requests
from gateway.reservations import Reservations
from gateway.results import ResultsListener
from gateway.runs import Runs
from gateway.sessions import Sessions
from gateway.settings import SIGN_IN_ENVIRONMENTS, Settings
from gateway.spending import Ledger, Spending
from gateway.waiting import SWEEP_S, Bridge
from gateway.watching import RunWatch

log = structlog.get_logger(__name__)

TRY_AGAIN_S = 1.0  # while Kafka or Postgres is not there yet
DRAIN_S = 5  # for requests under way when told to stop


class PartitionsDiffer(RuntimeError):
    """Commands and events have different numbers of partitions: create the topics as they were."""


async def serve(settings: Settings) -> None:
    """Serve until told to stop; raises what must not be survived."""
    prefix, bootstrap = settings.topic_prefix, settings.kafka_bootstrap
    outbox, models = Outbox(bootstrap), ReadModels(settings.postgres_url)
    partitions, runs_partitions = await _found(settings)
    metrics, watch = Metrics(), RunWatch()

    def hand(batch: list[Counted], at: float) -> None:
        bridge.counted(batch, at)
        watch.counted(batch)

    def put(partition: int, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]) -> None:
        outbox.put(prefix + COMMANDS.name, partition, key, value, headers)

    listener = Listener(bootstrap, prefix, hand)
    results = ResultsListener(bootstrap, prefix, watch)
    flight = Flight(partitions, Bounds(), listener.heard)
    bridge = Bridge(put, flight, settings.answer_wait_ms)
    catalogue = served(settings.env)
    ledger = Ledger(bridge, catalogue, metrics, settings.top_up_url)
    dispatch = Dispatch(outbox, prefix, runs_partitions, catalogue)
    requests = Requests(bootstrap, prefix, bridge, dispatch, outbox, metrics)
    rates, reservations = Rates(settings.rate_limits), Reservations(models)
    runs = Runs(ledger, dispatch, watch, reservations, rates, settings.run_wait_ms)
    ring = KeyRing(settings.env, models.keys)
    sessions = Sessions() if settings.env in SIGN_IN_ENVIRONMENTS else None
    door, spending = Door(ring, sessions), Spending(ledger)
    hot = Hot(
        paths.fixed(spending, Estimates(ledger, rates), Batch(ledger), runs, catalogue),
        paths.named(spending),
        door,
        metrics,
        web.application(...),
    )
