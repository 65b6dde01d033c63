"""Two auditors of one log: what both came to must be the same."""

from collections.abc import Iterable

from tests.simulation.auditor import Anomaly, Auditor
from tests.simulation.books import audit


def compare(auditors: Iterable[Auditor]) -> None:
    """Let the second one read each log; raises Anomaly."""
    for auditor in auditors:
        part = auditor.part
        try:
            books = audit([record.value for record in part.events[: part.high]])
        except AssertionError as wrong:
            raise Anomaly(f"BOOKS p{part.number}: {wrong}") from wrong
        told = {n: (b.version, sum(b.lots.values()), b.sums["spent"]) for n, b in books.items()}
        known = {n: (a.version, a.available, a.spent) for n, a in auditor.accounts.items()}
        if told != known:
            raise Anomaly(f"BOOKS p{part.number}: {told}, the ledger has {known}")
