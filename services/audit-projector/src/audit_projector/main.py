"""The audit-projector: read models and compliance log, each at its own pace.

They share nothing: one that is interrupted begins again where it stands, one that is halted stays
so and is told about, while the other goes on. Together they run as two processes.
"""

import asyncio
import signal
from collections.abc import Coroutine

import psycopg
import structlog
import uvloop

from audit_projector import auditlog, project, publishing
from audit_projector.beside import keep_beside
from audit_projector.metrics import Metrics
from audit_projector.schema import SCHEMA, require_migrated
from audit_projector.settings import Settings
from audit_projector.tuning import tune
from audit_projector.watching import Watch

log = structlog.get_logger(__name__)


def run(settings: Settings, projections: frozenset[str]) -> bool:
    """Serve until SIGTERM or SIGINT; false when a projection halted. Raises NotMigrated."""
    if project.NAME in projections:
        try:
            require_migrated(settings.postgres_url)
        except psycopg.OperationalError as away:
            log.warning("postgres_away", why=str(away))  # may come later; the log needs none
    tune()
    return uvloop.run(_until_told(settings, projections))


async def _until_told(settings: Settings, projections: frozenset[str]) -> bool:
    metrics = Metrics(settings.metrics_port)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    tasks, beside = [], []
    if project.NAME in projections:
        models = project.project(
            settings.bootstrap, settings.postgres_url, settings.prefix, metrics, schema=SCHEMA
        )
        tasks.append(asyncio.create_task(_told_of(models)))
        beside.append(asyncio.create_task(publishing.publish(settings)))
        watch = Watch(settings.postgres_url, settings.audit_folder, metrics.invariants)
        beside.append(asyncio.create_task(watch.run()))
    if projections == {auditlog.NAME}:
        tasks.append(asyncio.create_task(_told_of(auditlog.keep(settings, metrics))))
    elif auditlog.NAME in projections:
        tasks.append(asyncio.create_task(_told_of(keep_beside(metrics))))
    stop = asyncio.create_task(_cancel(tasks, told))
    await asyncio.wait(tasks)
    stop.cancel()
    for task in beside:  # what is published follows the read models, and ends with them
        task.cancel()
        await asyncio.wait({task})
    return told.is_set()


async def _cancel(tasks: list[asyncio.Task[None]], told: asyncio.Event) -> None:
    await told.wait()
    for task in tasks:
        task.cancel()


async def _told_of(projection: Coroutine[None, None, None]) -> None:
    try:
        await projection
    except project.Halted as why:
        log.error("projection_halted", why=str(why))  # noqa: TRY400 - the message says it all
