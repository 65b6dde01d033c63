"""The outbox without a broker: nobody waits for ever, and nothing is taken that cannot be sent."""

import asyncio
import socket

import pytest
from aiokafka.errors import KafkaError
from bus.outbox import Outbox, Undelivered
from bus.stream import EventStream
from bus.trace import Trace, trace_of


def _nobodys_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


async def test_starting_without_a_broker_says_so() -> None:
    with pytest.raises(KafkaError):
        await Outbox(_nobodys_address()).start()


async def test_everyone_who_waits_learns_that_it_was_not_acknowledged() -> None:
    outbox = Outbox(_nobodys_address())
    outbox.put("topic", 0, b"k", b"lost, and its sender will miss the answer")
    sent = [outbox.send("topic", n % 2, b"k", b"v") for n in range(3)]
    told = await asyncio.gather(*sent, return_exceptions=True)
    assert [type(one) for one in told] == [Undelivered] * 3
    assert (outbox.waiting, outbox.records) == (0, 0)
    assert outbox.failures > 0
    await outbox.stop()


async def test_a_closed_outbox_takes_nothing() -> None:
    outbox = Outbox(_nobodys_address())
    await outbox.stop()
    with pytest.raises(Undelivered, match="closed"):
        outbox.put("topic", 0, b"k", b"v")
    with pytest.raises(Undelivered, match="closed"):
        await outbox.send("topic", 0, b"k", b"v")


async def test_what_waits_is_counted_over_all_partitions() -> None:
    outbox = Outbox(_nobodys_address())
    for partition in (0, 1, 1):
        outbox.put("topic", partition, b"k", b"v")
    assert outbox.waiting == 3
    await outbox.stop()


async def test_a_stream_that_was_not_started_says_so() -> None:
    stream = EventStream(_nobodys_address(), {})
    for call in (stream.next(), stream.ends()):
        with pytest.raises(RuntimeError, match="start"):
            await call
    assert (stream.skipped, stream.positions, stream.heard_at) == (0, {}, 0)
    await stream.stop()


def test_a_trace_travels_in_headers_and_back() -> None:
    trace = Trace("req-1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    assert trace_of(trace.headers()) == trace
    assert Trace().headers() == []
    assert trace_of([("x-request-id", b"\xff"), ("other", b"1")]) == Trace("�")
