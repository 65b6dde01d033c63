"""`scrip reconcile stripe`: the three-way reconciliation, now.

Exit codes: 0 all matched or repaired · 3 differences that need a person · 6 a dependency is down.
"""

import sys
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from payments.reconciling import Report
    from payments.settings import Settings

app = typer.Typer(help="Our orders, Stripe's objects and the ledger, compared.")


@app.callback()
def root() -> None:
    """Compare what several parties say of the same money."""


@app.command()
def stripe(
    *,
    days: Annotated[int, typer.Option(min=1, max=400, help="How far back to look.")] = 35,
    repair: Annotated[bool, typer.Option(help="Look again at what was missed.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="The whole report.")] = False,
) -> None:
    """Compare payments, refunds, disputes, grants, balance movements and payouts."""
    import msgspec
    import psycopg

    from payments.reconciling import write
    from payments.settings import SettingsError, from_env
    from payments.till import TillDown

    try:
        settings = from_env()
        report = _reconciled(settings, days, repair=repair)
    except SettingsError as wrong:
        print(f"scrip reconcile: {wrong}", file=sys.stderr)
        raise typer.Exit(2) from None
    except (psycopg.Error, OSError, TillDown) as away:
        print(f"scrip reconcile: {away}", file=sys.stderr)
        raise typer.Exit(6) from None
    file = write(report, settings.state_dir / "reconciliation")
    shown = msgspec.json.encode(report)
    if as_json:
        print(shown.decode())
    else:
        for name, number in report.counts.items():
            print(f"{name:32} {number:8}")
        for one in report.differences:
            mark = "repaired" if one.repaired else "to be decided"
            print(f"  {one.what} {one.name}: {one.state} ({mark}) {one.detail}")
        digest = sha256(shown).hexdigest()
        print(f"reconciled: {report.repaired} repaired, report {file}, sha256 {digest}")
    if not report.clean:
        raise typer.Exit(3)


def _reconciled(settings: "Settings", days: int, *, repair: bool) -> "Report":
    import psycopg
    from contracts.units import DAY
    from psycopg_pool import ConnectionPool

    from payments.books import Books
    from payments.circuit import Circuits
    from payments.clock import now_ms
    from payments.handling import Handling
    from payments.index import Index
    from payments.picture import ledger_picture
    from payments.reconciling import Reconciler
    from payments.till import Till

    pool: ConnectionPool[psycopg.Connection[tuple[object, ...]]] = ConnectionPool(
        settings.postgres_url, min_size=1, max_size=2, timeout=5, open=True
    )
    with pool, Books.open(settings.postgres_url) as books:
        till = Till(settings.stripe_key, settings.stripe_api_base, Circuits(time.monotonic))
        index = Index(pool)
        handling = Handling(books, index, till, live=settings.live, freezes=settings.fraud_freezes)
        reconciler = Reconciler(
            books=books,
            index=index,
            till=till,
            handling=handling,
            ledger=lambda start: ledger_picture(pool, start),
        )
        return reconciler.run(now_ms(), repair=repair, window_ms=days * DAY)
