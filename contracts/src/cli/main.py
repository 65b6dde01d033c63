"""`scrip`: one command line; every package brings its verbs as an entry point `scrip.commands`.

A package is imported only when its verb is called. One that cannot be imported is still listed,
says why when it is called, and spoils nothing else.
"""

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points, version
from typing import Annotated

import typer
from typer.main import get_command

GROUP = "scrip.commands"
# Whatever follows the verb belongs to the package, --help included.
PASS_ON = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
}


def main() -> None:
    """Run the command line of this process."""
    build(entry_points(group=GROUP))()


def build(verbs: Iterable[EntryPoint]) -> typer.Typer:
    """Give the root with a verb for each entry point, none of them imported yet."""
    root = typer.Typer(
        help="Scrip: a credit ledger for services that charge for tool runs.",
        no_args_is_help=True,
        add_completion=False,
    )
    root.callback()(_root)
    for verb in sorted(verbs, key=lambda x: x.name):
        root.command(
            verb.name, help=_summary(verb), context_settings=PASS_ON, add_help_option=False
        )(_handing_over(verb))
    return root


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(version("scrip-contracts"))
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say it and stop.")
]


def _root(*, version: Version = False) -> None:
    """Take the options that come before a verb."""


def _handing_over(verb: EntryPoint) -> Callable[[typer.Context], None]:
    def run(context: typer.Context) -> None:
        try:
            app = verb.load()
        except Exception as error:
            typer.echo(
                f"scrip {verb.name}: {verb.value} cannot be loaded: "
                f"{type(error).__name__}: {error}",
                err=True,
            )
            raise typer.Exit(1) from error
        get_command(app)(args=context.args, prog_name=f"scrip {verb.name}")

    return run


def _summary(verb: EntryPoint) -> str:
    return verb.dist.metadata["Summary"] if verb.dist is not None else verb.value
