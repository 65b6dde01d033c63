"""The HTTP application from its parts; no connection is opened here."""

from bus.outbox import Outbox
from contracts.catalogue import served
from fastapi import FastAPI
from msgspec import Struct

from gateway import (
    account,
    accountkeys,
    controls,
    creditsettings,
    devsignin,
    embeds,
    giftroutes,
    health,
    limits,
    liveroutes,
    noticeroutes,
    openid,
    passing,
    paths,
    privacy,
    reads,
    referralroutes,
    signin,
    teamdesk,
    teamroutes,
    transfers,
    web,
)
from gateway.allocations import Allocations
from gateway.balances import Balances
from gateway.batch import Batch
from gateway.canary import Canary
from gateway.catchingup import CatchingUp
from gateway.choices import Choices
from gateway.departures import Departures
from gateway.dispatch import Dispatch
from gateway.door import Door
from gateway.embedtokens import EmbedTokens
from gateway.estimates import Estimates
from gateway.freshness import Freshness
from gateway.gifts import Gifts
from gateway.guest import Reception
from gateway.hot import Hot
from gateway.identity import Identity
from gateway.invitations import Invitations
from gateway.keyring import KeyRing
from gateway.links import Links
from gateway.listening import Listener
from gateway.live import Live
from gateway.logins import Logins
from gateway.looks import Looks
from gateway.mail import Mail
from gateway.metrics import Metrics
from gateway.notifications import Notifications
from gateway.pages import site
from gateway.people import People
from gateway.provider import Provider
from gateway.readmodels import ReadModels
from gateway.referrals import Referrals
from gateway.reservations import Reservations
from gateway.runs import Runs
from gateway.runstates import RunStates
from gateway.sessions import Sessions
from gateway.settings import Settings
from gateway.spending import Ledger, Spending
from gateway.statement import Statements
from gateway.stopping import Stopping
from gateway.tallies import Tallies
from gateway.teams import Teams
from gateway.usage import Usage
from gateway.waiting import Bridge
from gateway.watching import RunWatch


class Parts(Struct, frozen=True):
    """What the application stands on."""

    settings: Settings
    bridge: Bridge
    dispatch: Dispatch
    watch: RunWatch
    models: ReadModels
    identity: Identity
    ring: KeyRing
    metrics: Metrics
    passing: passing.Passing
    mail: Mail
    tallies: Tallies
    live: Live
    listener: Listener
    outbox: Outbox
    provider: Provider | None = None


class Running(Struct, frozen=True):
    """What the tools' pages ask as any caller does."""

    estimates: Estimates
    runs: Runs


def application(parts: Parts) -> tuple[Hot, FastAPI]:
    """The hot routes, and the framework's behind them."""
    settings, metrics, models = parts.settings, parts.metrics, parts.models
    catalogue, rates = served(settings.env), parts.tallies.rates
    sessions = sessions_of(settings, parts.identity)
    door = Door(parts.ring, sessions, Teams(parts.identity), parts.tallies.last_used)
    ledger = Ledger(parts.bridge, catalogue, metrics, settings.top_up_url)
    reservations = Reservations(models)
    runs = Runs(
        ledger,
        dispatch=parts.dispatch,
        watch=parts.watch,
        reservations=reservations,
        rates=rates,
        wait_ms=settings.run_wait_ms,
    )
    spending, estimates = Spending(ledger), Estimates(ledger, rates)
    rest = _rest(parts, door, ledger, sessions, Running(estimates, runs))
    hot = Hot(
        paths.fixed(spending, estimates, Batch(ledger), runs, catalogue),
        paths.named(spending, Stopping(ledger)),
        door,
        metrics,
        rest,
    )
    return hot, rest


def sessions_of(settings: Settings, identity: Identity) -> Sessions:
    """Sessions as people come here: by HTTPS or, on one machine, without."""
    return Sessions(identity, secure=settings.public_url.startswith("https:"))


def gifts_of(parts: Parts) -> Gifts:
    """Gifts, for whoever asks and for the sweep that returns them."""
    return Gifts(parts.identity, parts.models, parts.bridge, parts.settings.public_url)


def referrals_of(parts: Parts) -> Referrals:
    """Referrals, for whoever asks and for the sweep that gives their bonuses."""
    settings = parts.settings
    return Referrals(
        parts.identity, parts.models, parts.bridge, settings.public_url, settings.referral
    )


def notices_of(parts: Parts) -> noticeroutes.Desk:
    """What owners are told, for whoever asks and for those who put it there."""
    return noticeroutes.Desk(
        listed=Notifications(parts.identity),
        choices=Choices(parts.identity, Balances(parts.models, _freshness(parts))),
        outbox=parts.outbox,
        topic=noticeroutes.topic_of(parts.settings.topic_prefix),
        partitions=parts.bridge.flight.partitions,
    )


def _freshness(parts: Parts) -> Freshness:
    return Freshness(parts.models, parts.bridge.flight.partitions, parts.listener.seen)


def provider_of(settings: Settings) -> Provider | None:
    """The provider that people may sign in by, if one is set."""
    if settings.openid is None:
        return None
    back = settings.public_url + openid.BACK
    return Provider(settings.openid, back, plain=settings.developing)


def _openid(parts: Parts, signing: signin.SignIn) -> openid.OpenIdSignIn | None:
    if parts.provider is None:
        return None
    return openid.OpenIdSignIn(
        parts.provider,
        Departures(parts.identity),
        Logins(parts.identity, signing.people),
        signing.sessions,
    )


def _desk(
    parts: Parts, signing: signin.SignIn, settings: creditsettings.OwnSettings
) -> teamdesk.TeamDesk:
    return teamdesk.TeamDesk(
        signing=signing,
        teams=Teams(parts.identity),
        invitations=Invitations(parts.identity),
        allocations=Allocations(settings),
        models=parts.models,
        mail=parts.mail,
        rates=parts.tallies.rates,
    )


def _rest(
    parts: Parts, door: Door, ledger: Ledger, sessions: Sessions, running: Running
) -> FastAPI:
    rates, models, flight = parts.tallies.rates, parts.models, parts.bridge.flight
    freshness, reception = _freshness(parts), Reception(door, Looks(parts.identity))
    balances, reservations = Balances(models, freshness), Reservations(models)
    reading = reads.Reads(
        reception, freshness, balances, reservations, Statements(models), Usage(models)
    )
    catching_up = CatchingUp(parts.live, models, balances, freshness)
    tokens, origins = EmbedTokens(parts.identity, parts.ring), parts.settings.embed_origins
    embedding = embeds.Embeds(origins, tokens, balances, ledger, rates)
    people, public_url = People(parts.identity), parts.settings.public_url
    signing = signin.SignIn(sessions, people, Links(parts.identity), parts.mail, public_url)
    settings = creditsettings.OwnSettings(models, freshness, ledger)
    own_keys = accountkeys.AccountKeys(parts.identity, parts.settings.env)
    states, gifts = RunStates(parts.watch, reservations), gifts_of(parts)
    desk, notices = _desk(parts, signing, settings), notices_of(parts)
    own = privacy.Privacy(parts.identity, reading, settings, own_keys, gifts, desk.teams, notices)
    routers = [
        health.routes(parts.listener, flight, parts.ring, Canary(parts.bridge, ledger.catalogue)),
        reads.routes(reading),
        account.routes(reading, states, rates),
        transfers.routes(reception, freshness, models),
        giftroutes.routes(gifts, ledger, reception, rates),
        referralroutes.routes(referrals_of(parts), reception, rates),
        controls.routes(reception, balances, freshness, ledger, rates),
        limits.routes(reception, ledger, rates),
        passing.routes(parts.passing, reception, rates),
        liveroutes.routes(parts.live, catching_up, reception, rates, parts.metrics),
        embeds.routes(embedding, reception),
        signin.routes(signing),
        creditsettings.routes(settings, reception, rates),
        accountkeys.routes(own_keys, reception, rates),
        privacy.routes(own, reception, rates),
        teamroutes.routes(desk),
        noticeroutes.routes(notices, reception, rates),
    ]
    pages = site.Site(
        reception=reception,
        people=people,
        reads=reading,
        rates=rates,
        passing=parts.passing,
        signing=signing,
        desk=desk,
        notices=notices,
        own=settings,
        own_keys=own_keys,
        gifts=gifts,
        states=states,
        estimates=running.estimates,
        runs=running.runs,
        models=models,
        catalogue=ledger.catalogue,
        openid=_openid(parts, signing),
        anyone=parts.settings.developing,
    )
    routers += [devsignin.routes(sessions, people)] if parts.settings.developing else []
    return web.application([*routers, *site.routes(pages)])
