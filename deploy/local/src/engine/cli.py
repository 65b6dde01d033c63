"""`scrip engine`: a whole Scrip on this machine, started, seen and stopped from one place."""

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import EngineError
from engine.local import DOWN, Engine
from engine.logs import show
from engine.places import HOST, local_dir
from engine.services import GATEWAY_PORT, PARTITIONS, services
from engine.supervision import Supervision

KAFKA_PORT = 19092
POSTGRES_PORT = 15432
KEEP_SECONDS = 2.0  # between two looks at the servers; a restart takes longer than that anyway

app = typer.Typer(help="Kafka, PostgreSQL and the services on this machine.", no_args_is_help=True)
State = Annotated[Path | None, typer.Option(help="Where state is kept; default .local/engine.")]


@app.command()
def up(*, detach: bool = False, state: State = None) -> None:
    """Start Kafka, PostgreSQL, topics and all services; follow the logs until Ctrl-C."""
    engine, supervision = _open(state)
    started = time.monotonic()
    ran_before = any(state != DOWN for state in engine.states().values())
    try:
        engine.start()
        if not supervision.running:
            _create_topics(engine.bootstrap, single_broker=engine.owns_kafka)
            supervision.start()
    except (EngineError, KeyboardInterrupt) as error:
        supervision.stop()
        if not ran_before:
            engine.stop()
        _fail(error)
    took = time.monotonic() - started
    typer.echo(f"ready after {took:.1f} s: http://{HOST}:{GATEWAY_PORT}")
    typer.echo(f"kafka {engine.bootstrap} · postgres {engine.postgres_url}")
    if detach:
        typer.echo("`make down` stops it; `.venv/bin/scrip engine logs` shows what it says")
        return
    files = [supervision.log(service.name) for service in services()]
    try:
        show(files, typer.echo, last=0, more=lambda: supervision.running)
    except KeyboardInterrupt:
        typer.echo("stopping")
    supervision.stop()
    engine.stop()


@app.command()
def down(*, state: State = None) -> None:
    """Stop what `up` started, in reverse order; nothing else is touched and state is kept."""
    engine, supervision = _open(state)
    try:
        supervision.stop()
        engine.stop()
    except EngineError as error:
        _fail(error)
    typer.echo("down")


@app.command()
def status(*, state: State = None) -> None:
    """Show each process; exit 1 unless all of them run."""
    engine, supervision = _open(state)
    rows = [(name, now, "") for name, now in engine.states().items()]
    for service in services():
        process = supervision.process_of(service.name)
        now = f"pid {process.pid}" if process.adopt() else DOWN
        rows.append((service.name, now, service.ready_url))
    for name, now, address in rows:
        typer.echo(f"{name:<16} {now:<14} {address}")
    if any(now == DOWN for _, now, _ in rows):
        raise typer.Exit(1)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="A service, kafka or postgres.")] = "",
    *,
    follow: bool = False,
    state: State = None,
) -> None:
    """Show the end of the logs: of one service, or of all."""
    folder = _folder(state)
    files = sorted([*folder.glob("logs/*.log"), *folder.glob("*/*.log")])
    chosen = sorted({file for file in files if not name or file.stem == name})
    if not chosen:
        _fail(EngineError(f"no log of {name or 'any service'} under {folder}; is it up?"))
    try:
        show(chosen, typer.echo, more=lambda: follow)
    except KeyboardInterrupt:
        typer.echo("")


@app.command(hidden=True)
def keep(*, state: State = None) -> None:
    """Bring Kafka and PostgreSQL back whenever they are gone. Run by the supervisor."""
    engine, _ = _open(state)
    while True:
        try:
            engine.start()
        except EngineError as error:
            typer.echo(f"keeper: {error}", err=True)
        time.sleep(KEEP_SECONDS)


def _open(state: Path | None) -> tuple[Engine, Supervision]:
    folder = _folder(state)
    engine = Engine(
        folder,
        kafka_port=int(os.environ.get("SCRIP_KAFKA_PORT", KAFKA_PORT)),
        postgres_port=int(os.environ.get("SCRIP_POSTGRES_PORT", POSTGRES_PORT)),
        keep=True,
    )
    supervision = Supervision(
        folder,
        services(),
        engine.bootstrap,
        engine.postgres_url,
        keeper=engine.owns_kafka or engine.owns_postgres,
    )
    return engine, supervision


def _folder(state: Path | None) -> Path:
    return (state or local_dir() / "engine").resolve()


def _create_topics(bootstrap: str, *, single_broker: bool) -> None:
    from aiokafka.errors import KafkaError
    from bus.topics import TopicError, ensure_topics

    try:
        asyncio.run(ensure_topics(bootstrap, partitions=PARTITIONS, single_broker=single_broker))
    except (TopicError, KafkaError, OSError, TimeoutError) as why:
        raise EngineError(
            f"Kafka at {bootstrap} did not create the topics: {why!r}. Is it a cluster with"
            " brokers up, and may we create topics there?"
        ) from why


def _fail(error: EngineError | KeyboardInterrupt) -> None:
    typer.echo(f"scrip engine: {str(error) or 'interrupted'}", err=True)
    raise typer.Exit(1)
