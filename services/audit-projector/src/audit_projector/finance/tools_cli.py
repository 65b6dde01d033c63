"""`scrip tools calibration`: what runs cost against what was estimated, from the read models."""

from typing import Annotated

import typer

app = typer.Typer(
    help="The tools that are sold, looked at from their charges.", no_args_is_help=True
)


@app.callback()
def tools() -> None:
    """The tools that are sold, looked at from their charges."""


@app.command()
def calibration(
    since_ms: Annotated[int, typer.Option(help="runs held since, ms since the epoch")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON array")] = False,
) -> None:
    """Charges between min and max, and how far typical was off, for each tool and basis."""
    import msgspec
    import psycopg

    from audit_projector import exits
    from audit_projector.finance import calibration as calibrating
    from audit_projector.settings import from_environment

    with (
        exits.explained("scrip tools calibration"),
        psycopg.connect(from_environment().postgres_url) as connection,
    ):
        found = calibrating.calibration(connection, since_ms)
        print(msgspec.json.encode(found).decode() if as_json else calibrating.table(found))
