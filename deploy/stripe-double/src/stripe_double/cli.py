"""`scrip stripe-double`: the part of Stripe that payments uses, on this machine.

Exit codes: 0 ok · 2 usage.
"""

import sys

import typer

app = typer.Typer(help="Stripe on this machine, for demo and tests.", no_args_is_help=True)


@app.callback()
def root() -> None:
    """Stripe on this machine, for demo and tests."""


@app.command()
def run() -> None:
    """Serve the API and the hosted pages, and deliver events, until SIGTERM."""
    from stripe_double import main
    from stripe_double.settings import SettingsError, from_env

    try:
        settings = from_env()
    except SettingsError as wrong:
        print(f"scrip stripe-double: {wrong}", file=sys.stderr)
        raise typer.Exit(2) from None
    main.run(settings)
