"""The reconciler: compare the three pictures, put right what looking again can, report the rest.

Safe repairs only: what Stripe has and we have not heard of is looked at as if its webhook had come,
and a lot that does not stand still as its payment says is stopped or thawed by asking again.
Nothing is granted, revoked or refunded by any other way than the ordinary one.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog
from contracts.units import DAY, Ms
from msgspec import Struct

from payments import aftermath, mending
from payments.books import Books
from payments.clock import now_ms
from payments.comparing import Finding, State, compare
from payments.handling import Handling, NotYet
from payments.index import Index
from payments.metrics import Metrics
from payments.picture import LedgerPicture, Pictures, take
from payments.purchase import Purchase
from payments.till import Till, TillDown, TillRefused

WINDOW_MS = 35 * DAY  # Stripe's event list reaches back 30; a month end and its disputes fit
EVERY_S = 3_600.0
REPORTS_KEPT = 24 * 35  # as many hours as the window has

_Object = TypeVar("_Object")

log = structlog.get_logger(__name__)


class Report(Struct, rename="camel"):
    """What one reconciliation found. `differences` lists what is neither matched nor timing."""

    at: str
    window_start: str
    counts: dict[str, int]
    repaired: int
    differences: list[Finding]

    @property
    def clean(self) -> bool:
        """Whether nothing is left for a person."""
        return all(one.repaired for one in self.differences)


class Reconciler:
    """Compares and repairs. `ledger` gives the ledger's picture since a moment."""

    def __init__(
        self,
        *,
        books: Books,
        index: Index,
        till: Till,
        handling: Handling,
        ledger: Callable[[Ms], LedgerPicture],
    ) -> None:
        self._books = books
        self._index = index
        self._till = till
        self._handling = handling
        self._ledger = ledger

    def run(self, now: Ms, *, repair: bool, window_ms: Ms = WINDOW_MS) -> Report:
        """One reconciliation; raises TillDown when Stripe cannot be asked."""
        start = now - window_ms
        pictures = take(self._till, self._index, self._ledger(start), start)
        books = self._books.purchase
        findings = [*compare(pictures, books, now), *aftermath.compare(pictures, books, now)]
        repaired = self._repair(pictures, findings) if repair else 0
        counts = Counter(f"{one.what}:{one.state}" for one in findings)
        quiet = {State.MATCHED, State.TIMING}
        return Report(
            at=_moment(now),
            window_start=_moment(start),
            counts=dict(sorted(counts.items())),
            repaired=repaired,
            differences=[one for one in findings if one.state not in quiet],
        )

    def _repair(self, pictures: Pictures, findings: Sequence[Finding]) -> int:
        """Look again at everything that Stripe has and our books lack, however young it is."""
        open_orders = [x for x in pictures.orders if x.state == "initiated" and x.session]
        ended = {x.id for x in pictures.stripe.sessions if x.status == "expired"}
        for order in open_orders:
            if order.session in ended:
                _look(self._handling.fulfil, order.session)
        for warning in pictures.stripe.warnings:
            _look(self._handling.look_at_warning, warning)
        disputes = {x.id: x for x in pictures.stripe.disputes}
        refunds = {x.id: x.payment_intent for x in pictures.stripe.refunds}
        done = 0
        for one in findings:
            if one.what == aftermath.STOP and one.state is not State.TIMING:
                one.repaired = self._asked_again(one)
                done += one.repaired
            if one.state not in {State.MISSING_HERE, State.TIMING}:
                continue
            if one.what == "payment":
                one.repaired = _look(self._handling.look_at_intent, one.name)
            elif one.what == "refund" and one.name in refunds:
                one.repaired = _look(self._handling.look_at_refunds, refunds[one.name])
            elif one.what == "dispute" and one.name in disputes:
                one.repaired = _look(self._handling.look_at_dispute, disputes[one.name])
            else:
                continue
            done += one.repaired
        return done

    def _asked_again(self, found: Finding) -> bool:
        """Whether the ledger is asked again to stop a lot, or to let it go."""

        def rule(purchase: Purchase) -> bool:
            kind = aftermath.lacking(found, purchase)
            return kind is not None and mending.ask_again(purchase, kind, found.name)

        return self._books.change(found.detail, rule)


class Hourly:
    """Reconciles every hour until cancelled; writes the report and the metrics."""

    def __init__(
        self,
        reconciler: Reconciler,
        folder: Path,
        metrics: Metrics,
        changed: Callable[[], None],
    ) -> None:
        self._reconciler = reconciler
        self._folder = folder
        self._metrics = metrics
        self._changed = changed

    async def run(self) -> None:
        """For ever; raises what the database raises."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                report = await asyncio.to_thread(self._reconciler.run, now_ms(), repair=True)
            except TillDown as why:
                log.warning("reconciliation_put_off", why=str(why))
                continue
            self._changed()
            await asyncio.to_thread(write, report, self._folder)
            for name, number in report.counts.items():
                self._metrics.reconciled.labels(*name.split(":")).set(number)
            self._metrics.reconciled_at.set_to_current_time()
            log.info("reconciled", counts=report.counts, repaired=report.repaired)


def write(report: Report, folder: Path) -> Path:
    """Keep a report as a file; the oldest go."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"stripe-{report.at.replace(':', '')}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    for old in sorted(folder.glob("stripe-*.json"))[:-REPORTS_KEPT]:
        old.unlink()
    return file


def _look(look: Callable[[_Object], object], at: _Object) -> bool:
    try:
        look(at)
    except (NotYet, TillRefused) as why:
        log.warning("reconciliation_cannot_repair", why=str(why))
        return False
    return True


def _moment(instant: Ms) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="milliseconds")
