"""Teams as pages, without a script: made, invited into, changed, left; told at each field."""

import re

import httpx
import pytest

from tests.integration.gateway_world import World
from tests.integration.test_gateway_acting import acts
from tests.integration.test_gateway_pages_tools import SCANNER, form_of
from tests.integration.test_gateway_teams import joined, signed_in, team_of
from tests.mailbox import Mailbox

TEAMS = "/account/team"


def said(page: httpx.Response) -> str:
    """What a page says, markup aside."""
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page.text))


async def test_a_team_is_made_and_somebody_joins_changes_and_is_taken_out(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as owner, pages_api.client() as friend:
        await signed_in(owner, pages_mail)
        made = await owner.post(TEAMS, data={"name": "  Red   <b>team</b> "})
        assert made.status_code == 303, made.text
        team = made.headers["location"].partition("?")[0]
        page = await owner.get(made.headers["location"])
        assert "Red &lt;b&gt;team&lt;/b&gt;" in page.text
        assert "Red <b>" not in page.text, "a name is never markup"

        person, email = await signed_in(friend, pages_mail)
        asked = {"email": email, "role": "member", "limit": "1,500", "window": "day"}
        sent = await owner.post(f"{team}/invitations", data=asked)
        assert sent.headers["location"] == f"{team}?told=sent"
        assert f"{email} as member" in said(await owner.get(team))
        token = pages_mail.token(email)
        taken = await friend.post(f"{TEAMS}/invitation", data={"token": token})
        assert "You are in Red" in said(taken)
        assert f'href="{team}"' in taken.text
        assert "1,500 a day" in said(await owner.get(team))

        member = f"{team}/members/{person}"
        changed = await owner.post(member, data={"role": "viewer", "limit": "", "window": "day"})
        assert changed.headers["location"] == f"{team}?told=changed"
        assert f"{email} Change {email} viewer no limit" in said(await owner.get(team))
        out = await owner.post(f"{member}/remove", data={})
        assert out.headers["location"] == f"{team}?told=removed"
        assert email not in (await owner.get(team)).text
        assert (await friend.get(team)).status_code == 404


async def test_whoever_leaves_is_told_and_the_last_owner_stays(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as owner, pages_api.client() as friend:
        me, _ = await signed_in(owner, pages_mail)
        team = await team_of(owner, pages_api, 100)
        person = await joined(owner, friend, pages_mail, team, role="member")
        no = await owner.post(f"{TEAMS}/{team}/members/{me}/remove", data={})
        assert (no.status_code, "A team needs an owner" in no.text) == (409, True)
        await acts(friend, team)  # the page is left from, whomever they act for
        left = await friend.post(f"{TEAMS}/{team}/members/{person}/remove", data={"acting": team})
        assert left.headers["location"] == f"{TEAMS}?told=left"
        page = await friend.get(left.headers["location"])
        assert "You have left the team." in page.text
        assert "Blue" not in page.text


async def test_what_is_wrong_is_told_at_its_field_and_nothing_is_sent(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as owner:
        await signed_in(owner, pages_mail)
        for name in ("", "   ", "x" * 10_000, "a\u202eb", "\x07"):
            told = await owner.post(TEAMS, data={"name": name})
            assert (told.status_code, 'id="name-fault"' in told.text) == (422, True), name
        team = await team_of(owner, pages_api, 1)
        good = {"email": "a@example.org", "role": "member", "limit": "5", "window": "day"}
        for field, value in (
            ("email", ""), ("email", "nobody"), ("email", "x" * 10_000 + "@example.org"),
            ("role", "owner"), ("role", "king"), ("role", ""),
            ("limit", "-1"), ("limit", "1.5"), ("limit", "many"), ("limit", "9" * 30),
        ):  # fmt: skip
            form = {**good, field: value}
            told = await owner.post(f"{TEAMS}/{team}/invitations", data=form)
            assert told.status_code == 422, (field, value)
            assert f'id="{field}-fault"' in told.text, (field, value)
        assert (await owner.get(f"/api/teams/{team}")).json()["invitations"] == []
        me = (await owner.get("/api/me")).json()["account"]
        wrong = await owner.post(f"{TEAMS}/{team}/members/{me}", data={**good, "limit": "-1"})
        assert (wrong.status_code, 'id="limit-fault"' in wrong.text) == (422, True)


@pytest.mark.parametrize("role", ["viewer", "member"])
async def test_whoever_does_not_lead_looks_and_may_leave(
    pages_api: World, pages_mail: Mailbox, role: str
) -> None:
    async with pages_api.client() as owner, pages_api.client() as friend:
        me, email = await signed_in(owner, pages_mail)
        team = await team_of(owner, pages_api, 1)
        person = await joined(owner, friend, pages_mail, team, role=role)
        page, of_team = await friend.get(f"{TEAMS}/{team}"), f"{TEAMS}/{team}"
        assert (page.status_code, email in page.text) == (200, True)
        assert "Invite somebody" not in page.text
        mine = await friend.get(f"{of_team}/members/{person}")
        assert ("Leave Blue" in said(mine), "Role and limit" in said(mine)) == (True, False)
        wide = {"role": "admin", "limit": "", "window": "day", "email": "x@example.org"}
        assert (await friend.get(f"{of_team}/members/{me}")).status_code == 403
        for path in ("invitations", f"members/{person}", f"members/{me}/remove"):
            no = await friend.post(f"{of_team}/{path}", data=wide)
            assert no.status_code == 403, path


async def test_another_s_team_gift_run_and_receipt_are_plainly_not_there(
    pages_api: World, pages_mail: Mailbox
) -> None:
    async with pages_api.client() as owner, pages_api.client() as stranger:
        me, _ = await signed_in(owner, pages_mail)
        await signed_in(stranger, pages_mail)
        team = await team_of(owner, pages_api, 500)
        await acts(owner, team)
        tool = await owner.get(f"/tools/{SCANNER}")
        ran = await owner.post(f"/tools/{SCANNER}/run", data=form_of(tool.text))
        receipt = ran.headers["location"].partition("?")[0]
        assert (await owner.get(receipt)).status_code == 200
        for path in (f"{TEAMS}/{team}", f"{TEAMS}/{team}/members/{me}", receipt):
            page = await stranger.get(path)
            assert (page.status_code, team in page.text) == (404, False), path
            assert "Blue" not in page.text
        wide = {"role": "admin", "limit": "", "window": "day", "email": "x@example.org"}
        for path in (
            f"{TEAMS}/{team}/invitations", f"{TEAMS}/{team}/members/{me}",
            f"{TEAMS}/{team}/members/{me}/remove", f"{TEAMS}/{team}/invitations/inv-1/withdraw",
            "/account/gifts/gift-of-somebody/cancel",
        ):  # fmt: skip
            assert (await stranger.post(path, data=wide)).status_code == 404, path
