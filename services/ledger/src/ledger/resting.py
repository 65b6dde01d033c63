"""How an account at rest is kept: encoded, then deflated against a sample of what accounts share.

In memory only and never written anywhere, so the sample may change with any release.
"""

import zlib
from functools import cache

import msgspec
from contracts.commands import Actor, ActorKind, GrantKind
from contracts.events import (
    AnyEvent,
    Balance,
    CommandRef,
    CreditsCharged,
    CreditsGranted,
    CreditsReserved,
    Slice,
    Window,
    Windows,
)
from contracts.reasons import Outcome
from contracts.units import FOREVER

from contracts import codec
from ledger.domain.account import Account, Charged, Ended, Lot

LEVEL = 6  # a quarter smaller than level 1 for 6 us more, and only on the way to rest
_RAW = -15  # no header, no checksum: it never leaves memory

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Account).decode


def encoded(account: Account) -> bytes:
    """The account's canonical bytes; the state hash is taken over these."""
    return _encode(account)


def asleep(account: Account) -> bytes:
    """The account, small."""
    packer = zlib.compressobj(level=LEVEL, wbits=_RAW, zdict=_common())
    return packer.compress(_encode(account)) + packer.flush()


def awake(resting: bytes) -> Account:
    """The account, as it was."""
    unpacker = zlib.decompressobj(wbits=_RAW, zdict=_common())
    return _decode(unpacker.decompress(resting) + unpacker.flush())


@cache
def _common() -> bytes:
    """An account like many: a grant, a run that was charged for, their answers."""
    at, day = 1_763_831_000_000, 86_400_000
    account = Account(
        "acct-",
        version=4,
        granted=1000,
        available=930,
        spent=70,
        day=Window(at, at + day),
        month=Window(at, at + 30 * day),
        day_spent=70,
        month_spent=70,
        answers_since=at,
    )
    part = (Slice("grant-", 70),)
    account.lots.append(Lot("grant-", GrantKind.PAID, 50, at, FOREVER, 1000, 930))
    account.charges["run-:charge"] = Charged("run-", None, 70, 70, part, at)
    account.ended["run-"] = Ended("charged", at)
    account.sources["source-"] = "grant-"
    days = Windows(account.day, account.month)
    events: tuple[tuple[str, str, AnyEvent], ...] = (
        (
            "run-",
            "Reserve.71000",
            CreditsReserved(reservation="run-", amount=100, slices=part, expires_at=at),
        ),
        (
            "run-:charge",
            "Charge.6e4b1d2f0.870",
            CreditsCharged(
                reservation="run-",
                charge="run-:charge",
                amount=70,
                slices=part,
                outcome=Outcome.COMPLETED,
                final=True,
                released=30,
                windows=days,
            ),
        ),
        (
            "grant-",
            "Grant.61000.744f35cce.8db56690c",
            CreditsGranted(
                grant="grant-",
                kind=GrantKind.PAID,
                source="source-",
                amount=1000,
                priority=50,
                effective_from=at,
                expires_at=FOREVER,
            ),
        ),
    )
    for seq, (command, digest, event) in enumerate(events, 1):
        event.v, event.seq, event.version, event.at, event.answer = 1, seq, seq, at, True
        event.account, event.actor = "acct-", Actor(ActorKind.SERVICE, "service")
        event.command = CommandRef(command, seq, at, digest)
        event.balance = Balance(930, 0, 70)
        account.answers[command] = codec.encode(event)
    return _encode(account)
