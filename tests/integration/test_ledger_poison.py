"""Commands that nobody should send: each gets its answer, and the next one is decided.

Bytes that are no command are rejected by hash; a command that asks for nonsense is refused with a
reason. Neither changes a balance, stops the partition, or shows up as an error in the log.
"""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from bus.topics import ensure_topics
from contracts.commands import Reserve
from contracts.events import CommandRefused, CommandRejected, CreditsReserved
from contracts.topics import COMMANDS, EVENTS
from engine.guard import Guard

from contracts import codec
from tests.e2e.audit import audit, read_all
from tests.e2e.caller import SERVICE, Caller
from tests.e2e.ledgers import Ledger, all_served
from tests.e2e.spending import settle

ACCOUNT = "poison"
TOOL = "dev-studio-security"
WHOLE_64 = 2**63
UNDECODABLE: dict[str, bytes | None] = {
    "empty": b"",
    "a deleted record": None,
    "no JSON": b"\x00\xff\xfe{",
    "half a command": b'{"type":"Reserve","id":"half","acc',
    "unknown type": b'{"type":"Mint","id":"m","account":"poison"}',
    "no actor": b'{"type":"Reserve","id":"m","account":"poison","amount":1}',
    "text for an amount": b'{"type":"Reserve","id":"m","account":"poison","amount":"10",'
    b'"actor":{"kind":"service","id":"x"}}',
    "a fraction": b'{"type":"Reserve","id":"m","account":"poison","amount":1.5,'
    b'"actor":{"kind":"service","id":"x"}}',
    "an amount of 5,000 digits": b'{"type":"Reserve","id":"m","account":"poison","amount":'
    + b"9" * 5_000
    + b',"actor":{"kind":"service","id":"x"}}',
    "not a number": b'{"type":"Reserve","id":"m","account":"poison","amount":NaN,'
    b'"actor":{"kind":"service","id":"x"}}',
    "an id of 65 characters": b'{"type":"Reserve","id":"%b","account":"poison","amount":1,'
    b'"actor":{"kind":"service","id":"x"}}' % (b"i" * 65),
    "no id": b'{"type":"Reserve","id":"","account":"poison","amount":1,'
    b'"actor":{"kind":"service","id":"x"}}',
    "half a character in an id": b'{"type":"Reserve","id":"\\ud800","account":"poison",'
    b'"amount":1,"actor":{"kind":"service","id":"x"}}',
    "a null in a name": b'{"type":"SetControls","id":"m","account":"poison",'
    b'"controls":{"timeZone":"UTC\\u0000"},"actor":{"kind":"service","id":"x"}}',
    "ten thousand brackets": b"[" * 10_000,
    "ten thousand brackets inside": b'{"type":"Reserve","x":' + b"[" * 10_000,
    "text for limits": b'{"type":"Reserve","id":"m","account":"poison","tool":"dev-studio-security"'
    b',"limits":{"cpuMs":"5","memoryMb":1,"durationMs":1},"actor":{"kind":"service","id":"x"}}',
}
# What is asked, and the reason for the no.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown tool": ({"tool": "no-such-tool"}, "tool_unknown"),
    "amount 0": ({"amount": 0}, "amount_out_of_range"),
    "amount below 0": ({"amount": -1}, "amount_out_of_range"),
    "amount 2^63": ({"amount": WHOLE_64}, "amount_out_of_range"),
    "amount 2^64 - 1": ({"amount": 2**64 - 1}, "amount_out_of_range"),
    "amount -2^63": ({"amount": -WHOLE_64}, "amount_out_of_range"),
    "amount of 400 digits": ({"amount": 10**400 - 1}, "amount_out_of_range"),
    "lifetime 0": ({"amount": 1, "lifetimeMs": 0}, "lifetime_out_of_range"),
    "lifetime 2^63": ({"amount": 1, "lifetimeMs": WHOLE_64}, "lifetime_out_of_range"),
    "a deadline long ago": ({"amount": 1, "deadline": 1}, "deadline"),
    "issued in the year 2286": ({"amount": 1, "issuedAt": 10**13}, "issued_in_the_future"),
    "grant of 2^63": (
        {"type": "Grant", "amount": WHOLE_64, "kind": "promo", "source": "s"},
        "amount_out_of_range",
    ),
    "grant until 2^63": (
        {"type": "Grant", "amount": 1, "kind": "promo", "source": "s", "expiresAt": -WHOLE_64},
        "expiry_in_the_past",
    ),
    "charge of 2^63": (
        {"type": "Charge", "reservation": "open", "amount": WHOLE_64},
        "amount_out_of_range",
    ),
    "charge above the hold": (
        {"type": "Charge", "reservation": "open", "amount": 11},
        "exceeds_reservation",
    ),
    "charge below 0": (
        {"type": "Charge", "reservation": "open", "amount": -1},
        "amount_out_of_range",
    ),
    "a cost basis of 2^63": (
        {
            "type": "Grant",
            "amount": 1,
            "kind": "paid",
            "source": "s",
            "costBasis": {"amountMinor": WHOLE_64, "currency": "GBP"},
        },
        "amount_out_of_range",
    ),
    "usage of 2^63": (
        {
            "type": "Charge",
            "reservation": "open",
            "usage": {"cpuMs": WHOLE_64, "memoryMb": 1, "durationMs": 1},
        },
        "amount_out_of_range",
    ),
    "a top-up of 2^63": (
        {
            "type": "SetControls",
            "controls": {"topUp": {"below": 1, "pack": "p", "monthlyMaxMinor": WHOLE_64}},
        },
        "controls_invalid",
    ),
    "a zone that is a path": (
        {"type": "SetControls", "controls": {"timeZone": "../../etc/passwd"}},
        "controls_invalid",
    ),
    "a day limit below 0": (
        {"type": "SetControls", "controls": {"dayLimit": -1}},
        "controls_invalid",
    ),
}
WILD_TIMES = (0, -1, -WHOLE_64, WHOLE_64, 2**64, 10**30, -(10**30), 253_402_300_800_001)
FORGED = {
    "zero": 0,
    "negative": -1,
    "one too many": 10**6,
    "2^63": WHOLE_64,
}


@pytest.fixture
async def ledger(
    bootstrap: str, topic_prefix: str, tmp_path: Path, guard: Guard
) -> AsyncIterator[Ledger]:
    await ensure_topics(bootstrap, partitions=1, single_broker=True, prefix=topic_prefix)
    ledger = Ledger("ledger", bootstrap, topic_prefix, tmp_path, guard)
    ledger.start()
    await all_served([ledger], 1)
    yield ledger
    assert await ledger.stop() == 0
    log = ledger.logged()
    assert "[error" not in log, log
    assert "partition_halted" not in log, log


async def test_bytes_that_are_no_command_are_rejected_and_nothing_stops(
    bootstrap: str, topic_prefix: str, ledger: Ledger
) -> None:
    async with Caller(bootstrap, topic_prefix) as caller:
        await caller.grant(ACCOUNT, 100)
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
        await producer.start()
        sent: dict[int, str] = {}
        topic = topic_prefix + COMMANDS.name
        for name, value in UNDECODABLE.items():
            placed = await producer.send_and_wait(topic, value, ACCOUNT.encode(), partition=0)
            sent[placed.offset] = name
        good = codec.encode(Reserve(id="other", account=ACCOUNT, actor=SERVICE, amount=1))
        for name, key in (("no key", None), ("another key", b"else"), ("no text", b"\xff\xfe")):
            placed = await producer.send_and_wait(topic, good, key, partition=0)
            sent[placed.offset] = name
        await producer.stop()
        await settle(caller, "after")
        await caller.ask(Reserve(id="good", account=ACCOUNT, actor=SERVICE, amount=1))
        found = await audit(bootstrap, topic_prefix, caller.told)
        rejects = await _rejects(bootstrap, topic_prefix)
        print(f"{len(sent)} poisoned records, {found.rejected} rejected · {found}")
        assert {name for offset, name in sent.items() if offset not in rejects} == set()
        for record in await read_all(bootstrap, topic, 0):
            if record.offset in sent:
                hashed = hashlib.sha256(record.value or b"").hexdigest()
                assert rejects[record.offset].sha256 == hashed, sent[record.offset]
        assert found.available + found.held == 100


async def test_nonsense_is_refused_with_its_reason(
    bootstrap: str, topic_prefix: str, ledger: Ledger
) -> None:
    async with Caller(bootstrap, topic_prefix) as caller:
        await caller.grant(ACCOUNT, 100)
        held = await caller.ask(Reserve(id="open", account=ACCOUNT, actor=SERVICE, amount=10))
        assert isinstance(held, CreditsReserved)
        for number, (name, (asked, reason)) in enumerate(REFUSED.items()):
            event = await caller.ask(_command(f"n{number}", asked))
            assert isinstance(event, CommandRefused), (name, event)
            assert event.reason == reason, (name, event)
        for field in ("cpuMs", "memoryMb", "durationMs"):
            for name, value in FORGED.items():
                limits = {"cpuMs": 100, "memoryMb": 64, "durationMs": 1000, field: value}
                asked = {"tool": TOOL, "limits": limits}
                event = await caller.ask(_command(f"f-{field}-{name.replace(' ', '-')}", asked))
                assert isinstance(event, CommandRefused), (field, name, event)
                assert event.reason == "requested_limits_invalid", (field, name, event)
        found = await audit(bootstrap, topic_prefix, caller.told)
        print(f"{len(REFUSED)} refused · {3 * len(FORGED)} forged limits refused · {found}")
        assert (found.available, found.held) == (90, 10)


async def test_wild_times_are_answered(bootstrap: str, topic_prefix: str, ledger: Ledger) -> None:
    """Times that no calendar has: whatever the answer, the partition goes on."""
    async with Caller(bootstrap, topic_prefix) as caller:
        await caller.grant(ACCOUNT, 100)
        gift = {"type": "Grant", "amount": 1, "kind": "promo"}
        for number, ms in enumerate(WILD_TIMES):
            wild: list[dict[str, Any]] = [
                {"amount": 1, "issuedAt": ms},
                {"amount": 1, "deadline": ms},
                {**gift, "source": f"a{number}", "expiresAt": ms},
                {**gift, "source": f"b{number}", "effectiveFrom": ms},
                {"type": "Expire", "grant": "x", "issuedAt": ms},
                {"type": "Extend", "reservation": "x", "lifetimeMs": ms},
            ]
            for place, asked in enumerate(wild):
                await caller.ask(_command(f"w{number}-{place}", asked))
        for zone in (
            "Pacific/Kiritimati",
            "Africa/Monrovia",
            "America",
            "",
            "posixrules",
            "x" * 999,
        ):
            asked = {"type": "SetControls", "controls": {"timeZone": zone, "dayLimit": 50}}
            await caller.ask(_command(f"z-{zone[:40]}", asked))
            await caller.ask(_command(f"zr-{zone[:40]}", {"amount": 1}))
        print(await audit(bootstrap, topic_prefix, caller.told))


def _command(name: str, asked: dict[str, Any]) -> Any:
    """A command that no type checker would let pass, decoded as the ledger will."""
    actor = {"kind": "admin", "id": "x"}
    raw = {"type": "Reserve", "id": name, "account": ACCOUNT, "actor": actor, **asked}
    return codec.decode_command(msgspec.json.encode(raw))


async def _rejects(bootstrap: str, prefix: str) -> dict[int, CommandRejected]:
    events = [
        codec.decode_event(r.value) for r in await read_all(bootstrap, prefix + EVENTS.name, 0)
    ]
    return {
        event.command.offset: event
        for event in events
        if isinstance(event, CommandRejected) and event.command is not None
    }
