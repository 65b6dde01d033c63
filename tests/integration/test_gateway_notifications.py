"""What owners are told arrives once, where they chose it, and belongs to nobody else."""

import asyncio
import time
from typing import Any

import httpx
import psycopg
from aiokafka import AIOKafkaProducer
from bus.partition import partition_of
from contracts.codec import encode
from contracts.notifications import Notification, NotificationKind
from contracts.topics import NOTIFICATIONS

from tests.integration.gateway_world import PARTITIONS, World, fresh, keyed
from tests.mailbox import Mailbox

LIST, CHOICES = "/api/notifications", "/api/notifications/preferences"
KINDS = NotificationKind


async def signed_in(api: World, browser: httpx.AsyncClient, box: Mailbox) -> tuple[str, str]:
    """Somebody with an address: the account and the address."""
    email = f"{fresh('ada')}@example.org"
    await browser.post("/api/sign-in", json={"email": email})
    await browser.post("/sign-in/link", json={"token": box.token(email)})
    account: str = (await browser.get("/api/me")).json()["account"]
    return account, email


async def granted(api: World, account: str, amount: int) -> None:
    async with api.client(api.key()) as service:
        body = {"amount": amount, "kind": "paid", "source": fresh("s")}
        url = f"/v1/accounts/{account}/grants"
        assert (await service.post(url, json=body, headers=keyed(fresh("g")))).status_code == 201


async def put(api: World, *told: Notification) -> None:
    """As the notifier writes them."""
    producer = AIOKafkaProducer(bootstrap_servers=api.engine.bootstrap)
    await producer.start()
    try:
        for one in told:
            number = partition_of(one.account, PARTITIONS)
            topic, key = api.prefix + NOTIFICATIONS.name, one.account.encode()
            await producer.send_and_wait(topic, encode(one), key, number)
    finally:
        await producer.stop()


def notice(account: str, kind: NotificationKind, **more: Any) -> Notification:
    now = time.time_ns() // 1_000_000
    return Notification(fresh("ntf-test"), account, kind, now, **more)


async def listed(browser: httpx.AsyncClient, count: int, **query: Any) -> dict[str, Any]:
    """The list, once so many are in it."""
    found: dict[str, Any] = {}
    for _ in range(200):
        found = (await browser.get(LIST, params=query)).json()
        if len(found["items"]) >= count:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"never {count}: {found}")


async def mailed(box: Mailbox, email: str, words: str, count: int = 1) -> list[str]:
    """The mails that say this, once there are so many."""
    for _ in range(200):
        texts = [str(mail["Subject"]) + mail.get_content() for mail in box.to(email)]
        found = [text for text in texts if words in text]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{email} never got {words!r}: {texts}")


def states(api: World, name: str) -> list[tuple[str, int]]:
    with psycopg.connect(api.database) as connection:
        sql = "SELECT state, tries FROM identity.notification_mails WHERE id = %s ORDER BY person"
        return connection.execute(sql, (name,)).fetchall()


async def until(api: World, name: str, *expected: tuple[str, int]) -> None:
    for _ in range(200):
        if (found := states(api, name)) == [*expected]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{found}, not {expected}")


async def test_what_was_bought_stands_in_the_list_until_it_is_read(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as browser, pages_api.client() as other:
        account, email = await signed_in(pages_api, browser, pages_mail)
        await granted(pages_api, account, 500)
        (item,) = (await listed(browser, 1))["items"]
        assert (item["kind"], item["amount"], item["read"]) == ("purchase_credited", 500, False)
        assert item["title"] == "500 credits arrived"
        page = (await browser.get("/account/credits")).text
        assert "Notifications <b>1<" in page
        assert "500 credits arrived" in (await browser.get("/notifications")).text
        await other.post("/dev/sign-in", json={"account": fresh("eve")})
        assert (await other.post(f"{LIST}/{item['id']}/read")).status_code == 404
        assert (await other.get(LIST)).json() == {"items": [], "unread": 0}
        assert (await browser.post(f"{LIST}/{item['id']}/read")).status_code == 204
        assert (await browser.get(f"{LIST}/unread")).json() == {"unread": 0}
        assert "Notifications <b>" not in (await browser.get("/account/credits")).text
    assert [str(mail["Subject"]) for mail in pages_mail.to(email)] == ["Your link to sign in"]


async def test_the_list_is_read_by_cursor_and_marked_up_to_what_was_seen(
    pages_api: World,
) -> None:
    async with pages_api.client() as browser:
        account = fresh("ada")
        await browser.post("/dev/sign-in", json={"account": account})
        told = [notice(account, KINDS.GIFT_CLAIMED, amount=n) for n in range(1, 8)]
        await put(pages_api, *told)
        await listed(browser, 7)
        seen, cursor = list[int](), ""
        while True:
            page = (await browser.get(LIST, params={"limit": 3, "cursor": cursor})).json()
            seen += [item["amount"] for item in page["items"]]
            if (cursor := page.get("nextCursor", "")) == "":
                break
        assert seen == [7, 6, 5, 4, 3, 2, 1]
        marked = await browser.post(f"{LIST}/read", json={"upTo": told[4].id})
        assert marked.json() == {"read": 5}
        left = (await browser.get(LIST, params={"unread": True})).json()
        assert [item["amount"] for item in left["items"]] == [7, 6]
        form = await browser.post("/notifications/read", data={"up_to": told[6].id})
        assert form.status_code == 303
        assert (await browser.get(f"{LIST}/unread")).json() == {"unread": 0}
        assert (await browser.get(LIST, params={"cursor": "x"})).status_code == 422


async def test_told_twice_it_is_kept_once_and_mailed_once(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as browser:
        account, email = await signed_in(pages_api, browser, pages_mail)
        one = notice(account, KINDS.EXPIRY_NOTICE, amount=40, days=7, about="g")
        last = notice(account, KINDS.GIFT_CLAIMED, amount=1)
        await put(pages_api, one, one, one, last)
        items = (await listed(browser, 2))["items"]
        assert [item["id"] for item in items] == [last.id, one.id]
        (text,) = await mailed(pages_mail, email, "40 credits end in 7 days")
        assert "/notifications/preferences" in text
        await until(pages_api, one.id, ("sent", 1))
        assert states(pages_api, last.id) == []
        mail = pages_mail.to(email)[-1]
        assert one.id in str(mail["Message-ID"])
        assert "/notifications/preferences" in str(mail["List-Unsubscribe"])


async def test_each_kind_goes_where_it_is_wanted_and_nowhere_else(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as browser:
        account, email = await signed_in(pages_api, browser, pages_mail)
        first = await browser.get(CHOICES)
        wanted = [
            {"kind": "gift_claimed", "inApp": False, "email": True},
            {"kind": "gift_returned", "inApp": False, "email": False},
            {"kind": "expiry_notice", "inApp": True, "email": False},
        ]
        missing = await browser.put(CHOICES, json={"choices": wanted})
        assert missing.status_code == 428
        changed = await browser.put(
            CHOICES, json={"choices": wanted}, headers={"If-Match": first.headers["etag"]}
        )
        assert (changed.status_code, changed.headers["etag"]) == (200, '"1"')
        await put(
            pages_api,
            notice(account, KINDS.GIFT_RETURNED, amount=3),
            notice(account, KINDS.GIFT_CLAIMED, amount=4),
            notice(account, KINDS.EXPIRY_NOTICE, amount=5, days=1),
        )
        found = await listed(browser, 1)
        await mailed(pages_mail, email, "gift of 4 credits")
        assert [item["kind"] for item in found["items"]] == ["expiry_notice"]
        assert found["unread"] == 1
        subjects = [str(mail["Subject"]) for mail in pages_mail.to(email)]
        assert subjects == ["Your link to sign in", "Your gift was taken"]


async def test_of_two_tabs_that_choose_the_second_is_told_and_nothing_of_it_is_saved(
    pages_api: World,
) -> None:
    async with pages_api.client() as browser:
        await browser.post("/dev/sign-in", json={"account": fresh("ada")})
        path = "/notifications/preferences"
        assert 'name="version" value="0"' in (await browser.get(path)).text
        one = {"version": "0", "in_app": ["gift_claimed"], "email": ["gift_claimed"]}
        assert (await browser.post(path, data=one)).status_code == 303
        two = await browser.post(path, data={"version": "0", "in_app": ["gift_returned"]})
        assert two.status_code == 412
        assert "Nothing of yours was saved" in two.text
        held = (await browser.get(CHOICES)).json()
        on = [x["kind"] for x in held["choices"] if x["inApp"] or x["email"]]
        assert (on, held["version"]) == (["gift_claimed"], "1")
        stale = await browser.put(CHOICES, json={"choices": []}, headers={"If-Match": '"0"'})
        assert (stale.status_code, stale.json()["current"]["version"]) == (412, "1")


async def test_a_test_alert_takes_the_road_of_the_alerts(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as browser:
        account, email = await signed_in(pages_api, browser, pages_mail)
        assert "test alert" in (await browser.get("/account/settings/credits")).text
        pressed = await browser.post("/notifications/test")
        assert pressed.status_code == 303
        assert "on its way" in (await browser.get(pressed.headers["location"])).text
        await listed(browser, 1)
        await mailed(pages_mail, email, "This is a test alert")
        off = {"alertEmail": False, "alertInApp": True}
        settings = "/api/account/settings/credits"
        saved = await browser.put(settings, json=off, headers={"If-Match": '"0"'})
        assert saved.status_code == 200, saved.text
        assert (await browser.post(f"{LIST}/test")).status_code == 202
        again = (await listed(browser, 2))["items"][0]
        assert states(pages_api, again["id"]) == []
        assert account


async def test_a_mail_that_is_not_taken_is_tried_again_and_one_in_doubt_never(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as browser:
        account, email = await signed_in(pages_api, browser, pages_mail)
        late = notice(account, KINDS.EXPIRY_NOTICE, amount=77, days=1)
        pages_mail.refused.add(email)
        await put(pages_api, late)
        await until(pages_api, late.id, ("due", 1))
        pages_mail.refused.discard(email)
        doubt = notice(account, KINDS.GIFT_CLAIMED, amount=78)
        await put(pages_api, doubt)
        await listed(browser, 2)
        with psycopg.connect(pages_api.database) as connection:
            table = "identity.notification_mails"
            connection.execute(
                f"INSERT INTO {table} VALUES (%s, %s, 'sending', 1, 0, 1)", (doubt.id, account)
            )
            connection.execute(f"UPDATE {table} SET due_at = 0 WHERE id = %s", (late.id,))
        await mailed(pages_mail, email, "77 credits")
        await until(pages_api, late.id, ("sent", 2))
        await until(pages_api, doubt.id, ("unknown", 1))
        assert not [mail for mail in pages_mail.to(email) if "78 credits" in mail.get_content()]


async def test_a_teams_news_goes_to_those_who_lead_it(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as owner, pages_api.client() as member:
        _, first = await signed_in(pages_api, owner, pages_mail)
        second_id, second = await signed_in(pages_api, member, pages_mail)
        team = (await owner.post("/api/teams", json={"name": "Blue"})).json()["id"]
        with psycopg.connect(pages_api.database) as connection:
            seat = "INSERT INTO identity.members VALUES (%s, %s, 'member', 0)"
            connection.execute(seat, (team, second_id))
        await put(pages_api, notice(team, KINDS.EXPIRY_NOTICE, amount=31, days=7))
        await mailed(pages_mail, first, "31 credits end")
        seen = (await member.get(LIST, headers={"Scrip-Account": team})).json()
        assert [item["amount"] for item in seen["items"]] == [31]
        assert len(pages_mail.to(second)) == 1, "the link to sign in"


async def test_it_is_in_the_export_and_gone_with_the_person(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as browser:
        account, _ = await signed_in(pages_api, browser, pages_mail)
        one = notice(account, KINDS.GIFT_CLAIMED, amount=12)
        await put(pages_api, one)
        await listed(browser, 1)
        export = (await browser.get("/api/account/export")).json()
        assert [item["id"] for item in export["notifications"]] == [one.id]
        assert export["notificationPreferences"]["version"] == "0"
        erased = await browser.post("/api/account/erasure", json={"account": account})
        assert erased.status_code == 200, erased.text
    after, another = notice(account, KINDS.GIFT_CLAIMED, amount=13), fresh("bob")
    async with pages_api.client() as browser:
        await browser.post("/dev/sign-in", json={"account": another})
        await put(pages_api, after, notice(another, KINDS.GIFT_CLAIMED, amount=1))
        if partition_of(account, PARTITIONS) == partition_of(another, PARTITIONS):
            await listed(browser, 1)
    with psycopg.connect(pages_api.database) as connection:
        sql = "SELECT count(*) FROM identity.notifications WHERE account = %s"
        assert connection.execute(sql, (account,)).fetchone() == (0,)
