"""All accounts of a partition, in memory: those in use decoded, those at rest encoded and small.

Two generations: an account that is touched moves to the young one; when that is full it becomes
the old one, whose accounts go to rest two for each account that is touched, so that no single
command ever waits for more than that.
"""

import hashlib
import zlib
from collections.abc import Iterator

import msgspec

from ledger.domain.account import Account

YOUNG_MAX = 20_000  # accounts decoded at once, twice at the most; about 60 MB
_TO_REST_AT_ONCE = 2  # more than one: the old generation is empty before the young one is full

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Account).decode
# What accounts have in common, so that the small ones shrink too. In memory only: free to change.
_COMMON = (
    b'{"type":"CreditsReserved","v":1,"seq":10,"owner":"{"type":"CommandRefused","v":1,"kind":"'
    b'","version":1,"command":{"id":"","offset":1,"timestamp":17,"digest":"Grant.","at":17,'
    b'"actor":{"kind":"service","id":"payments","kind":"person"},"balance":{"available":100,"held":'
    b'0,"spent":0},"answer":true,"reservation":"","charge":"","outcome":"completed","final":true,'
    b'"slices":[{"grant":"","amount":"","expiresAt":"253402300800000",'
    b'{"type":"CreditsGranted","v":1,"seq":1,"owner":"","account":"acct-","grant":"","kind":"paid",'
    b'"source":"","priority":50,"effectiveFrom":17,"expiresAt":253402300800000}'
)


class Accounts:
    """The accounts by id."""

    def __init__(self, young_max: int = YOUNG_MAX) -> None:
        self._young_max = young_max
        self._young: dict[str, Account] = {}
        self._old: dict[str, Account] = {}
        self._rest: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old) + len(self._rest)

    def get(self, account: str) -> Account | None:
        """The account, decoded; None when nothing ever happened to it."""
        found = self._young.get(account)
        if found is None:
            found = self._woken(account)
        return found

    def add(self, account: Account) -> None:
        """A new account."""
        self._settle()
        self._young[account.id] = account

    def all(self) -> Iterator[Account]:
        """Every account, in the order of their ids; those at rest stay there."""
        ids = sorted((*self._young, *self._old, *self._rest))
        for account in ids:
            found = self._young.get(account) or self._old.get(account)
            yield found if found is not None else _awake(self._rest[account])

    def state_hash(self) -> str:
        """SHA-256 over every account, the same however the state came to be."""
        print_ = hashlib.sha256()
        for account in self.all():
            print_.update(_encode(account))
        return print_.hexdigest()

    def _woken(self, account: str) -> Account | None:
        found = self._old.pop(account, None)
        if found is None:
            encoded = self._rest.pop(account, None)
            if encoded is None:
                return None
            found = _awake(encoded)
        self._settle()
        self._young[account] = found
        return found

    def _settle(self) -> None:
        for _ in range(min(_TO_REST_AT_ONCE, len(self._old))):
            account, state = self._old.popitem()
            self._rest[account] = _asleep(state)
        if len(self._young) >= self._young_max:
            self._young, self._old = {}, self._young


def _asleep(account: Account) -> bytes:
    packer = zlib.compressobj(level=1, wbits=-15, zdict=_COMMON)
    return packer.compress(_encode(account)) + packer.flush()


def _awake(encoded: bytes) -> Account:
    unpacker = zlib.decompressobj(wbits=-15, zdict=_COMMON)
    return _decode(unpacker.decompress(encoded) + unpacker.flush())
