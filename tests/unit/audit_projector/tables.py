"""Read models as plain dictionaries: batches are applied as `statements` applies them."""

from collections.abc import Mapping
from typing import Any

from audit_projector.costs import counted_as
from audit_projector.fold import Batch, fold
from audit_projector.intake import Taken
from msgspec import Struct, structs


class Tables:
    """Lots, reservations, sums and usage after some batches."""

    def __init__(self) -> None:
        self.lots: dict[Any, Any] = {}
        self.reservations: dict[Any, Any] = {}
        self.sums: dict[Any, Any] = {}
        self.usage: dict[Any, Any] = {}
        self.controls: dict[Any, Any] = {}
        self.plans: dict[Any, Any] = {}
        self.freezes: dict[Any, Any] = {}
        self.transfers: dict[Any, Any] = {}
        self.upcoming: dict[Any, Any] = {}
        self.newest: dict[Any, Any] = {}
        self.priced: dict[Any, Any] = {}
        self.costs: dict[Any, Any] = {}
        self.entries = 0

    def apply(self, records: list[Taken]) -> None:
        batch = Batch({})
        fold(batch, records)
        touched = batch.touched
        self.entries += len(batch.entries)
        for account, (_, _, event) in batch.newest.items():
            assert event.balance is not None
            self.newest[account] = event.version, structs.astuple(event.balance)
        for key, lot in touched.lots.items():
            assert key not in self.lots
            self.lots[key] = [lot.amount, lot.available, lot.held, lot.expires_at_ms]
        for key, moved in touched.lot_changes.items():
            row = self.lots[key]
            row[1] += moved.available
            row[2] += moved.held
            row[3] = moved.expires_at_ms or row[3]
        for key, new in touched.reservations.items():
            assert key not in self.reservations
            self.priced[key] = new.made.tool, new.made.price_version
            self.reservations[key] = [
                *(new.status, new.outcome, new.amount, new.held, new.charged),
                *(new.released, new.refunded, new.ended_at_ms, new.last_version),
            ]
        for key, change in touched.reservation_changes.items():
            row = self.reservations[key]
            row[0], row[1] = change.status or row[0], change.outcome or row[1]
            sums = (change.amount, change.held, change.charged, change.released, change.refunded)
            row[2:7] = [old + more for old, more in zip(row[2:7], sums, strict=True)]
            row[7], row[8] = change.ended_at_ms or row[7], change.last_version
        for run in touched.completed:
            cost = *self.priced[run], counted_as(self.reservations[run][4])
            self.costs[cost] = (self.costs.get(cost, (0,))[0] + 1,)
        _add(self.sums, touched.sums)
        _add(self.usage, touched.usages)
        self.controls |= {name: raw for name, (raw, *_) in touched.controls.items()}
        self.plans |= touched.plans
        self.freezes |= touched.freezes
        for sent in touched.transfers:
            assert (sent.account, sent.transfer) not in self.transfers
            self.transfers[sent.account, sent.transfer] = [sent.to, sent.amount, sent.at, None]
        for ended in touched.settled:
            self.transfers[ended.account, ended.transfer][3] = ended.returned
        for key, (coming, left) in touched.upcoming.items():
            assert key not in self.upcoming
            self.upcoming[key] = left, coming.effective_from, coming.expires_at
        for key, left in touched.upcoming_left.items():
            self.upcoming[key] = left, *self.upcoming[key][1:]


def _add(table: dict[Any, Any], changes: Mapping[Any, Struct]) -> None:
    for key, sums in changes.items():
        more = structs.astuple(sums)
        old = table.get(key, (0,) * len(more))
        table[key] = tuple(map(sum, zip(old, more, strict=True)))
