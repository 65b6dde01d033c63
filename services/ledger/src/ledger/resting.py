"""How accounts at rest are kept: encoded, then deflated against one of their own kind.

Accounts that go to rest at about the same time look alike: the same claim, the same days, the same
callers. So now and then one of them becomes the sample that the next ones are deflated against; a
resting account names its sample. In memory only and never written anywhere.
"""

import zlib

import msgspec

from ledger.domain.account import Account

SAMPLE_EVERY = 20_000  # accounts that rest against one sample: minutes of traffic
SAMPLES_MAX = 256  # a sample is named by one byte; the last one serves on
SAMPLE_BYTES_MAX = 32 << 10  # deflate looks back no further
LEVEL = 6  # a quarter smaller than level 1 for 6 us more, and only on the way to rest
_RAW = -15  # no header, no checksum: it never leaves memory

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Account).decode


def encoded(account: Account) -> bytes:
    """The account's canonical bytes; the state hash is taken over these."""
    return _encode(account)


class Resting:
    """Puts accounts to rest and wakes them."""

    def __init__(self) -> None:
        self._samples = [b""]
        self._against = SAMPLE_EVERY  # the very first account is already a better sample

    def asleep(self, account: Account) -> bytes:
        """The account, small."""
        whole = _encode(account)
        if self._against >= SAMPLE_EVERY and len(self._samples) < SAMPLES_MAX:
            self._samples.append(whole[-SAMPLE_BYTES_MAX:])
            self._against = 0
        self._against += 1
        packer = zlib.compressobj(level=LEVEL, wbits=_RAW, zdict=self._samples[-1])
        named = (len(self._samples) - 1).to_bytes(1)
        return named + packer.compress(whole) + packer.flush()

    def awake(self, resting: bytes) -> Account:
        """The account, as it was."""
        unpacker = zlib.decompressobj(wbits=_RAW, zdict=self._samples[resting[0]])
        return _decode(unpacker.decompress(resting[1:]) + unpacker.flush())
