"""A line of the compliance log: a record of `ledger.events` as a CloudEvent, chained by hash.

    hash = SHA-256(TAG || VERSION || previous hash || the line without "hash", canonical)

TAG, VERSION and the previous hash have fixed lengths, so no two different lines meet in the same
bytes. A line is canonical (RFC 8785) with its hash, too. `data` is the whole record: the lines are
enough to write the topic again. `sequence` counts the lines of a chain, without gaps, from 1.
"""

from functools import lru_cache
from hashlib import sha256
from time import gmtime, strftime
from typing import Final

import msgspec
from contracts.events import VERSIONS, AnswerRepeated, PartitionClaimed
from contracts.units import Ms

from audit_projector.canonical import NotCanonical, canonical, canonical_struct, canonical_value
from audit_projector.intake import Taken

TAG: Final = b"scrip.audit.line"
VERSION: Final = b"\x00\x01"
GENESIS: Final = bytes(32)

_PREFIX: Final = TAG + VERSION
_TYPES: Final = {
    name: (
        b"scrip.ledger.%b" % name.encode(),
        b"urn:scrip:event:%b:%d" % (name.encode(), version),
        name == AnswerRepeated.__name__,  # it quotes an event as it lies in the log
    )
    for name, version in VERSIONS.items()
}


class Line(msgspec.Struct, rename="lower", frozen=True):
    """What a reader of the log needs of a line, beside its bytes."""

    id: str
    sequence: str
    prevhash: str
    hash: str
    source: str
    time: str
    type: str
    data: msgspec.Raw
    specversion: str
    dataschema: str
    subject: str | None = None
    readerseq: str | None = None
    readertoken: str | None = None

    @property
    def offset(self) -> int:
        """Where the record lies in its partition."""
        return int(self.id)


class BadLine(ValueError):
    """This line is not what was written: says in which respect."""


_line = msgspec.json.Decoder(Line).decode
_text = msgspec.json.Encoder().encode


def written(
    taken: Taken, token: str, seq: int, previous: bytes, place: bytes
) -> tuple[bytes, bytes]:
    """The line of a record with its newline, and its hash.

    `token` and `seq` are the reader's behind the record; `place` is the line's `sequence` and
    `source` from `placed`.
    """
    event = taken.event
    kind, schema, quotes = _TYPES[type(event).__name__]
    reader = subject = b""
    if not taken.counts:
        reader = b'"readerseq":"%d","readertoken":%b,' % (seq, _canonical_text(token))
        if not isinstance(event, PartitionClaimed):
            kind = b"scrip.audit.RecordSkipped"
    elif not isinstance(event, PartitionClaimed) and event.account:
        subject = b'"subject":%b,' % _canonical_text(event.account)
    whole = canonical(taken.raw) if quotes else canonical_struct(taken.raw, event)
    head = b'{"data":%b,"dataschema":"%b",' % (whole, schema)
    tail = b'"id":"%d","prevhash":"%b",%b%b"specversion":"1.0",%b"time":"%b","type":"%b"}' % (
        taken.offset,
        previous.hex().encode(),
        reader,
        place,
        subject,
        rfc3339(taken.timestamp),
        kind,
    )
    digest = sha256(_PREFIX + previous + head + tail)
    return b'%b"hash":"%b",%b\n' % (head, digest.hexdigest().encode(), tail), digest.digest()


def placed(sequence: int, source: bytes) -> bytes:
    """The members that say which line of which chain this is."""
    return b'"sequence":"%d","source":%b,' % (sequence, source)


def checked(raw: bytes, previous: bytes | None = None) -> tuple[Line, bytes]:
    """A line (without its newline) and its hash; raises BadLine.

    Without `previous` the line's own `prevhash` is believed.
    """
    try:
        line = _line(raw)
        if canonical(raw) != raw:
            raise BadLine("its bytes are not canonical")
        found, before = bytes.fromhex(line.hash), bytes.fromhex(line.prevhash)
    except (msgspec.DecodeError, UnicodeDecodeError, NotCanonical, ValueError) as wrong:
        raise BadLine(f"not a line: {wrong}") from wrong
    if previous is not None and before != previous:
        raise BadLine("it does not follow the line before it")
    member = b'"hash":"%b",' % line.hash.encode()
    at = raw.rindex(member, 0, raw.rindex(b'"prevhash":'))
    if sha256(_PREFIX + before + raw[:at] + raw[at + len(member) :]).digest() != found:
        raise BadLine("its hash is not the hash of its content")
    return line, found


@lru_cache(maxsize=64)
def rfc3339(ms: Ms) -> bytes:
    """An instant as RFC 3339 with milliseconds, UTC."""
    return b"%b.%03dZ" % (_second(ms // 1000), ms % 1000)


def source_of(environment: str, topic: str, partition: int) -> bytes:
    """The `source` of a chain, as a JSON string."""
    return _canonical_text(f"/scrip/{environment}/{topic}/{partition}")


@lru_cache(maxsize=64)
def _second(second: int) -> bytes:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(second)).encode()


def _canonical_text(text: str) -> bytes:
    return _text(text) if text.isascii() and text.isprintable() else canonical_value(text)
