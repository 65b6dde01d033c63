"""A batch as COPY rows, one list per step of `statements`, in the order they must be applied."""

from struct import Struct as Packer

from contracts.codec import encode
from contracts.events import CreditsSent, TransferSettled
from contracts.header import Allowance

from audit_projector import coming
from audit_projector import statements as sql
from audit_projector.fold import Batch
from audit_projector.rows import (
    LotChange,
    NewLot,
    NewReservation,
    ReservationChange,
    Sums,
)
from audit_projector.wire import NULL, bigint, integer, jsonb, row, text

_NO_SUMS = Sums()
_RESERVATION_COLUMNS = 25
_reservation_head = Packer(">h" + 11 * "iq").pack


def packed(batch: Batch) -> list[tuple[sql.Step, list[bytes]]]:
    """The steps that have rows. New things come before changes of what was there."""
    touched = batch.touched
    steps = [
        (sql.ENTRIES, batch.entries),
        (sql.PARTITION_EVENTS, batch.others),
        (sql.BALANCES, _balances(batch)),
        (sql.NEW_LOTS, [_new_lot(*at, lot) for at, lot in touched.lots.items()]),
        (sql.LOTS, [_lot(*at, moved) for at, moved in touched.lot_changes.items()]),
        (
            sql.NEW_RESERVATIONS,
            [_new_reservation(*at, new) for at, new in touched.reservations.items()],
        ),
        (
            sql.RESERVATIONS,
            [_reservation(*at, moved) for at, moved in touched.reservation_changes.items()],
        ),
        (sql.TOOL_COSTS, [row(*map(text, run)) for run in touched.completed]),
        (
            sql.USAGE,
            [
                row(
                    text(account),
                    bigint(bucket),
                    text(tool),
                    bigint(used.runs),
                    bigint(used.completed),
                    bigint(used.failed),
                    bigint(used.charged),
                    bigint(used.refunded),
                )
                for (account, bucket, tool), used in touched.usages.items()
            ],
        ),
        (
            sql.CONTROLS,
            [
                row(text(account), jsonb(controls), bigint(version), bigint(at))
                for account, (controls, version, at) in touched.controls.items()
            ],
        ),
        (sql.PLANS, [_plan(account, *held) for account, held in touched.plans.items()]),
        (
            sql.FREEZES,
            [
                row(text(account), text(grant), text(reason), bigint(since))
                for (account, grant, reason), since in touched.freezes.items()
            ],
        ),
        (sql.TRANSFERS, list(map(_sent, touched.transfers))),
        (sql.SETTLED, list(map(_settled, touched.settled))),
        (sql.UPCOMING, coming.new_rows(touched)),
        (sql.UPCOMING_LEFT, coming.left_rows(touched)),
    ]
    return [(step, rows) for step, rows in steps if rows]


def _balances(batch: Batch) -> list[bytes]:
    rows = []
    for account, (partition, offset, event) in batch.newest.items():
        balance = event.balance
        if balance is None:
            raise AssertionError("an entry without a balance is refused before")
        sums = batch.touched.sums.get(account, _NO_SUMS)
        rows.append(
            row(
                text(account),
                bigint(balance.available),
                bigint(balance.held),
                bigint(balance.spent),
                bigint(sums.granted),
                bigint(sums.received),
                bigint(sums.expired),
                bigint(sums.revoked),
                bigint(sums.sent),
                bigint(event.version),
                bigint(event.at),
                integer(partition),
                bigint(offset),
                bigint(sums.debt),
            )
        )
    return rows


def _sent(e: CreditsSent) -> bytes:
    return row(text(e.account), text(e.transfer), text(e.to), bigint(e.amount), bigint(e.at))


def _settled(e: TransferSettled) -> bytes:
    return row(text(e.account), text(e.transfer), bigint(e.returned), bigint(e.at))


def _new_lot(account: str, grant: str, lot: NewLot) -> bytes:
    return row(
        text(account),
        text(grant),
        text(lot.kind),
        integer(lot.priority),
        bigint(lot.amount),
        bigint(lot.available),
        bigint(lot.held),
        bigint(lot.effective_from_ms),
        bigint(lot.expires_at_ms),
        text(lot.source),
        bigint(lot.version),
        bigint(lot.created_at_ms),
    )


def _lot(account: str, grant: str, moved: LotChange) -> bytes:
    return row(
        text(account),
        text(grant),
        bigint(moved.available),
        bigint(moved.held),
        bigint(moved.expires_at_ms),
    )


def _new_reservation(account: str, reservation: str, new: NewReservation) -> bytes:
    made = new.made
    return b"".join(
        (
            _reservation_head(
                _RESERVATION_COLUMNS,
                *(8, new.amount, 8, new.held, 8, new.charged, 8, new.released),
                *(8, new.refunded, 8, new.overrun, 8, made.min, 8, made.at),
                *(8, new.expires_at_ms, 8, made.version, 8, new.last_version),
            ),
            bigint(made.typical),
            bigint(new.ended_at_ms),
            text(account),
            text(reservation),
            text(made.tool),
            text(new.status),
            text(new.outcome),
            NULL if made.limits is None else jsonb(encode(made.limits)),
            text(made.estimate),
            text(made.price_version),
            text(made.parent),
            text(made.key),
            text(made.member),
            text("" if made.command is None else made.command.id),
        )
    )


def _plan(account: str, period: Allowance, version: int, at: int) -> bytes:
    return row(
        text(account),
        text(period.plan),
        bigint(period.start),
        bigint(period.end),
        bigint(period.credits),
        bigint(period.day_limit),
        bigint(period.given),
        bigint(version),
        bigint(at),
    )


def _reservation(account: str, reservation: str, moved: ReservationChange) -> bytes:
    return row(
        text(account),
        text(reservation),
        text(moved.status),
        text(moved.outcome),
        bigint(moved.amount),
        bigint(moved.held),
        bigint(moved.charged),
        bigint(moved.released),
        bigint(moved.refunded),
        bigint(moved.overrun),
        bigint(moved.expires_at_ms),
        bigint(moved.ended_at_ms),
        bigint(moved.last_version),
    )
