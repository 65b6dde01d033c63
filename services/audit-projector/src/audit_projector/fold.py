"""Events to net changes of the read models, in memory: the log is decoded once, in order.

Nothing is read from the database: every change is a difference or the newest value. What an event
means for credits stands in `effects`; here is what every event does.
"""

from collections.abc import Iterable
from struct import Struct as Packer

from bus.reader import Position
from contracts.codec import decode_event, encode
from contracts.events import VERSIONS, AnyEvent, PartitionClaimed

from audit_projector import effects, wire
from audit_projector.intake import Taken
from audit_projector.touched import Touched

_entry = Packer(">h iq iq ii iq iq iq iq iq iq iq i?".replace(" ", "")).pack
_ENTRY_COLUMNS = 21
_BALANCE = b'"balance":{'  # a key of the header: inside a string its quotes were escaped
_TYPES = {name: wire.text(name) for name in VERSIONS}
_STARTS = {name: b'{"type":"%b","v":%d,"seq":' % (name.encode(), v) for name, v in VERSIONS.items()}


class MalformedEvent(ValueError):
    """A counted event without what every event carries: the ledger that wrote it is broken."""


class Batch:
    """The net changes of some records, and where the reader stands behind them."""

    __slots__ = ("before", "entries", "newest", "others", "progress", "records", "touched")

    def __init__(self, before: dict[int, Position]) -> None:
        self.before = before
        self.progress: dict[int, tuple[Position, int, int]] = {}
        self.records = 0
        self.entries: list[bytes] = []
        self.others: list[bytes] = []
        self.newest: dict[str, tuple[int, int, AnyEvent]] = {}
        self.touched = Touched()


def fold(batch: Batch, records: Iterable[Taken]) -> None:
    """Add records to the batch, in the order of their partitions."""
    entries, newest, touched = batch.entries, batch.newest, batch.touched
    known: dict[str | None, bytes] = {}
    for taken in records:
        batch.records += 1
        if not taken.counts:
            continue
        event = taken.event
        if isinstance(event, PartitionClaimed):
            continue
        if b"\\u0000" in taken.raw:
            taken.event = event = storable(taken.raw)
            taken.raw = encode(event)
        if not event.account:
            batch.others.append(_other(taken, event))
            continue
        newest[event.account] = taken.partition, taken.offset, event
        entries.append(_row(taken, event, effects.apply(touched, event), known))


def storable(raw: bytes) -> AnyEvent:
    """The event with every NUL as its printable symbol: PostgreSQL's text cannot hold one."""
    event = decode_event(raw.replace(b"\\u0000", b"\\u2400"))
    if isinstance(event, PartitionClaimed):
        raise MalformedEvent("a claim is not an event")
    return event


def detail(raw: bytes, event: AnyEvent) -> bytes:
    """The event's own fields as JSON, without the opening brace: what no column holds.

    The ledger writes the header first, so they are the bytes behind it; an event in any other
    form (an older version, another writer) is written anew.
    """
    if not raw.startswith(_STARTS[type(event).__name__]):
        raw = encode(event)
    start = raw.find(_BALANCE)
    own = raw[raw.index(b"}", start) + 1 :].removeprefix(b',"answer":true')
    return own[1:] if own.startswith(b",") else own


def _row(
    taken: Taken, event: AnyEvent, effect: effects.Effect, known: dict[str | None, bytes]
) -> bytes:
    balance, command, actor = event.balance, event.command, event.actor
    if balance is None or command is None or actor is None:
        raise MalformedEvent(
            f"{type(event).__name__} at {taken.partition}/{taken.offset} has no balance, command"
            " or actor: stop the ledger that writes such events"
        )
    amount, moved, reservation, charge, grant, tool = effect
    text, get = wire.text, known.get
    own = detail(taken.raw, event)
    return b"".join(
        (
            _entry(
                _ENTRY_COLUMNS,
                *(8, event.version, 8, event.seq, 4, taken.partition, 8, taken.offset),
                *(8, event.at, 8, amount, 8, moved),
                *(8, balance.available, 8, balance.held, 8, balance.spent, 1, event.answer),
            ),
            get(event.account) or _learn(known, event.account),
            _TYPES[type(event).__name__],
            text(command.id),
            get(actor.kind) or _learn(known, actor.kind),
            get(actor.id) or _learn(known, actor.id),
            wire.NULL if reservation is None else text(reservation),
            wire.NULL if charge is None else text(charge),
            wire.NULL if grant is None else text(grant),
            get(tool) or _learn(known, tool),
            wire.jsonb_start(len(own) + 1),
            own,
        )
    )


def _learn(known: dict[str | None, bytes], value: str | None) -> bytes:
    """Encode a text that comes again and again within a batch once."""
    known[value] = encoded = wire.text(value)
    return encoded


def _other(taken: Taken, event: AnyEvent) -> bytes:
    return wire.row(
        wire.integer(taken.partition),
        wire.bigint(taken.offset),
        wire.bigint(event.seq),
        wire.bigint(event.at),
        _TYPES[type(event).__name__],
        wire.jsonb(encode(event)),
    )
