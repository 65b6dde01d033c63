"""`scrip ledger`: run the single writer."""

import sys

import typer

app = typer.Typer(help="The single writer that decides every credit command.", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """Keep `run` a verb of its own."""


@app.command()
def run() -> None:
    """Own and serve what the group assigns, until SIGTERM. Settings come from SCRIP_* variables."""
    from aiokafka.errors import KafkaError
    from bus.topics import TopicError

    from ledger import main
    from ledger.partition import PartitionCountError
    from ledger.settings import SettingsError, from_environment

    try:
        main.run(from_environment())
    except SettingsError as wrong:
        print(f"scrip ledger: {wrong}", file=sys.stderr)
        raise typer.Exit(2) from None
    except (PartitionCountError, TopicError) as wrong:
        print(f"scrip ledger: {wrong}", file=sys.stderr)
        raise typer.Exit(5) from None
    except KafkaError as down:
        print(f"scrip ledger: Kafka cannot be reached: {down}; is it up?", file=sys.stderr)
        raise typer.Exit(6) from None
