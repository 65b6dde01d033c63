"""`scrip payments`: run it, make its tables, decide what waits in quarantine.

Exit codes: 0 ok · 1 failed · 2 usage · 4 not found · 6 a dependency is down.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

app = typer.Typer(help="Money in: purchases, refunds, disputes.", no_args_is_help=True)
quarantine = typer.Typer(help="What did not fit and waits for a person.", no_args_is_help=True)
app.add_typer(quarantine, name="quarantine")

Name = Annotated[str, typer.Argument(help="A purchase, a command or a webhook's event, by `list`.")]


@app.command()
def run() -> None:
    """Serve HTTP, handle webhooks and relay to the ledger until SIGTERM."""
    from payments import main

    with _explained():
        from payments.settings import from_env

        main.run(from_env())


@app.command()
def migrate() -> None:
    """Make payments' tables and the event store's; safe to repeat."""
    from payments import schema
    from payments.books import Books
    from payments.settings import from_env

    with _explained():
        url = from_env().postgres_url
        schema.ensure(url)
        Books.open(url).close()
    print("payments: tables are up to date", file=sys.stderr)


@quarantine.command("list")
def list_held(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Show everything that waits, oldest first."""
    import msgspec

    from payments import deciding

    with _explained():
        held = deciding.held()
    for one in held:
        if as_json:
            print(msgspec.json.encode(one).decode())
        else:
            print(f"{one.what:9} {one.name}  {one.account or '-'}  {one.why}")
    if not held and not as_json:
        print("nothing is in quarantine", file=sys.stderr)


@quarantine.command("release")
def release(name: Name) -> None:
    """A purchase grants what was ordered; a refused command or a webhook is tried once more."""
    _decide(name, release=True)


@quarantine.command("reject")
def reject(name: Name) -> None:
    """It grants nothing, now or ever; what the ledger refused stays undone."""
    _decide(name, release=False)


def _decide(name: str, *, release: bool) -> None:
    from payments import deciding

    with _explained():
        decided = deciding.decide(name, release=release)
    if not decided:
        print(f"{name} is not in quarantine; `quarantine list` shows what is", file=sys.stderr)
        raise typer.Exit(4)
    print(f"{name} is {'released' if release else 'rejected'}")


@contextmanager
def _explained() -> Iterator[None]:
    import psycopg
    from aiokafka.errors import KafkaError

    from payments.settings import SettingsError

    try:
        yield
    except SettingsError as wrong:
        print(f"scrip payments: {wrong}", file=sys.stderr)
        raise typer.Exit(2) from None
    except (psycopg.Error, KafkaError, OSError) as away:
        print(f"scrip payments: {away}", file=sys.stderr)
        raise typer.Exit(6) from None
