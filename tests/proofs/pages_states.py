"""Every state of every page as a made view: rare ones need not be caused to be seen.

A page is rendered from its view alone. `states()` names each with its template and status.
"""

from datetime import UTC, date, datetime, timedelta

from contracts.billing import PurchaseShown
from contracts.catalogue import bundled
from contracts.events import Balance
from gateway.balances import BalanceShown, LimitUsed, LotHeld
from gateway.freezes import Frozen
from gateway.pages import limitsform, words
from gateway.pages.bought import Bought, PurchasesView
from gateway.pages.buying import BuyView
from gateway.pages.changes import Change
from gateway.pages.history import Line
from gateway.pages.limitsform import Fault, Typed
from gateway.pages.overview import LotView, OverviewView, TopUp, pack_view
from gateway.pages.preferences import SettingsView
from gateway.pages.previews import Preview
from gateway.pages.purchases import Pending
from gateway.pages.regions import Trouble
from gateway.pages.runout import RunOut
from gateway.pages.shell import Chip, Choice, Shell
from gateway.pages.success import SuccessView
from gateway.pages.used import Range, UsageView, figures
from gateway.usage import Change as UsageChange
from gateway.usage import UsageShown, Used, UsedByDay, UsedByTool
from msgspec import Struct
from msgspec.structs import replace

NOW = datetime(2026, 11, 26, 21, 40, 12, tzinfo=UTC)
MIDNIGHT, MONTH = datetime(2026, 11, 27, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
LONG = "x" * 300
HOSTILE = "<b>\u202eevil</b> " + "very long name " * 12
CATALOGUE = bundled()
BY_TOOL = (700, 300, 150, 100, 80, 50, 30, 20, 13)  # adds up to what the days do
RUNS_BY_TOOL = (20, 12, 9, 6, 5, 3, 2, 2, 1)  # likewise
FAILED_BY_TOOL = (2, 1, 1, 1, 0, 0, 0, 0, 0)
LOST = Trouble("Your figures cannot be read right now. Nothing is lost.", "reads", "9f2c-17")


class State(Struct, frozen=True):
    """A page as it can be."""

    template: str
    view: Struct
    status: int = 200


def shell(title: str, here: str = "credits", *, stale: bool = False, who: str = "") -> Shell:
    chip = Chip(1859, 85, 1443, NOW, stale, "MDo4", "acc-ada")
    return Shell(
        title=title,
        here=here,
        who=who or "ada@example.org",
        chip=chip,
        zone="Europe/London",
        request_id="9f2c-17",
        account="acc-ada",
        choices=(Choice("acc-ada", who or "ada@example.org"), Choice("team-1", HOSTILE)),
    )


def balance(**more: object) -> BalanceShown:
    limits = [
        LimitUsed(name="day", limit=500, used=26, held=85, left=389, resets_at=MIDNIGHT),
        LimitUsed(name="month", limit=4000, used=1365, held=85, left=2550, resets_at=MONTH),
    ]
    found = BalanceShown(
        account="ada",
        available=1859,
        held=85,
        spent=1443,
        balance=Balance(1859, 85, 1443),
        lots=list[LotHeld](),
        limits=limits,
        as_of=NOW,
        complete=True,
        position="MDo4",
    )
    return replace(found, **more)


def lines(count: int = 8) -> list[Line]:
    kinds = ("CreditsCharged", "CreditsReserved", "CreditsGranted", "CommandRefused")
    return [
        Line(
            id=str(900 - n),
            at=NOW - timedelta(hours=7 * n),
            what=words.entry(kind := kinds[n % 4]),
            about="13 credits went back" if n % 4 == 0 else HOSTILE if n % 4 == 3 else "",
            tool="dev-studio-security" if n % 4 < 2 else None,
            run=f"run-{n}" if n % 4 < 2 else None,
            amount=(-3, 0, 1400, 0)[n % 4],
            moved=(3, 16, 1400, 0)[n % 4],
            verb=words.VERBS.get(kind, ""),
            available=1859 - 3 * n,
            held=16 * (n % 2),
            spent=1443,
        )
        for n in range(count)
    ]


def credits_page(**more: object) -> State:
    lots = [
        LotView("Promo", 527, 85, 700, NOW + timedelta(days=14), soon=True),
        LotView("Bought", 1312, 0, 1400, NOW + timedelta(days=729), soon=False),
        LotView("Goodwill", 20, 0, 20, None, soon=False),
    ]
    view = OverviewView(
        shell=shell("Credits"),
        balance=balance(),
        pending=[],
        lots=lots,
        limits=balance().limits,
        pace=RunOut(30, 481, date(2027, 1, 3)),
        packs=[pack_view(pack) for pack in CATALOGUE.packs.values()],
        top_up=TopUp(200, 500, 1000, 5000, "GBP"),
        lines=lines(),
        chosen=0,
    )
    return State("credits.html", replace(view, **more))


def credits_states() -> dict[str, State]:
    paid = Pending(500, paid=True, session_id="cs_1")
    begun = Pending(1400, paid=False, session_id="cs_2")
    frozen = [Frozen(reason="support", since=NOW)]
    return {
        "credits": credits_page(),
        "credits-new": credits_page(lots=[], lines=[], pace=None, top_up=None),
        "credits-pending": credits_page(pending=[paid, begun]),
        "credits-needed": credits_page(need=16, chosen=1),
        "credits-stale": credits_page(shell=shell("Credits", stale=True)),
        "credits-lost": credits_page(
            balance=LOST, lots=LOST, lines=LOST, pending=LOST, pace=None, limits=[]
        ),
        "credits-stopped": credits_page(balance=balance(frozen=frozen, debt=120)),
        "credits-team": credits_page(
            shell=replace(shell("Credits"), account="team-1", acting=HOSTILE)
        ),
        "credits-long-name": credits_page(shell=shell("Credits", who=LONG)),
    }


def usage_page(used: int) -> UsageShown:
    first = date(2026, 10, 28)
    days = [
        UsedByDay(date=first + timedelta(days=n), credits=used * (n % 9) * 13, runs=used * n % 5)
        for n in range(30)
    ]
    by_tool = [
        UsedByTool(
            tool_id=tool,
            credits=used * BY_TOOL[n],
            runs=used * RUNS_BY_TOOL[n],
            completed=used * (RUNS_BY_TOOL[n] - FAILED_BY_TOOL[n]),
            failed=used * FAILED_BY_TOOL[n],
        )
        for n, tool in enumerate([*list(CATALOGUE.tools)[:8], ""])
    ]
    total = Used(
        credits=sum(tool.credits for tool in by_tool),
        runs=sum(tool.runs for tool in by_tool),
        completed=sum(tool.completed for tool in by_tool),
        failed=sum(tool.failed for tool in by_tool),
    )
    assert (total.credits, total.runs) == tuple(
        sum(each) for each in zip(*((day.credits, day.runs) for day in days), strict=True)
    )
    before = Used(credits=1_510 * used, runs=57 * used)
    return UsageShown(
        from_=NOW - timedelta(days=30),
        to=NOW,
        time_zone="Europe/London",
        total=total,
        previous=before,
        change=UsageChange(
            credits=total.credits - before.credits,
            runs=total.runs - before.runs,
            credits_percent=-4.4 if used else None,
        ),
        tools=by_tool if used else [],
        days=days,
    )


def usage_states() -> dict[str, State]:
    view = UsageView(
        shell=shell("Usage", "usage"), asked=Range("30d"), figures=figures(usage_page(1))
    )
    wrong = "The first day is after the last. The last 30 days are shown instead."
    own = Range("30d", "2026-11-30", "2026-11-01")
    return {
        "usage": State("usage.html", view),
        "usage-empty": State("usage.html", replace(view, figures=figures(usage_page(0)))),
        "usage-lost": State("usage.html", replace(view, figures=LOST), 503),
        "usage-wrong": State("usage.html", replace(view, asked=own, wrong=wrong), 422),
    }


def purchase(**more: object) -> PurchaseShown:
    found = PurchaseShown("p-1", "paid", "standard", 1400, 2500, "GBP", NOW)
    return replace(found, **more)


def buying_states() -> dict[str, State]:
    pack = pack_view(CATALOGUE.packs["standard"])
    buy = BuyView(shell=shell("Review your purchase"), pack=pack, pending=[], key="buy-1")
    asks = [Pending(500, paid=True, session_id="cs_1")]
    one = Bought(
        id="p-1",
        at=NOW,
        credits=1400,
        amount_minor=2500,
        currency="GBP",
        state="Credited",
        paid=True,
        session_id="cs_1",
    )
    begun = replace(one, state="Not finished", paid=False)
    bought = PurchasesView(shell=shell("Purchases"), purchases=[one, begun])
    found = {
        "purchases": State("purchases.html", bought),
        "purchases-none": State("purchases.html", replace(bought, purchases=[])),
        "purchases-lost": State("purchases.html", replace(bought, purchases=LOST)),
        "buy": State("buy.html", buy),
        "buy-again": State("buy.html", replace(buy, pending=asks, asks=True), 422),
    }
    for state, title, paid in (
        ("confirming", "Confirming your purchase", purchase()),
        ("credited", "Your credits are here", purchase(credited_at=NOW)),
        ("processing", "Your bank takes its time", purchase(status="initiated")),
        ("failed", "Nothing was charged", purchase(status="failed")),
        ("delayed", "Longer than usual", purchase()),
        ("unknown", "There is no such purchase", None),
    ):
        view = SuccessView(
            shell=shell(title),
            state=state,
            look_s=0,
            again="session_id=cs_1",
            purchase=paid,
            available=1859,
        )
        found[f"success-{state}"] = State("success.html", view)
    return found


def settings_states() -> dict[str, State]:
    typed = Typed(
        run_limit="50",
        day_limit="500",
        month_limit="4000",
        time_zone="Europe/London",
        percents=(50, 75, 100),
        email=True,
        top_up=True,
        below="200",
        pack="starter",
        monthly_max="50",
    )
    says = ["Once 50 credits are used or held in a day, further runs are refused."]
    bites = ["You have used or hold 241 credits this day. Every further run is refused at once."]
    view = SettingsView(
        shell=shell("Limits and alerts", "settings"),
        typed=typed,
        version="7",
        zones=["Europe/London", "UTC"],
        packs=[pack_view(pack) for pack in CATALOGUE.packs.values()],
        changes=[Change(NOW, says), Change(NOW, ["There is no daily limit."])],
    )
    faults = [
        Fault(field, "Enter a whole number in digits, like 500.")
        for field in ("run_limit", "day_limit", "time_zone", "below", "pack", "monthly_max")
    ]
    both = Preview(says, bites)
    return {
        "settings": State("settings.html", view),
        "settings-new": State(
            "settings.html", replace(view, typed=limitsform.Typed(), changes=[], saved=True)
        ),
        "settings-wrong": State("settings.html", replace(view, faults=faults), 422),
        "settings-asks": State("settings.html", replace(view, preview=both, asks=True), 422),
        "settings-differ": State("settings.html", replace(view, preview=both, theirs=both), 412),
        "settings-lost": State("settings.html", replace(view, changes=LOST)),
    }
