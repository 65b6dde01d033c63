"""`scrip audit-projector`: run it, migrate its schema, rebuild the read models, ask how it stands.

Exit codes: 0 ok · 1 halted or failed · 2 usage · 5 refused · 6 a dependency is down.
"""

import sys
from typing import Annotated

import typer

app = typer.Typer(
    help="Read models and the compliance log, from the log of events.", no_args_is_help=True
)

_ALL = ("read-models", "audit-log")


@app.command()
def run(
    only: Annotated[
        str, typer.Option(help="read-models or audit-log: keep just one in this process")
    ] = "",
) -> None:
    """Keep the read models and the compliance log up with the log, until SIGTERM."""
    from audit_projector import exits, main
    from audit_projector.settings import from_environment

    if only and only not in _ALL:
        raise typer.BadParameter(f"--only must be one of {', '.join(_ALL)}")
    with exits.explained("scrip audit-projector"):
        settings = from_environment()
        if not main.run(settings, frozenset({only} if only else _ALL)):
            raise typer.Exit(exits.FAILURE)


@app.command()
def migrate() -> None:
    """Bring the read models' schema and its roles to the newest form; safe to repeat."""
    from audit_projector import exits, migrating
    from audit_projector.settings import from_environment

    with exits.explained("scrip audit-projector"):
        migrating.migrate(from_environment().postgres_url)
    print("read models: schema is up to date", file=sys.stderr)


@app.command()
def rebuild() -> None:
    """Make the read models anew from offset 0 beside the old ones, then swap them in at once."""
    from audit_projector import exits, rebuilding
    from audit_projector.settings import from_environment

    with exits.explained("scrip audit-projector"):
        settings = from_environment()
        print(rebuilding.rebuild(settings))


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """How far the read models and the compliance log are, per partition."""
    import asyncio

    from audit_projector import exits, standing
    from audit_projector.settings import from_environment

    with exits.explained("scrip audit-projector"):
        print(standing.shown(asyncio.run(standing.standing(from_environment())), as_json=as_json))


@app.command()
def restore(
    replicated: Annotated[
        bool, typer.Option(help="a cluster of three or more brokers, not a single one")
    ] = False,
) -> None:
    """Write the topic of events again from the compliance log; only where the topic is empty."""
    import asyncio

    from audit_projector import exits, restoring
    from audit_projector.settings import from_environment

    with exits.explained("scrip audit-projector"):
        try:
            found = asyncio.run(restoring.restore(from_environment(), single_broker=not replicated))
        except restoring.RestoreRefused as no:
            print(f"scrip audit-projector: {no}", file=sys.stderr)
            raise typer.Exit(exits.REFUSED) from None
        for partition, records in found.items():
            print(f"partition {partition}: {records} records")
