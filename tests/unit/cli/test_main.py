"""The root command line: lists what is there, survives what is broken, hands over all else."""

from importlib.metadata import EntryPoint, version

import pytest
import typer
from cli.main import GROUP, build
from typer.testing import CliRunner


def _verb(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


def _invoke(*argv: str, verbs: list[EntryPoint]) -> tuple[int, str]:
    result = CliRunner().invoke(build(verbs), list(argv))
    return result.exit_code, result.output


def greeting() -> typer.Typer:
    app = typer.Typer()

    @app.command()
    def hello(name: str, *, loud: bool = False) -> None:
        typer.echo(f"hello {name.upper() if loud else name}")
        raise typer.Exit(7)

    return app


greet = greeting()
WORKING = _verb("greet", f"{__name__}:greet")
BROKEN = _verb("broken", "no_such_package.cli:app")


def test_a_verb_gets_everything_that_follows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EntryPoint, "load", lambda _: greet)
    assert _invoke("greet", "--loud", "ada", verbs=[WORKING]) == (7, "hello ADA\n")
    code, text = _invoke("greet", "--help", verbs=[WORKING])
    assert code == 0
    assert "--loud" in text


def test_help_lists_a_broken_verb_too() -> None:
    code, text = _invoke("--help", verbs=[WORKING, BROKEN])
    assert code == 0
    assert "greet" in text
    assert "broken" in text


def test_a_broken_verb_says_which_and_why() -> None:
    code, text = _invoke("broken", "run", verbs=[WORKING, BROKEN])
    assert code == 1
    assert "scrip broken: no_such_package.cli:app cannot be loaded: ModuleNotFoundError" in text


def test_version() -> None:
    assert _invoke("--version", verbs=[WORKING, BROKEN]) == (0, version("scrip-contracts") + "\n")
