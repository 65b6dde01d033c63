"""A running checksum of what an account appends for half a year: its charges. Part of evolve.

The state hash takes it in place of the charges, so that hashing an account costs the same however
many runs it paid for. A charge is added as it was made, and again as each refund left it.
"""

from collections.abc import Callable
from zlib import crc32

from msgspec.msgpack import Encoder

from ledger.domain.account import Account, Charged

_encode: Callable[[object], bytes] = Encoder().encode


def follow(account: Account, charge: str, charged: Charged, counts: tuple[str, ...]) -> None:
    """A charge was made or changed."""
    account.trail = crc32(_encode((charge, charged, counts)), account.trail)
