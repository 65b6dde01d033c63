"""`scrip replay`, `scrip verify`, `scrip explain`: finance's verbs.

Data on stdout, progress on stderr. Exit codes: 0 ok · 1 failure · 2 usage · 3 a verification found
a difference · 4 not found · 6 a dependency is down.
"""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

replay = typer.Typer(help="Balances of all accounts at any time, from the events alone.")
verify = typer.Typer(help="Events against read models against the compliance log.")
explain = typer.Typer(help="The events that sum up to the number shown.")

_Json = Annotated[bool, typer.Option("--json", help="one JSON object")]


@replay.command()
def replay_command(
    as_of: Annotated[
        str, typer.Option(help="RFC 3339, or ms since the epoch; the broker's time")
    ] = "",
    as_json: _Json = False,
) -> None:
    """Fold every event since offset 0 and print each account's amounts, the totals and a hash."""
    import msgspec

    from audit_projector import exits
    from audit_projector.finance import replay as replaying
    from audit_projector.settings import log_from_environment

    with exits.explained("scrip replay"):
        log = log_from_environment()
        replayed = asyncio.run(
            replaying.replay(log.bootstrap, log.prefix, _instant(as_of), as_of or None)
        )
        print(msgspec.json.encode(replayed).decode() if as_json else replaying.table(replayed))
        if replayed.totals.difference:
            raise typer.Exit(exits.DIFFERENCE)


@verify.command()
def verify_command(
    wait: Annotated[
        float, typer.Option(help="seconds that the projections may take to catch up")
    ] = 60.0,
    as_json: _Json = False,
) -> None:
    """Compare everything; exits with 3 and names the first differences if anything differs."""
    import msgspec

    from audit_projector import exits
    from audit_projector.finance import verify as verifying
    from audit_projector.settings import from_environment

    with exits.explained("scrip verify"):
        verified = asyncio.run(verifying.verify(from_environment(), wait))
        print(msgspec.json.encode(verified).decode() if as_json else verifying.told(verified))
        if verified.differences:
            raise typer.Exit(exits.DIFFERENCE)


@explain.command()
def explain_command(
    account: Annotated[str, typer.Argument(help="the account's id")],
    part: Annotated[str, typer.Option(help="available, held or spent")] = "available",
    as_json: _Json = False,
) -> None:
    """Print the fewest events, in order, whose sum is the account's number."""
    import msgspec

    from audit_projector import exits
    from audit_projector.finance import explain as explaining
    from audit_projector.settings import log_from_environment

    if part not in explaining.PARTS:
        raise typer.BadParameter(f"--part must be one of {', '.join(explaining.PARTS)}")
    with exits.explained("scrip explain"):
        log = log_from_environment()
        try:
            found = asyncio.run(explaining.explain(log.bootstrap, log.prefix, account, part))
        except explaining.UnknownAccount as unknown:
            print(f"scrip explain: {unknown}", file=sys.stderr)
            raise typer.Exit(exits.NOT_FOUND) from None
        print(msgspec.json.encode(found).decode() if as_json else explaining.told(found))


def _instant(asked: str) -> int | None:
    """Milliseconds since the epoch; an instant without a zone is UTC."""
    if not asked:
        return None
    if asked.isdecimal():
        return int(asked)
    try:
        when = datetime.fromisoformat(asked)
    except ValueError:
        raise typer.BadParameter("--as-of must be RFC 3339 or ms since the epoch") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return round(when.timestamp() * 1000)
