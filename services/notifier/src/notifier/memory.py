"""Gifts as a mapping over Faust's table: kept in memory, and in a topic that brings them back."""

from collections.abc import Iterator, MutableMapping

import msgspec
from contracts.codec import encode

from notifier.notices import Gift

_decode = msgspec.json.Decoder(Gift).decode


class Memory(MutableMapping[str, Gift]):
    """Who made a gift. Keys and values lie in the table as bytes."""

    def __init__(self, table: MutableMapping[bytes, bytes]) -> None:
        self._table = table

    def __getitem__(self, gift: str) -> Gift:
        return _decode(self._table[gift.encode()])

    def __setitem__(self, gift: str, known: Gift) -> None:
        self._table[gift.encode()] = encode(known)

    def __delitem__(self, gift: str) -> None:
        del self._table[gift.encode()]

    def __iter__(self) -> Iterator[str]:
        return (key.decode() for key in self._table)

    def __len__(self) -> int:
        return len(self._table)
