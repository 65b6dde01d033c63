"""`scrip gateway`: run the HTTP face, write its OpenAPI document, make and revoke keys."""

import sys
from typing import Annotated

import typer

app = typer.Typer(help="The HTTP face of the ledger.", no_args_is_help=True)
keys_app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)
people_app = typer.Typer(help="Say who is staff.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(people_app, name="people")

_DAY_MS = 86_400_000


@app.command()
def run() -> None:
    """Serve HTTP until SIGTERM. Settings come from SCRIP_* variables."""
    from gateway import main
    from gateway.settings import SettingsError, from_env

    try:
        main.run(from_env())
    except SettingsError as wrong:
        print(f"scrip gateway: {wrong}", file=sys.stderr)
        raise typer.Exit(2) from None
    except main.PartitionsDiffer as wrong:
        print(f"scrip gateway: {main.PartitionsDiffer.__doc__} {wrong}", file=sys.stderr)
        raise typer.Exit(5) from None


@app.command()
def openapi(
    out: Annotated[str, typer.Option(help="The file to write.")] = "contracts/openapi.json",
) -> None:
    """Write the OpenAPI document of the HTTP API."""
    import asyncio
    from pathlib import Path

    from gateway import documenting

    Path(out).write_bytes(asyncio.run(documenting.written()))
    print(f"wrote {out}")


@keys_app.command("make")
def make(
    scopes: Annotated[str, typer.Option(help="Of read, spend, grant, admin; with commas.")],
    account: Annotated[str, typer.Option(help="The only account it works for.")] = "",
    label: Annotated[str, typer.Option(help="To recognise it in the list.")] = "",
    days: Annotated[int, typer.Option(help="Until it expires; 0: never.")] = 0,
) -> None:
    """Make a key and print it, this once. Without --account it works for every account."""
    import asyncio

    from gateway import keys, keystore

    url, env = _place()
    try:
        wanted = frozenset(keys.Scope(scope.strip()) for scope in scopes.split(","))
    except ValueError as wrong:
        raise typer.BadParameter(f"{wrong}; use read, spend, grant, admin") from None
    now = keystore.now_ms()
    key_id, text = keys.make(env)
    asyncio.run(keystore.ensure_schema(url))
    keystore.add(
        url,
        keys.Key(
            id=key_id,
            sha256=keys.sha256(text),
            scopes=wanted,
            account=account or None,
            label=label,
            created_at=now,
            expires_at=now + days * _DAY_MS if days else None,
        ),
    )
    print(text)


@keys_app.command("list")
def list_keys() -> None:
    """Show every key but its secret."""
    from gateway import keystore
    from gateway.moments import moment

    url, _ = _place()
    now = keystore.now_ms()
    for key in keystore.all_keys(url):
        state = "usable" if key.usable(now) else "revoked" if key.revoked_at else "expired"
        scopes = ",".join(sorted(key.scopes))
        made = moment(key.created_at).isoformat(timespec="seconds")
        print(
            f"{key.id}  {state:8} {key.account or '(any account)'}  {scopes}  {made}  {key.label}"
        )


@keys_app.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(help="The id, as `list` shows it.")]) -> None:
    """End a key; it is refused everywhere within five seconds."""
    from gateway import keystore

    url, _ = _place()
    try:
        keystore.revoke(url, key_id, keystore.now_ms())
    except keystore.KeyUnknown:
        print(f"There is no key {key_id}; `scrip gateway keys list` shows them.", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"{key_id} is revoked")


@people_app.command("role")
def role(
    email: Annotated[str, typer.Argument(help="Of somebody who has signed in before.")],
    role: Annotated[str, typer.Argument(help="owner, admin, support or read_only.")],
    by: Annotated[str, typer.Option(help="Who gives it; else whoever runs this.")] = "",
) -> None:
    """Give a person a role, for the record; their sessions end: it holds from the next sign-in."""
    import getpass

    from gateway import keystore, people

    url, _ = _place()
    try:
        wanted = people.Role(role)
        who = by.strip() or getpass.getuser()
        people.give_role(url, email.strip().lower(), wanted, who, keystore.now_ms())
    except ValueError:
        raise typer.BadParameter("use owner, admin, support or read_only") from None
    except people.PersonUnknown:
        print("Nobody has signed in with this address yet.", file=sys.stderr)
        raise typer.Exit(4) from None
    print(f"{role} from the next sign-in on")


@people_app.command("roles")
def roles() -> None:
    """Show every time that somebody was given a role, and by whom; oldest first."""
    from gateway import people
    from gateway.moments import moment

    url, _ = _place()
    for given in people.roles_given(url):
        at = moment(given.at).isoformat(timespec="seconds")
        print(f"{at}  {given.person}  {given.was} -> {given.role}  by {given.given_by}")


def _place() -> tuple[str, str]:
    import os

    url = os.environ.get("SCRIP_POSTGRES_URL", "")
    if not url:
        print("scrip gateway: set SCRIP_POSTGRES_URL to where the keys are kept", file=sys.stderr)
        raise typer.Exit(2)
    return url, os.environ.get("SCRIP_ENV", "production")
