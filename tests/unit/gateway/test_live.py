"""Live pages without a socket: who is told what, what is kept, and who is cut off."""

import asyncio
from typing import get_args

import pytest
from audit_projector import fold
from bus.stream import Counted
from contracts.codec import encode
from contracts.commands import GrantKind
from contracts.events import AnyEvent, Balance, CreditsGranted
from gateway import live as limits
from gateway import streaming, telling
from gateway.catchingup import Entry, again
from gateway.listening import Listener
from gateway.live import End, Live, Pass, Stream
from gateway.metrics import Duration, Metrics
from gateway.problems import ProblemError
from gateway.streaming import LiveResponse

from tests.contract.golden import example

SHOWN = Pass(key=b"k")
# Answers that change nothing, and what belongs to a partition: nobody is told.
UNTOLD = {"EstimateGiven", "AnswerRepeated", "CommandTooOld", "CommandRejected", "Checkpoint"}


class Ear(Listener):
    """A listener that heard of `at` events."""

    def __init__(self) -> None:
        super().__init__("", "", lambda _batch, _at: None)
        self.at = 0
        self.listening = True

    @property
    def caught_up(self) -> bool:
        return self.listening

    def seen(self, partition: int) -> int:
        return self.at


class Rig:
    """Live pages, and an ear that hears what `happens`."""

    def __init__(self) -> None:
        self.ear = Ear()
        self.live = Live(1, self.ear, Metrics())

    def happens(self, account: str = "ada", times: int = 1) -> None:
        for _ in range(times):
            self.ear.at += 1
            event = CreditsGranted(
                grant="g", kind=GrantKind.PROMO, source="s", amount=1, priority=1, effective_from=0,
                expires_at=1, account=account, seq=self.ear.at, at=self.ear.at,
                balance=Balance(self.ear.at, 0, 0),
            )  # fmt: skip
            self.live.counted([Counted(0, self.ear.at, 0, event, b"")])

    def open(self, account: str = "ada", caller: str = "person:ada") -> Stream:
        return self.live.open(account, caller, SHOWN)


def seqs(stream: Stream, most: int = 10) -> list[int]:
    return [told.seq for told in stream.take(most)]


async def test_two_tabs_are_told_the_same_bytes_and_a_third_only_what_comes_later() -> None:
    rig = Rig()
    one, two = rig.open(), rig.open()
    rig.happens()
    rig.happens("bob")
    three = rig.open()
    rig.happens()
    first, second = one.take(10), two.take(10)
    assert [told.seq for told in first] == [1, 3]
    assert all(mine is theirs for mine, theirs in zip(first, second, strict=True))
    assert seqs(three) == [3]
    assert seqs(one) == []


async def test_what_comes_is_taken_in_parts() -> None:
    rig = Rig()
    tab = rig.open()
    rig.happens(times=5)
    assert [seqs(tab, 2) for _ in range(3)] == [[1, 2], [3, 4], [5]]


async def test_who_is_behind_what_is_kept_is_cut_off_and_memory_does_not_grow() -> None:
    rig = Rig()
    slow, quick = rig.open(), rig.open()
    for _ in range(limits.KEPT_MAX):
        rig.happens(times=4)
        assert len(quick.take(10)) == 4
    assert len(slow.channel.kept) < 2 * limits.KEPT_MAX
    assert (slow.take(10), slow.over) == ([], End.SLOW)
    assert quick.over is None


async def test_a_caller_has_so_many_streams_and_an_account_too() -> None:
    rig = Rig()
    tabs = [rig.open() for _ in range(limits.STREAMS_PER_CALLER_MAX)]
    with pytest.raises(ProblemError, match="too_many_streams"):
        rig.open()
    rig.live.close(tabs.pop())
    rig.open()
    for number in range(limits.STREAMS_PER_ACCOUNT_MAX - limits.STREAMS_PER_CALLER_MAX):
        rig.open(caller=f"key:{number}")
    with pytest.raises(ProblemError, match="too_many_streams"):
        rig.open(caller="key:last")
    rig.open("bob", "person:bob")


@pytest.mark.parametrize("why", ["deaf", "stopping"])
async def test_nothing_begins_that_could_miss_something(why: str) -> None:
    rig = Rig()
    if why == "deaf":
        rig.ear.listening = False
    else:
        rig.live.stop()
    with pytest.raises(ProblemError, match="live_unavailable"):
        rig.open()


async def test_a_channel_is_kept_for_a_while_for_those_who_come_back() -> None:
    rig = Rig()
    tab = rig.open()
    rig.live.close(tab)
    rig.happens()
    now = asyncio.get_running_loop().time()
    rig.live.sweep(now + limits.LINGER_S - 1)
    back = rig.open()
    assert (back.channel.since, [told.seq for told in back.channel.kept]) == (0, [1])
    rig.live.sweep(now + 10 * limits.LINGER_S)
    assert back.channel.kept, "somebody is there"
    rig.live.close(back)
    rig.live.sweep(asyncio.get_running_loop().time() + limits.LINGER_S)
    assert rig.open().channel.since == 1


@pytest.mark.parametrize("kind", get_args(AnyEvent), ids=lambda kind: str(kind.__name__))
def test_every_event_is_told_or_known_to_be_nobodys(kind: type) -> None:
    found = telling.told(example(kind), 0)
    if kind.__name__ in UNTOLD:
        assert found is None
        return
    assert found is not None
    assert found[0] in {telling.BALANCE, telling.PURCHASE, telling.ALERT}
    assert (found[1].type, found[1].balance) == (kind.__name__, example(kind).balance)


@pytest.mark.parametrize("kind", get_args(AnyEvent), ids=lambda kind: str(kind.__name__))
def test_what_is_read_again_is_told_in_the_same_bytes(kind: type) -> None:
    event = example(kind)
    balance, own = event.balance, fold.detail(encode(event), event)
    entry = Entry(
        kind.__name__, event.seq, event.at, balance.available, balance.held, balance.spent,
        (b"{" + own).decode(),
    )  # fmt: skip
    live = telling.message(Counted(1, 0, event.at, event, b""))
    assert again(entry, 1) == (b"" if live is None else live.frame)


class Wire:
    """An ASGI server that keeps what it is sent, and blocks when told to."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()
        self.hung_up = asyncio.Event()
        self.aborted = False

    async def send(self, message: dict[str, object]) -> None:
        await self.open.wait()
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        self.sent.append(body)

    async def receive(self) -> dict[str, object]:
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    def abort(self) -> None:
        self.aborted = True
        self.hung_up.set()

    async def serve(self, live: Live, stream: Stream) -> None:
        response = LiveResponse(live, stream, [b"event: first\n\n"], Duration())
        await response({streaming.ABORT: self.abort}, self.receive, self.send)  # type: ignore[arg-type]

    @property
    def text(self) -> bytes:
        return b"".join(self.sent)


async def test_a_quiet_stream_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT_S", 0.01)
    rig, wire = Rig(), Wire()
    serving = asyncio.create_task(wire.serve(rig.live, stream := rig.open()))
    async with asyncio.timeout(10):
        while wire.text.count(b": still here\n\n") < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        rig.happens()
        while b"event: balance\n" not in wire.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    wire.hung_up.set()
    await serving
    assert stream.over is End.GONE
    assert not rig.live.streams


async def test_a_reader_who_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "SEND_WITHIN_S", 0.05)
    rig, wire = Rig(), Wire()
    serving = asyncio.create_task(wire.serve(rig.live, stream := rig.open()))
    await asyncio.sleep(0)
    wire.open.clear()
    rig.happens()
    async with asyncio.timeout(5):
        await serving
    assert (stream.over, wire.aborted) == (End.SLOW, True)
    assert not rig.live.streams


async def test_the_end_says_why() -> None:
    rig, wire = Rig(), Wire()
    serving = asyncio.create_task(wire.serve(rig.live, rig.open()))
    await asyncio.sleep(0)
    rig.live.stop()
    async with asyncio.timeout(5):
        await serving
    assert wire.text.endswith(b'event: end\ndata: {"reason":"stopping"}\n\n')
    assert wire.text.startswith(b"retry: ")
