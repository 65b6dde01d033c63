"""How accounts at rest are kept: encoded, then deflated against one of their own kind.

Accounts that go to rest at about the same time look alike: the same claim, the same days, the same
callers. So now and then one of them becomes the sample that the next ones are deflated against; a
resting account names its sample. Samples travel with the snapshots, whose bytes are these bytes.

The print of an account is what it adds to the state hash: a hash of all that it remembers. What
grows with every run is not read again for it, or a busy account would cost the more the longer its
day is: of charges it takes the running checksum, and of answers, endings and charges how many there
are, the oldest and the newest.
"""

import zlib
from collections.abc import Iterable
from functools import cache
from hashlib import blake2b
from typing import TypeVar

import msgspec
from contracts.units import Ms

from ledger.domain.account import Account
from ledger.domain.ending import next_due
from ledger.domain.forgetting import stale_from

SAMPLE_EVERY = 20_000  # accounts that rest against one sample: minutes of traffic
SAMPLES_MAX = 255  # a sample is named by one byte; the last one serves on
SAMPLE_BYTES_MAX = 32 << 10  # deflate looks back no further
LEVEL = 6  # a quarter smaller than level 1 for 6 us more, and only on the way to rest
PRINT_BYTES = 16
ANSWERS_MAX = 1_000  # of an account at rest; with more it is busy, and deflating it would stall
CHARGES_MAX = 4_000  # likewise
DEFLATED_MAX = 64 << 10  # bytes of an account: a millisecond; a busier one is copied as it is
_RAW = -15  # no header, no checksum: Kafka's records have theirs
_PLAIN = 255  # in place of a sample: not deflated, as large accounts are
_EVOLUTION = 1  # one more whenever evolve remembers something else in the same fields

_Kept = TypeVar("_Kept")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Account).decode
_decode_answers = msgspec.msgpack.Decoder(dict[str, bytes]).decode


@cache
def layout() -> str:
    """What accounts are made of: bytes of another layout are not read, the log is.

    A field that was added may stand for something that happened long ago, and only the log knows.
    """
    known: dict[str, str] = {}
    _describe(Account, known)
    text = "\n".join(f"{name}: {fields}" for name, fields in sorted(known.items()))
    return f"{_EVOLUTION}-{blake2b(text.encode(), digest_size=6).hexdigest()}"


class Rested(msgspec.Struct, frozen=True, gc=False):
    """An account at rest: its bytes, and what is asked of it without waking it."""

    id: bytes
    version: int
    due: Ms  # when something of it ends by time: exact, while the account's own may be early
    stale: Ms  # when there is something to forget
    print: int
    sample: int
    packed: bytes


def is_large(account: Account) -> bool:
    """Whether encoding it takes so long that it stays as it is."""
    return len(account.answers) > ANSWERS_MAX or len(account.charges) > CHARGES_MAX


def print_of(account: Account) -> int:
    """What the account adds to the state hash."""
    answers, ended = account.answers, account.ended
    charges, countable = account.charges, account.countable
    account.answers, account.ended, account.charges, account.countable = {}, {}, {}, {}
    core = _encode(account)
    account.answers, account.ended = answers, ended
    account.charges, account.countable = charges, countable
    grown = _ends(answers), _ends(ended), _ends(charges), _ends(countable)
    hashed = blake2b(core, digest_size=PRINT_BYTES)
    hashed.update("\0".join(grown).encode())
    return int.from_bytes(hashed.digest(), "little")


class Resting:
    """Puts accounts to rest and wakes them."""

    def __init__(self) -> None:
        self.samples = [b""]
        self._against = SAMPLE_EVERY  # the very first account is already a better sample

    def take_over(self, samples: Iterable[bytes]) -> int:
        """Go on with the samples of a snapshot; gives how many there are now."""
        self.samples = [b"", *samples]
        return len(self.samples)

    def asleep(self, account: Account, print_: int | None = None) -> Rested:
        """The account, small; under another print than its own where one is given."""
        core = _core(account)
        whole = b"".join((len(core).to_bytes(4, "little"), core, _encode(account.answers)))
        sample, packed = _PLAIN, whole
        if len(whole) <= DEFLATED_MAX:
            sample = self._sample(whole)
            packer = zlib.compressobj(level=LEVEL, wbits=_RAW, zdict=self.samples[sample])
            packed = packer.compress(whole) + packer.flush()
        return Rested(
            account.id.encode(),
            account.version,
            next_due(account),
            stale_from(account),
            print_of(account) if print_ is None else print_,
            sample,
            packed,
        )

    def awake(self, sample: int, packed: bytes) -> Account:
        """The account, as it was."""
        whole = packed
        if sample != _PLAIN:
            unpacker = zlib.decompressobj(wbits=_RAW, zdict=self.samples[sample])
            whole = unpacker.decompress(packed) + unpacker.flush()
        answers = 4 + int.from_bytes(whole[:4], "little")
        account = _decode(whole[4:answers])
        account.answers = _decode_answers(whole[answers:])
        return account

    def _sample(self, whole: bytes) -> int:
        if self._against >= SAMPLE_EVERY and len(self.samples) < SAMPLES_MAX:
            self.samples.append(whole[-SAMPLE_BYTES_MAX:])
            self._against = 0
        self._against += 1
        return len(self.samples) - 1


def _describe(kind: type, known: dict[str, str]) -> None:
    fields = msgspec.structs.fields(kind)
    known[kind.__name__] = ", ".join(f"{f.name} {f.type}" for f in fields)
    for found in _structs(msgspec.inspect.type_info(kind)):
        if found.__name__ not in known:
            _describe(found, known)


def _structs(info: object) -> set[type]:
    """The structs that a type names directly."""
    if isinstance(info, msgspec.inspect.StructType):
        parts: tuple[object, ...] = tuple(field.type for field in info.fields)
    else:
        names = ("item_type", "item_types", "types", "key_type", "value_type")
        parts = tuple(getattr(info, name) for name in names if hasattr(info, name))
    found: set[type] = set()
    for part in parts:
        for one in part if isinstance(part, tuple) else (part,):
            if isinstance(one, msgspec.inspect.StructType):
                found.add(one.cls)
            else:
                found |= _structs(one)
    return found


def _core(account: Account) -> bytes:
    """All of the account but its answers."""
    answers, account.answers = account.answers, {}
    core = _encode(account)
    account.answers = answers
    return core


def _ends(of: dict[str, _Kept]) -> str:
    return f"{len(of)} {next(iter(of))} {next(reversed(of))}" if of else ""
