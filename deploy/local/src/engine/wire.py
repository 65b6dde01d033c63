"""Two questions to a Kafka broker over a plain socket, synchronously and without a client.

A client library would need an event loop and would retry for us; to know the moment a broker
is ready, or to have its internal topics created, one honest question is enough.
"""

import socket
import struct

from engine.places import HOST

FIND_COORDINATOR = 10
METADATA = 3
TIMEOUT_SECONDS = 2.0  # for one answer; a healthy broker takes a millisecond
CORRELATION = 1
CLIENT = b"scrip-engine"
GROUP, TRANSACTION = 0, 1  # kinds of coordinator


def has_brokers(port: int) -> bool:
    """Tell whether the cluster at `port` answers and counts at least one live broker."""
    answer = _ask(port, METADATA, struct.pack(">i", 0))
    if answer is None:
        return False
    (brokers,) = struct.unpack_from(">i", answer)
    return bool(brokers > 0)


def has_coordinator(port: int, kind: int, key: str = "scrip") -> bool:
    """Tell whether a coordinator is there; asking creates the internal topic behind it."""
    body = struct.pack(">h", len(key)) + key.encode() + struct.pack(">b", kind)
    answer = _ask(port, FIND_COORDINATOR, body)
    if answer is None:
        return False
    _throttle, error = struct.unpack_from(">ih", answer)
    return bool(error == 0)


def _ask(port: int, api: int, body: bytes) -> bytes | None:
    header = struct.pack(">hhih", api, 1, CORRELATION, len(CLIENT)) + CLIENT
    try:
        with socket.create_connection((HOST, port), TIMEOUT_SECONDS) as line:
            line.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
            (size,) = struct.unpack(">i", _exactly(line, 4))
            return _exactly(line, size)[4:]
    except OSError:
        return None


def _exactly(line: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = line.recv(size - len(parts))
        if not part:
            raise ConnectionError("the broker closed the connection")
        parts += part
    return bytes(parts)
