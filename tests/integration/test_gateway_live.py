"""Live pages on real Kafka: every tab hears it, exactly once, and nobody else does."""

import asyncio
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from engine.guard import Guard
from engine.local import Engine
from engine.ports import free_port
from gateway import keystore
from gateway.keys import Scope
from gateway.live import STREAMS_PER_CALLER_MAX

from tests.integration.gateway_world import World, fresh, granted, keyed, world
from tests.integration.live_page import Page, page


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("live")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services = ("ledger", "audit-projector")
    with world(engine, database, prefix, folder, guard, services=services) as made:
        yield made


@pytest.fixture(scope="module")
def other(api: World) -> str:
    """The address of a second gateway."""
    port = free_port()
    started = api.start("gateway.2", SCRIP_HTTP_PORT=str(port))
    started.wait_ready(f"http://127.0.0.1:{port}/readyz")
    return f"http://127.0.0.1:{port}"


async def spend(service: httpx.AsyncClient, account: str, amount: int, name: str) -> None:
    body = {"account": account, "amount": amount}
    held = await service.post("/v1/reservations", json=body, headers=keyed(name))
    assert held.status_code == 201, held.text
    charged = await service.post(
        f"/v1/reservations/{name}/charge", json=body, headers=keyed(f"{name}.c")
    )
    assert charged.status_code == 200, charged.text


async def hold(service: httpx.AsyncClient, account: str, count: int, name: str) -> None:
    items = [
        {"op": "reserve", "idempotencyKey": f"{name}-{n}", "account": account, "amount": 1}
        for n in range(count)
    ]
    done = await service.post("/v1/batch", json={"items": items})
    assert done.status_code == 200, done.text


async def told(tab: Page, count: int) -> list[tuple[str, int]]:
    return [
        (said.body["type"], said.body["balance"]["available"])
        for said in [await tab.next() for _ in range(count)]
    ]


async def test_every_tab_hears_a_charge_and_nobody_elses_does(api: World) -> None:
    async with (
        api.client(api.key()) as service,
        api.client() as browser,
        api.client() as stranger,
        api.client() as nobody,
    ):
        account, foreign = await granted(service, 100), fresh("other")
        await browser.post("/dev/sign-in", json={"account": account})
        await stranger.post("/dev/sign-in", json={"account": foreign})
        async with page(browser) as one, page(browser) as two, page(stranger) as theirs:
            assert one.answer.headers["content-type"].startswith("text/event-stream")
            for tab in (one, two):
                first = await tab.next()
                assert (first.name, first.body["balance"]["available"]) == ("snapshot", 100)
            assert (await theirs.next()).body["balance"]["available"] == 0
            await spend(service, account, 30, "r1")
            for tab in (one, two):
                assert await told(tab, 2) == [("CreditsReserved", 70), ("CreditsCharged", 70)]
            given = {"amount": 7, "kind": "promo", "source": f"s-{foreign}"}
            await service.post(f"/v1/accounts/{foreign}/grants", json=given, headers=keyed("g"))
            assert await told(theirs, 1) == [("CreditsGranted", 7)]
        async with page(stranger, **{"Scrip-Account": foreign}) as own:
            assert own.answer.status_code == 200
        spying = await stranger.get("/api/live", headers={"Scrip-Account": account})
        assert spying.status_code == 404
        assert (await nobody.get("/api/live")).status_code == 401
    counts = api.metrics()
    assert 'scrip_live_ended_total{why="gone"}' in counts
    assert "scrip_live_delay_seconds_count " in counts


async def test_a_page_that_comes_back_hears_exactly_what_it_missed_at_any_gateway(
    api: World, other: str
) -> None:
    async with api.client(api.key()) as service:
        account = await granted(service, 100)
        shown = {"Authorization": f"Bearer {api.key(account)}"}
        async with (
            api.client(**shown) as here,
            httpx.AsyncClient(base_url=other, headers=shown, timeout=30, trust_env=False) as there,
        ):
            async with page(here) as before:
                await before.next()
                await spend(service, account, 1, "r1")
                await told(before, 2)
            for name in ("r2", "r3"):
                await spend(service, account, 2, name)
            async with page(here, before.last) as kept, page(there, before.last) as read_again:
                missed = [await kept.next() for _ in range(4)]
                assert missed == [await read_again.next() for _ in range(4)]
                await spend(service, account, 1, "r4")
                new = [await kept.next() for _ in range(2)]
                assert new == [await read_again.next() for _ in range(2)]
            assert [said.body["balance"]["available"] for said in missed] == [97, 97, 95, 95]
            assert [said.body["reservation"] for said in new] == ["r4", "r4"]
            assert len({said.id for said in (*missed, *new)}) == 6
            async with page(here, new[-1].id) as idle:
                await spend(service, account, 1, "last")
                assert await told(idle, 2) == [("CreditsReserved", 93), ("CreditsCharged", 93)]


async def test_a_position_that_is_too_old_or_none_is_answered_by_a_snapshot(
    api: World, other: str
) -> None:
    async with api.client(api.key()) as service:
        account = await granted(service, 1_000)
        shown = {"Authorization": f"Bearer {api.key(account)}"}
        async with api.client(**shown) as here:
            async with page(here) as first:
                old = (await first.next()).id
            await hold(service, account, 600, "b")
        async with httpx.AsyncClient(
            base_url=other, headers=shown, timeout=30, trust_env=False
        ) as there:
            for position in (old, "nonsense", "OTk5OjE="):
                async with page(there, position) as back:
                    reset, now = await back.next(), await back.next()
                    assert (reset.name, now.name) == ("reset", "snapshot"), position
                    assert now.body["balance"]["held"] == 600


async def test_who_does_not_read_is_cut_off_and_told_why(api: World) -> None:
    async with api.client(api.key(scopes=frozenset({Scope.GRANT, Scope.SPEND}))) as service:
        account = await granted(service, 100_000)
        key = api.key(account)
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow.connect(("127.0.0.1", api.port))
        slow.sendall(
            f"GET /api/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        )
        slow.settimeout(20)
        heard = await asyncio.to_thread(slow.recv, 100)
        for number in range(16):
            items = [
                {
                    "op": "reserve",
                    "idempotencyKey": f"b{number}-{n}",
                    "account": account,
                    "amount": 1,
                }
                for n in range(1_000)
            ]
            done = await service.post("/v1/batch", json={"items": items})
            assert done.status_code == 200, done.text
        async with api.client(key) as quick, page(quick) as tab:
            assert (await tab.next()).body["balance"]["held"] == 16_000
            while chunk := await asyncio.to_thread(slow.recv, 1 << 16):
                heard += chunk
                if b"event: end" in heard:
                    break
    slow.close()
    assert b'event: end\ndata: {"reason":"slow"}' in heard


async def test_a_stream_ends_with_its_session_and_with_its_key(api: World) -> None:
    account = fresh("acc")
    key = api.key(account)
    async with api.client() as browser, api.client(key) as program:
        await browser.post("/dev/sign-in", json={"account": account})
        async with page(browser) as by_session, page(program) as by_key:
            for tab in (by_session, by_key):
                assert (await tab.next()).name == "snapshot"
            await browser.post("/api/sign-out")
            keystore.revoke(api.database, key.split("_")[2], keystore.now_ms())
            for tab in (by_session, by_key):
                ended = await tab.next()
                assert (ended.name, ended.body) == ("end", {"reason": "signed_out"})
                with pytest.raises(EOFError):
                    await tab.next()
        assert (await browser.get("/api/live")).status_code == 401


async def test_one_person_has_so_many_live_pages_and_no_more(api: World) -> None:
    account = fresh("acc")
    async with api.client(api.key(account)) as person:
        tabs = [page(person) for _ in range(STREAMS_PER_CALLER_MAX)]
        for tab in tabs:
            await tab.__aenter__()
        assert f"scrip_live_streams {STREAMS_PER_CALLER_MAX}.0" in api.metrics()
        full = await person.get("/api/live")
        assert (full.status_code, full.json()["code"]) == (429, "too_many_streams")
        assert full.headers["retry-after"]
        for tab in tabs:
            await tab.__aexit__(None, None, None)
        async with page(person) as again:
            assert (await again.next()).name == "snapshot"


async def test_a_gateway_that_stops_ends_its_streams_and_stops_soon(api: World, other: str) -> None:
    stopping = api.processes["gateway.2"]
    shown = {"Authorization": f"Bearer {api.key(fresh('acc'))}"}
    async with (
        httpx.AsyncClient(base_url=other, headers=shown, trust_env=False, timeout=30) as client,
        page(client) as tab,
    ):
        await tab.next()
        stopped = asyncio.create_task(asyncio.to_thread(stopping.stop, 4))
        ended = await tab.next()
        assert (ended.name, ended.body) == ("end", {"reason": "stopping"})
        with pytest.raises(EOFError):
            await tab.next()
        assert await stopped == 0
