"""`scrip notifier`: tell owners what happened.

Exit codes: 0 told to stop · 1 halted at what it cannot read · 2 a setting is wrong · 6 no Kafka.
"""

import typer

app = typer.Typer(no_args_is_help=True, help="Tells owners what happened to their credits.")


@app.callback()
def _notifier() -> None:
    """Tells owners what happened to their credits."""


@app.command()
def run() -> None:
    """Read the events and write notifications, until SIGTERM. Settings are SCRIP_* variables."""
    from notifier.main import main

    main()
