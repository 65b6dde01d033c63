"""Payments as a process: everything is built here, in plain sight, and closed in reverse."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import psycopg
import structlog
import uvloop
from aiokafka.errors import KafkaError
from bus.outbox import Outbox
from bus.topics import TopicError, partitions_of
from contracts.catalogue import served
from contracts.topics import COMMANDS
from fastapi import FastAPI
from msgspec import Struct
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from payments import (
    baton,
    billing,
    health,
    inbox,
    logs,
    paper_routes,
    plan_routes,
    schema,
    webhook,
)
from payments.asking import Ledger
from payments.board import Board
from payments.books import Books
from payments.buying import Buying
from payments.charging import Charging
from payments.circuit import Circuits
from payments.dispatching import Dispatcher
from payments.errands import Errands
from payments.handling import Handling
from payments.identity import Guard, public_keys
from payments.index import Index
from payments.index import Pool as IndexPool
from payments.listening import Listener
from payments.metrics import Metrics
from payments.papers import Papers
from payments.picture import ledger_picture
from payments.reconciling import Hourly, Reconciler
from payments.relay import Relay
from payments.serving import serve
from payments.settings import Settings
from payments.subscribing import Subscribing
from payments.till import Till
from payments.topups import TopUps
from payments.watching import Watch
from payments.web import application

TRY_AGAIN_S = 1.0  # while Kafka or PostgreSQL is not there yet
THREADS = 48  # each may wait for Stripe or PostgreSQL; a few waiting must not stop the rest
INBOX_POOL = 8  # connections that store webhooks: 200 a second need one

log = structlog.get_logger(__name__)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    logs.configure()
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    await _tables(settings.postgres_url)
    partitions = await _partitions(settings.kafka_bootstrap, settings.topic_prefix)
    till = Till(settings.stripe_key, settings.stripe_api_base, Circuits(time.monotonic))
    async with AsyncExitStack() as opened:
        parts = await assemble(opened, settings, till, partitions)
        parts.metrics.serve(settings.host, settings.metrics_port)
        log.info("payments_ready", port=settings.http_port, live=settings.live)
        await serve(
            parts.app,
            settings.host,
            settings.http_port,
            parts.listener.run(),
            baton.carry(settings.postgres_url, parts.work),
        )


class Parts(Struct, frozen=True):
    """A whole payments service but for its port; `listener` and `work` run beside the app."""

    app: FastAPI
    metrics: Metrics
    books: Books
    index: Index
    handling: Handling
    listener: Listener
    reconciler: Reconciler
    running: tuple[Relay | Dispatcher | Errands | TopUps | Board | Hourly | Watch, ...]

    async def work(self) -> None:
        """What one process at a time does; raises what interrupts it."""
        await self.listener.listening.wait()
        async with asyncio.TaskGroup() as group:
            for part in self.running:
                group.create_task(part.run())


async def assemble(
    opened: AsyncExitStack, settings: Settings, till: Till, partitions: int
) -> Parts:
    """Build everything; what must be closed is closed by `opened`."""
    bootstrap, prefix = settings.kafka_bootstrap, settings.topic_prefix
    metrics, catalogue = Metrics(), served(settings.env)
    books = opened.enter_context(Books.open(settings.postgres_url))
    lookups = opened.enter_context(_lookups(settings.postgres_url))
    index = Index(lookups)
    webhooks = await opened.enter_async_context(_rows(settings.postgres_url, autocommit=True))
    work = await opened.enter_async_context(_rows(settings.postgres_url))
    outbox = Outbox(bootstrap)
    opened.push_async_callback(outbox.stop)
    handling = Handling(books, index, till, live=settings.live, freezes=settings.fraud_freezes)
    ledger = Ledger(outbox, partitions, prefix, metrics)
    listener = Listener(bootstrap, prefix, ledger.hear)
    relay = Relay(books, ledger, metrics)
    buying = Buying(books, till, catalogue, settings.public_url)
    subscribing = Subscribing(books, till, index, buying, live=settings.live)
    dispatcher = Dispatcher(work, handling, subscribing, changed=relay.poke, metrics=metrics)
    secrets, came = settings.webhook_secrets, dispatcher.poke
    door = webhook.Door(webhooks, metrics, secrets, live=settings.live, came=came)
    people = billing.Billing(
        books=books,
        index=index,
        buying=buying,
        handling=handling,
        guard=Guard(public_keys(settings.identity_keys)),
        changed=relay.poke,
    )
    plans = plan_routes.Plans(books, subscribing, people.guard, relay.poke)
    routers = [
        webhook.routes(door),
        billing.routes(people),
        plan_routes.routes(plans),
        paper_routes.routes(Papers(books, till), people.guard),
        health.routes(webhooks, listener),
    ]
    errands = Errands(books, index, till, relay, Charging(books, till, live=settings.live))
    topups = TopUps(
        bootstrap, prefix, pool=work, books=books, catalogue=catalogue, begun=errands.poke
    )
    board = Board(metrics, work, index, relay, till.circuits)
    reconciler = Reconciler(
        books=books,
        index=index,
        till=till,
        handling=handling,
        ledger=lambda start: ledger_picture(lookups, start),
    )
    hourly = Hourly(reconciler, settings.state_dir / "reconciliation", metrics, relay.poke)
    watch = Watch(lookups, metrics.invariants)
    running = (relay, dispatcher, errands, topups, board, hourly, watch)
    app = application(routers)
    return Parts(app, metrics, books, index, handling, listener, reconciler, running)


def _lookups(url: str) -> IndexPool:
    return ConnectionPool(url, min_size=1, max_size=INBOX_POOL, open=False, timeout=5)


def _rows(url: str, *, autocommit: bool = False) -> inbox.Pool:
    """`autocommit`: each statement is a transaction, and costs one question instead of three."""
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=INBOX_POOL,
        open=False,
        timeout=5,
        kwargs={"autocommit": autocommit},
    )


async def _tables(url: str) -> None:
    while True:
        try:
            await asyncio.to_thread(schema.ensure, url)
        except (psycopg.Error, OSError) as why:
            log.warning("waiting_for_postgres", why=repr(why), again_in_s=TRY_AGAIN_S)
            await asyncio.sleep(TRY_AGAIN_S)
        else:
            return


async def _partitions(bootstrap: str, prefix: str) -> int:
    while True:
        try:
            return await partitions_of(bootstrap, prefix + COMMANDS.name)
        except (KafkaError, TopicError, OSError, TimeoutError) as why:
            log.warning("waiting_for_kafka", why=repr(why), again_in_s=TRY_AGAIN_S)
            await asyncio.sleep(TRY_AGAIN_S)
