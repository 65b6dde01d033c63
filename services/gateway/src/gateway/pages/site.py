"""All pages in one list: a new page is a line here and, if people look for it, a `Place`."""

from contracts.catalogue import Catalogue
from fastapi import APIRouter
from msgspec import Struct

from gateway.accountkeys import AccountKeys
from gateway.creditsettings import OwnSettings
from gateway.estimates import Estimates
from gateway.gifts import Gifts
from gateway.guest import Reception
from gateway.noticeroutes import Desk
from gateway.openid import OpenIdSignIn
from gateway.pages import (
    accesskeys,
    administration,
    assets,
    bought,
    buying,
    claiming,
    giving,
    history,
    invited,
    noticed,
    overview,
    preferences,
    providing,
    receipts,
    signing,
    standing,
    success,
    teaming,
    teammember,
    tools,
    used,
)
from gateway.pages.assets import Assets
from gateway.pages.render import Renderer
from gateway.pages.visit import Doorway
from gateway.passing import Passing
from gateway.people import People
from gateway.rates import Rates
from gateway.readmodels import ReadModels
from gateway.reads import Reads
from gateway.runs import Runs
from gateway.runstates import RunStates
from gateway.signin import SignIn
from gateway.teamdesk import TeamDesk


class Site(Struct, frozen=True):
    """What the pages stand on."""

    reception: Reception
    people: People
    reads: Reads
    rates: Rates
    passing: Passing
    signing: SignIn
    desk: TeamDesk
    notices: Desk
    own: OwnSettings
    own_keys: AccountKeys
    gifts: Gifts
    states: RunStates
    estimates: Estimates
    runs: Runs
    models: ReadModels
    catalogue: Catalogue
    openid: OpenIdSignIn | None
    anyone: bool  # may be anybody here: a machine for development


def routes(site: Site) -> list[APIRouter]:
    """Every page, in the order in which they are looked for."""
    files = Assets()
    doorway = Doorway(
        site.reception,
        site.people,
        site.reads.balances,
        site.rates,
        Renderer(files),
        site.desk.teams,
        site.notices.listed,
    )
    shop = overview.Overview(doorway, site.reads, site.passing, site.catalogue)
    standing_pages = standing.Standing(doorway)
    team_pages = teaming.TeamPages(doorway, site.desk)
    openid = site.openid
    signing_pages = signing.SigningPages(
        doorway, site.signing, site.anyone, "" if openid is None else openid.name
    )
    by_provider = (
        [] if openid is None else [providing.routes(providing.Providing(signing_pages, openid))]
    )
    return [
        assets.routes(files),
        standing.routes(standing_pages),
        signing.routes(signing_pages),
        *by_provider,
        invited.routes(invited.Invited(doorway, site.desk)),
        teaming.routes(team_pages),
        teammember.routes(teammember.MemberPage(team_pages)),
        overview.routes(shop),
        buying.routes(buying.Buying(doorway, site.passing, site.catalogue)),
        bought.routes(bought.PurchasesPage(doorway, site.passing)),
        success.routes(success.Success(doorway, site.passing)),
        preferences.routes(preferences.Preferences(doorway, site.reads, site.own)),
        used.routes(used.UsagePage(doorway, site.reads)),
        tools.routes(tools.ToolPages(doorway, site.catalogue, site.estimates, site.runs)),
        giving.routes(giving.GiftsPage(doorway, site.gifts)),
        claiming.routes(claiming.ClaimPage(doorway, site.gifts)),
        accesskeys.routes(accesskeys.AccessKeys(doorway, site.own_keys)),
        noticed.routes(noticed.Noticed(doorway, site.notices)),
        history.routes(history.History(doorway, site.reads)),
        receipts.routes(
            receipts.Receipts(
                doorway, site.states, site.reads.reservations, site.models, site.catalogue
            )
        ),
        *administration.routes(site, doorway),
        standing.last_routes(standing_pages),
    ]
