"""The gateway as a process: everything is built here, in plain sight, and closed in reverse."""

import asyncio
import gc
from collections.abc import Coroutine
from functools import partial

import psycopg
import structlog
import uvloop
from aiokafka.errors import KafkaError
from bus.outbox import Outbox
from bus.stream import Counted
from bus.topics import TopicError, partitions_of
from contracts.catalogue import served
from contracts.topics import COMMANDS, EVENTS, RUN_DISPATCH

from gateway import app, board, giftroutes, identity, keystore, logs, referralroutes
from gateway.dispatch import Dispatch
from gateway.flight import Bounds, Flight
from gateway.identity import Identity
from gateway.inbox import Inbox
from gateway.keyring import KeyRing
from gateway.listening import Listener
from gateway.live import Live
from gateway.mail import Mail
from gateway.metrics import Metrics
from gateway.noticemail import NoticeMail
from gateway.passing import Passing
from gateway.process import Process
from gateway.readmodels import ReadModels
from gateway.requests import Requests
from gateway.results import ResultsListener
from gateway.settings import Settings
from gateway.tallies import tallies_of
from gateway.teams import Teams
from gateway.vigil import Vigil
from gateway.vouching import Vouching
from gateway.waiting import Bridge
from gateway.watching import RunWatch

log = structlog.get_logger(__name__)

TRY_AGAIN_S = 1.0  # while Kafka or Postgres is not there yet


class PartitionsDiffer(RuntimeError):
    """Commands and events have different numbers of partitions: create the topics as they were."""


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    logs.configure()
    gc.set_threshold(50_000, 50, 100)  # requests make no cycles; look for them rarely
    uvloop.run(serve(settings))


async def serve(settings: Settings) -> None:
    """Serve until told to stop; raises what must not be survived."""
    prefix, bootstrap = settings.topic_prefix, settings.kafka_bootstrap
    partitions, run_partitions = await _partitions(bootstrap, prefix)
    outbox, models = Outbox(bootstrap), ReadModels(settings.postgres_url)
    tallies = tallies_of(people := Identity(settings.postgres_url), settings.rate_limits)
    payments = Passing(settings.payments_url, Vouching(settings.identity_key))
    metrics, watch, ring = Metrics(), RunWatch(), KeyRing(settings.env, models.keys)

    def hand(batch: list[Counted], at: float) -> None:
        bridge.counted(batch, at)
        watch.counted(batch)
        live.counted(batch)

    listener = Listener(bootstrap, prefix, hand)
    live = Live(partitions, listener, metrics)
    put = partial(outbox.put, prefix + COMMANDS.name)
    bridge = Bridge(put, Flight(partitions, Bounds(), listener.heard), settings.answer_wait_ms)
    dispatch = Dispatch(outbox, prefix, run_partitions, served(settings.env))
    parts = app.Parts(
        settings=settings,
        bridge=bridge,
        dispatch=dispatch,
        watch=watch,
        models=models,
        identity=people,
        ring=ring,
        metrics=metrics,
        passing=payments,
        mail=Mail(settings.smtp_url, settings.mail_from),
        tallies=tallies,
        live=live,
        listener=listener,
        outbox=outbox,
        provider=app.provider_of(settings),
    )
    hot, _ = app.application(parts)
    board.show(metrics, bridge, listener, outbox, watch)
    board.serve(metrics, settings.host, settings.metrics_port)
    try:
        await Process(hot, settings.host, settings.http_port, live).run(
            listener.run(),
            ResultsListener(bootstrap, prefix, watch).run(),
            _requests(parts, outbox, run_partitions).run(),
            bridge.keep_sweeping(),
            tallies.keep(),
            giftroutes.keep_returning(app.gifts_of(parts)),
            referralroutes.keep_giving(app.referrals_of(parts)),
            *_notices(parts),
            Vigil(live, app.sessions_of(settings, people), Teams(people), ring).keep(),
            _tables(settings.postgres_url, models, people, ring),
        )
    finally:
        asked = () if parts.provider is None else (parts.provider.close,)
        for closing in (*asked, payments.close, models.close, people.close, outbox.stop):
            await closing()


def _notices(parts: app.Parts) -> tuple[Coroutine[None, None, None], ...]:
    """What owners are told: onto their lists, and by mail to those who chose it."""
    settings, desk, metrics = parts.settings, app.notices_of(parts), parts.metrics
    taking = Inbox(settings.kafka_bootstrap, settings.topic_prefix, desk, metrics)
    mails = NoticeMail(parts.identity, desk.listed, parts.mail, settings.public_url, metrics)
    return taking.run(), mails.keep()


def _requests(parts: app.Parts, outbox: Outbox, partitions: int) -> Requests:
    """Runs that internal services ask for over Kafka."""
    return Requests(
        parts.settings.kafka_bootstrap,
        parts.settings.topic_prefix,
        bridge=parts.bridge,
        dispatch=parts.dispatch,
        outbox=outbox,
        metrics=parts.metrics,
        partitions=partitions,
    )


async def _partitions(bootstrap: str, prefix: str) -> tuple[int, int]:
    """How many partitions the ledger's topics and the dispatch have; waits until they exist."""
    while True:
        try:
            commands = await partitions_of(bootstrap, prefix + COMMANDS.name)
            events = await partitions_of(bootstrap, prefix + EVENTS.name)
            dispatch = await partitions_of(bootstrap, prefix + RUN_DISPATCH.name)
        except (KafkaError, TopicError, OSError, TimeoutError) as why:
            log.warning("waiting_for_kafka", why=repr(why), again_in_s=TRY_AGAIN_S)
            await asyncio.sleep(TRY_AGAIN_S)
            continue
        if commands != events:
            raise PartitionsDiffer(f"{COMMANDS.name}: {commands}, {EVENTS.name}: {events}")
        return commands, dispatch


async def _tables(url: str, models: ReadModels, people: Identity, ring: KeyRing) -> None:
    """Make the gateway's tables as soon as Postgres is there, then keep the keys fresh."""
    while True:
        try:
            await keystore.ensure_schema(url)
            await identity.ensure_schema(url)
        except (psycopg.Error, OSError) as why:
            log.warning("waiting_for_postgres", why=repr(why), again_in_s=TRY_AGAIN_S)
            await asyncio.sleep(TRY_AGAIN_S)
        else:
            break
    await models.open()
    await people.open()
    await ring.keep_fresh()
