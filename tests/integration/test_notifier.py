"""The notifier on a real log: each thing under one id, whoever dies, and only what counts."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from bus import kafka
from bus.partition import partition_of
from contracts.codec import decode_notification, encode
from contracts.events import CreditsGranted
from contracts.grants import GrantKind
from contracts.notifications import Notification, NotificationKind
from contracts.topics import EVENTS, NOTIFICATIONS
from engine.guard import Guard
from engine.local import Engine

from tests.integration.gateway_world import PARTITIONS, World, fresh, granted, keyed, world

PATIENCE_S = 40


@pytest.fixture(scope="module")
def told_of(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world with a notifier."""
    folder: Path = tmp_path_factory.mktemp("notifier")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services, off = ("ledger", "audit-projector", "notifier"), {"SCRIP_RATE_LIMITS": "off"}
    with world(engine, database, prefix, folder, guard, services=services, gateway=off) as made:
        yield made


async def written(api: World, account: str = "") -> list[Notification]:
    """All that lies in the topic, of an account or of all, in the order of each partition."""
    places = [TopicPartition(api.prefix + NOTIFICATIONS.name, p) for p in range(PARTITIONS)]
    opened = await kafka.consumer_at(api.engine.bootstrap, [(place, 0) for place in places])
    found = list[Notification]()
    try:
        ends = await opened.end_offsets(places)
        while any([await opened.position(place) < ends[place] for place in places]):
            got = await opened.getmany(timeout_ms=200)
            for place, records in got.items():
                for record in records:
                    told = decode_notification(record.value)
                    assert record.key == told.account.encode()
                    assert place.partition == partition_of(told.account, PARTITIONS)
                    found.append(told)
    finally:
        await kafka.close(opened)
    return [told for told in found if account in ("", told.account)]


async def of(api: World, account: str, *kinds: NotificationKind) -> list[Notification]:
    """What an account was told, once all of these kinds are among it."""
    found = list[Notification]()
    for _ in range(PATIENCE_S * 4):
        found = await written(api, account)
        if {*kinds} <= {told.kind for told in found}:
            return found
        await asyncio.sleep(0.25)
    raise AssertionError(f"{account} was told {found}, not {kinds}")


async def hold(service: httpx.AsyncClient, account: str, amount: int) -> httpx.Response:
    body = {"account": account, "amount": amount}
    return await service.post("/v1/reservations", json=body, headers=keyed(fresh("r")))


async def test_an_owner_is_told_what_came_what_is_used_and_what_stopped(told_of: World) -> None:
    async with told_of.client(told_of.key()) as service:
        account = await granted(service, 500)
        controls = {"dayLimit": 100, "alertPercents": [75]}
        put = await service.put(f"/v1/accounts/{account}/controls", json=controls)
        assert put.status_code == 200, put.text
        assert (await hold(service, account, 80)).status_code == 201
        for _ in range(5):
            assert (await hold(service, account, 50)).status_code == 402
    kinds = NotificationKind
    wanted = (kinds.PURCHASE_CREDITED, kinds.THRESHOLD_CROSSED, kinds.LIMIT_REACHED)
    found = {told.kind: told for told in await of(told_of, account, *wanted)}
    assert found.keys() == {*wanted}
    assert found[kinds.PURCHASE_CREDITED].amount == 500
    crossed = found[kinds.THRESHOLD_CROSSED]
    assert crossed.percent == 75
    assert crossed.limit is not None
    assert (crossed.limit.name, crossed.limit.limit, crossed.limit.held) == ("day", 100, 80)
    assert crossed.event is not None
    assert crossed.id == f"ntf-{crossed.event.partition}-{crossed.event.seq}-threshold_crossed"


async def test_a_gift_is_told_to_both_and_one_that_comes_back_to_who_made_it(
    told_of: World,
) -> None:
    kinds = NotificationKind
    async with told_of.client(told_of.key()) as service:
        giver, taker = await granted(service, 90), fresh("acc")
        for_giver, for_taker = {"Scrip-Account": giver}, {"Scrip-Account": taker}

        async def given(amount: int) -> dict[str, str]:
            made = await service.post(
                "/api/gifts",
                json={"amount": amount, "days": 3},
                headers={**for_giver, **keyed(fresh("g"))},
            )
            assert made.status_code == 201, made.text
            gift: dict[str, str] = made.json()
            return gift

        async def ended(how: str, gift: dict[str, str], headers: dict[str, str]) -> None:
            body = {"code": gift["code"]}
            for _ in range(100):
                answer = await service.post(f"/api/gifts/{how}", json=body, headers=headers)
                if answer.status_code == 200:
                    return
                await asyncio.sleep(0.1)
            raise AssertionError(answer.text)

        taken, back = await given(30), await given(20)
        await ended("claim", taken, for_taker)
        await ended("decline", back, for_taker)
    sent = {
        told.kind: told
        for told in await of(told_of, giver, kinds.GIFT_CLAIMED, kinds.GIFT_RETURNED)
    }
    (got,) = await of(told_of, taker, kinds.GIFT_RECEIVED)
    claimed, returned = sent[kinds.GIFT_CLAIMED], sent[kinds.GIFT_RETURNED]
    assert (claimed.amount, claimed.about) == (30, taken["giftId"])
    assert (returned.amount, returned.about) == (20, back["giftId"])
    assert (got.amount, got.about, got.event) == (30, taken["giftId"], claimed.event)


async def test_a_notifier_that_is_killed_loses_nothing_and_tells_nothing_new(
    told_of: World,
) -> None:
    grants = 60
    async with told_of.client(told_of.key()) as service:
        account = await granted(service, 1)
        for number in range(2, grants + 1):
            body = {"amount": number, "kind": "paid", "source": f"{account}-{number}"}
            url = f"/v1/accounts/{account}/grants"
            answer = await service.post(url, json=body, headers=keyed(fresh("g")))
            assert answer.status_code == 201, answer.text
            if number == 20:
                told_of.processes["notifier"].kill()
            if number == 25:
                told_of.start("notifier.second")  # two at once: the dead one's seat is still held
            if number == 40:
                told_of.start("notifier.third")
    for _ in range(PATIENCE_S * 2):
        found = await written(told_of, account)
        if len({told.id for told in found}) >= grants:
            break
        await asyncio.sleep(0.5)
    amounts = Counter(told.amount for told in {told.id: told for told in found}.values())
    assert amounts == Counter(range(1, grants + 1))
    same = {told.id: encode(told) for told in found}
    assert all(encode(told) == same[told.id] for told in found), "a repetition says the same"


async def test_what_does_not_count_is_told_to_nobody(told_of: World) -> None:
    """A paused owner wakes and writes: the record lies in the log, and nobody believes it."""
    async with told_of.client(told_of.key()) as service:
        account = await granted(service, 7)
        await of(told_of, account, NotificationKind.PURCHASE_CREDITED)
        forged = CreditsGranted(
            v=1,
            seq=10_000,
            owner="another-owner",
            account=account,
            version=99,
            at=1,
            grant="forged",
            kind=GrantKind.PAID,
            source="forged",
            amount=1_000_000,
            priority=50,
            effective_from=0,
            expires_at=253_402_300_800_000,
        )
        producer = AIOKafkaProducer(bootstrap_servers=told_of.engine.bootstrap)
        await producer.start()
        topic, number = told_of.prefix + EVENTS.name, partition_of(account, PARTITIONS)
        await producer.send_and_wait(topic, encode(forged), account.encode(), number)
        await producer.stop()
        body = {"amount": 8, "kind": "paid", "source": f"{account}-2"}
        url = f"/v1/accounts/{account}/grants"
        answer = await service.post(url, json=body, headers=keyed(fresh("g")))
        assert answer.status_code == 201, answer.text
    for _ in range(PATIENCE_S * 2):
        amounts = {told.amount for told in await written(told_of, account)}
        if 8 in amounts:
            break
        await asyncio.sleep(0.5)
    assert amounts == {7, 8}
