"""A closed loop over HTTP, cheap enough not to be what is measured.

    python -m tests.benchmarks.httpload pairs|runs|grants HOST:PORT IN_FLIGHT SECONDS
        [--watch NAME=PID,...]

The key comes in SCRIP_BENCH_KEY. One keep-alive connection per caller, requests written by hand,
of each answer only status, length and one expected piece are looked at. `grants` gives each of the
1,000 accounts its credits and ends. Prints one JSON line.
"""

import argparse
import asyncio
import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import cast

import uvloop
from msgspec import Struct

from tests.benchmarks.bridge import GRANTED
from tests.benchmarks.cpu import CpuWatch, watched
from tests.benchmarks.figures import percentiles
from tests.benchmarks.pairs import ACCOUNTS, CHARGED, HELD, REFUSED_EVERY, TOO_MUCH, WARM_UP_S

NOOP_PATH = "/api/test-studio/noop/run"
WRONG_SHARE_MAX = 0.01  # more unexpected answers than this, and the figure means nothing
_ENDS_WITHIN_S = 30  # for the answers still under way; a run may wait 25 s


class Step(Struct, gc=False):
    """One request and what its answer must be."""

    request: bytes
    status: bytes
    contains: bytes


class Score:
    """What all callers found, within the window [start, end)."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.end = start, end
        self.whole: list[float] = []
        self.first: list[float] = []
        self.refused = 0
        self.wrong: Counter[str] = Counter()
        self.example = ""

    def unexpected(self, answer: bytes) -> None:
        self.wrong[answer[9:12].decode("latin-1")] += 1
        self.example = self.example or answer[:600].decode("latin-1")


class Caller(asyncio.Protocol):
    """One connection: a round of steps, one after the other, until the time is over."""

    def __init__(self, rounds: Iterator[tuple[Step, ...]], score: Score) -> None:
        self._rounds = rounds
        self._score = score
        self._steps: tuple[Step, ...] = ()
        self._at = 0
        self._begun = self._first = 0.0
        self._got = b""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        got = self._got + data if self._got else data
        head = got.find(b"\r\n\r\n")
        if head < 0 or len(got) < head + 4 + _length(got, head):
            self._got = got
            return
        self._got = b""
        try:
            self._answered(got)
        except Exception as why:  # noqa: BLE001 - a loop only logs it, and we would wait for ever
            self.over.set_exception(why)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(ConnectionError(f"the gateway hung up: {exc!r}"))

    def _begin(self) -> None:
        self._begun = time.perf_counter()
        steps = next(self._rounds, None) if self._begun < self._score.end else None
        if steps is None:
            self.over.set_result(None)
            self._transport.close()
            return
        self._steps, self._at = steps, 0
        self._transport.write(steps[0].request)

    def _answered(self, answer: bytes) -> None:
        step, score = self._steps[self._at], self._score
        if answer[9:12] != step.status or step.contains not in answer:
            score.unexpected(answer)
            self._begin()
            return
        self._at += 1
        if self._at == 1:
            self._first = time.perf_counter()
        if self._at < len(self._steps):
            self._transport.write(self._steps[self._at].request)
            return
        if step.status == b"402":
            score.refused += 1
        elif self._begun >= score.start:
            score.whole.append(time.perf_counter() - self._begun)
            score.first.append(self._first - self._begun)
        self._begin()


class Script:
    """Writes the requests."""

    def __init__(self, host: str, key: str) -> None:
        self._fixed = f"Host: {host}\r\nAuthorization: Bearer {key}\r\n"
        self._run = uuid.uuid4().hex[:12]

    def pairs(self, number: int) -> Iterator[tuple[Step, ...]]:
        """Reserve and charge; every hundredth reserve asks for too much."""
        turn = 0
        while True:
            turn += 1
            account = f"acct-{(number * 7919 + turn * 31) % ACCOUNTS}"
            name = f"{self._run}-{number}-{turn}"
            no = (number + turn) % REFUSED_EVERY == 0
            body = f'{{"account":"{account}","amount":{TOO_MUCH if no else HELD}}}'
            reserve = self._post("/v1/reservations", name, body)
            if no:
                yield (Step(reserve, b"402", b'"code":"'),)
                continue
            charge = self._post(
                f"/v1/reservations/{name}/charge",
                name + "c",
                f'{{"account":"{account}","amount":{CHARGED}}}',
            )
            yield (
                Step(reserve, b"201", f'"reservationId":"{name}"'.encode()),
                Step(charge, b"200", f'"charged":{CHARGED},'.encode()),
            )

    def runs(self, number: int) -> Iterator[tuple[Step, ...]]:
        """Runs of the tool that does nothing."""
        turn = 0
        while True:
            turn += 1
            account = f"acct-{(number * 7919 + turn * 31) % ACCOUNTS}"
            name = f"{self._run}-{number}-{turn}"
            request = self._post(NOOP_PATH, name, '{"input":{}}', f"Scrip-Account: {account}\r\n")
            yield (Step(request, b"200", b'"success":true'),)

    def grants(self, numbers: Iterator[int]) -> Iterator[tuple[Step, ...]]:
        """Credits for the accounts with the given numbers."""
        for number in numbers:
            name = f"{self._run}-g{number}"
            body = f'{{"amount":{GRANTED},"kind":"promo","source":"{name}"}}'
            request = self._post(f"/v1/accounts/acct-{number}/grants", name, body)
            yield (Step(request, b"201", b'"grantId":"'),)

    def _post(self, path: str, key: str, body: str, more: str = "") -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\n{self._fixed}{more}Idempotency-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


async def measure(what: str, address: str, in_flight: int, seconds: float, cpu: CpuWatch) -> Score:
    """Drive the gateway from `in_flight` connections."""
    host, _, port = address.rpartition(":")
    script = Script(address, os.environ["SCRIP_BENCH_KEY"])
    numbers = iter(range(ACCOUNTS))
    start = time.perf_counter() + WARM_UP_S
    score = Score(start, start + (3600 if what == "grants" else seconds))
    loop = asyncio.get_running_loop()
    loop.call_later(WARM_UP_S, cpu.start)
    loop.call_later(WARM_UP_S + seconds, cpu.stop)
    callers = []
    for number in range(in_flight):
        rounds = (
            script.grants(numbers)
            if what == "grants"
            else script.pairs(number)
            if what == "pairs"
            else script.runs(number)
        )
        caller = Caller(rounds, score)
        await loop.create_connection(lambda caller=caller: caller, host, int(port))  # type: ignore[misc]
        callers.append(caller)
    patience = score.end - time.perf_counter() + _ENDS_WITHIN_S
    async with asyncio.timeout(patience):
        await asyncio.gather(*(caller.over for caller in callers))
    return score


def told(what: str, score: Score, took: float, cpu: CpuWatch) -> dict[str, object]:
    """The cell; raises AssertionError when too many answers were not what was asked for."""
    wrong, right = sum(score.wrong.values()), len(score.whole)
    if wrong > WRONG_SHARE_MAX * max(right, 1):
        raise AssertionError(f"{dict(score.wrong)} beside {right} right ones: {score.example}")
    also = {"refused": score.refused, "wrong": wrong, "seconds": round(took, 2)}
    if what == "runs":
        rate, times = "runs_per_s", percentiles("", score.whole)
    else:
        rate = "pairs_per_s"
        times = {**percentiles("pair_", score.whole), **percentiles("reserve_", score.first)}
    each = f"cpu_ms_per_{rate.removesuffix('s_per_s')}"
    return {rate: round(right / took, 1), **times, **also, each: cpu.ms_per(right)}


def _length(got: bytes, head: int) -> int:
    at = got.find(b"content-length:", 0, head)
    if at < 0:
        raise ValueError(f"an answer without a length: {got[:300]!r}")
    return int(got[at + 15 : got.find(b"\r\n", at)])


async def run(asked: argparse.Namespace) -> dict[str, object]:
    cpu = CpuWatch(watched(asked.watch))
    score = await measure(asked.what, asked.address, asked.in_flight, asked.seconds, cpu)
    if asked.what == "grants":
        if score.wrong:
            raise AssertionError(f"not granted: {score.example}")
        return {"granted": ACCOUNTS}
    return told(asked.what, score, time.perf_counter() - score.start, cpu)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("pairs", "runs", "grants"))
    parser.add_argument("address")
    parser.add_argument("in_flight", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--watch", default="")
    print(json.dumps(uvloop.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
