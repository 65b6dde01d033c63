"""The states of staff's pages."""

from datetime import timedelta

from gateway.balances import LotHeld
from gateway.freezes import Frozen
from gateway.lookups import Found
from gateway.pages import words
from gateway.pages.accountseen import AccountView, EventLine, LookLine
from gateway.pages.acting import ActionView, ReviewView
from gateway.pages.actionform import Typed
from gateway.pages.approving import ApprovalView, Waiting, WaitingView
from gateway.pages.eventsfound import Asked, EventsView, EventView
from gateway.pages.finding import FindView, WhyView
from gateway.pages.limitsform import Fault
from gateway.pages.regions import PLAIN
from gateway.pages.shell import STAFF_PLACES, Shell
from gateway.reservations import Row
from msgspec.structs import replace

from tests.proofs.pages_states import HOSTILE, LONG, LOST, NOW, State, balance

AT = int(NOW.timestamp() * 1000)


def shell(title: str, here: str) -> Shell:
    return Shell(
        title=title,
        here=here,
        who="grace@staff.example",
        request_id="9f2c-17",
        places=STAFF_PLACES,
        home="/admin",
    )


def events(count: int = 8) -> list[EventLine]:
    kinds = ("CreditsCharged", "CreditsReserved", "CreditsGranted", "CommandRefused")
    return [
        EventLine(
            event=f"1:{4523 - n}",
            at=NOW - timedelta(minutes=7 * n),
            what=words.entry(kinds[n % 4]),
            kind=kinds[n % 4],
            account="acc-7c1d",
            amount=(-3, 0, 1400, 0)[n % 4],
            moved=(3, 16, 1400, 0)[n % 4],
            available=1859 - 3 * n,
            held=16 * (n % 2),
            actor="tool_worker studio-1" if n % 4 < 2 else f"person {LONG[:64]}",
            command=f"run-{n}",
            charge=f"run-{n}:charge" if n % 4 == 0 else "",
            grant="",
        )
        for n in range(count)
    ]


def find_states() -> dict[str, State]:
    found = [Found("acc-7c1d", "Account"), Found("acc-7c1d", "Charged", "1:4523")]
    view = FindView(
        shell=shell("Find an account", "find"), asked="acc-7c1d", found=found, by_email=True
    )
    why = WhyView(shell=shell("Why do you look?", "find"), account="acc-7c1d", to="/admin")
    told = "Say it in one line of at most 200 characters."
    return {
        "admin-find": State("admin-find.html", replace(view, asked="", found=[])),
        "admin-found": State("admin-find.html", view),
        "admin-nothing": State("admin-find.html", replace(view, found=[], asked=HOSTILE)),
        "admin-find-lost": State("admin-find.html", replace(view, found=LOST), 503),
        "admin-why": State("admin-why.html", why),
        "admin-why-wrong": State("admin-why.html", replace(why, why=HOSTILE, wrong=told), 422),
        "admin-why-any": State("admin-why.html", replace(why, account="")),
    }


def account_states() -> dict[str, State]:
    lot = LotHeld(
        grant_id="stripe:cs_test_a1:paid",
        kind="paid",
        source="stripe:cs_test_a1",
        priority=2,
        amount=1400,
        available=1312,
        held=0,
        effective_from=NOW,
        expires_at=NOW + timedelta(days=700),
    )
    lots = [lot, replace(lot, kind="promo", available=547, held=85, expires_at=None)]
    hold = Row("run-1", "dev-studio-security", "open", 85, 85, 0, 0, 0, 3, 12, AT, AT + 9000, None)
    view = AccountView(
        shell=shell("acc-7c1d", "find"),
        account="acc-7c1d",
        email="ada@example.org",
        role="owner",
        acts=True,
        balance=balance(lots=lots, debt=20),
        holds=[hold],
        events=events(),
        looks=[LookLine("grace@staff.example", "GET /admin/accounts/acc-7c1d", "ticket 7", NOW)],
    )
    frozen = [Frozen(reason="fraud-review", since=NOW), Frozen(reason="d", since=NOW, grant_id="g")]
    stopped = replace(view, balance=balance(frozen=frozen, lots=lots), done=words.STAFF["freeze"])
    nobody = replace(view, email=None, acts=False, looks=[], holds=[], events=[], balance=balance())
    lost = replace(view, balance=LOST, holds=LOST, events=LOST)
    return {
        "admin-account": State("admin-account.html", view),
        "admin-account-frozen": State("admin-account.html", stopped),
        "admin-account-empty": State("admin-account.html", nobody),
        "admin-account-lost": State("admin-account.html", lost),
        "admin-account-hostile": State("admin-account.html", replace(view, account=LONG[:64])),
    }


def event_states() -> dict[str, State]:
    view = EventsView(
        shell=shell("Events", "events"),
        asked=Asked(account="acc-7c1d", kind="CreditsCharged", first="2026-11-01"),
        lines=events(50),
        query="account=acc-7c1d",
        next_query="account=acc-7c1d&cursor=12",
        newer=True,
    )
    one = EventView(
        shell=shell("Charged", "events"),
        line=events(1)[0],
        partition=1,
        offset=4523,
        seq=4511,
        version=37,
        answer=True,
        detail='{\n  "reservation": "run-0",\n  "amount": 3\n}' * 20,
    )
    wrong = replace(view, lines=[], wrong="Name an account, or a time of at most 31 days.")
    return {
        "admin-events": State("admin-events.html", view),
        "admin-events-any": State("admin-events.html", replace(view, asked=Asked())),
        "admin-events-none": State("admin-events.html", replace(view, lines=[], next_query="")),
        "admin-events-wrong": State("admin-events.html", wrong, 422),
        "admin-events-lost": State("admin-events.html", replace(view, lines=LOST), 503),
        "admin-event": State("admin-event.html", one),
    }


def action_states() -> dict[str, State]:
    typed = Typed(key="staff-1", amount="5000", reason="outage", note="ticket 7", days="90")
    view = ActionView(
        shell=shell("Give credits", "find"),
        account="acc-7c1d",
        kind="grant",
        typed=typed,
        target="",
        moves=True,
        gives=True,
    )
    faults = [Fault(name, "Enter what is asked for.") for name in Typed.__struct_fields__[1:]]
    back = replace(view, kind="refund", target="Charge", gives=False)
    wrong = replace(back, faults=faults, typed=replace(typed, note=HOSTILE, target=LONG[:64]))
    thaw = replace(view, kind="thaw", moves=False, gives=False, typed=replace(typed, target="g1"))
    review = ReviewView(
        shell=shell("Review", "find"),
        account="acc-7c1d",
        kind="grant",
        title="Give credits",
        typed=typed,
        says=["5,000 credits are given as goodwill.", "Now 1,859 credits are available."],
        two=True,
        above=1000,
    )
    unsure = replace(review, two=False, told=PLAIN["outcome_unknown"])
    return {
        "admin-action": State("admin-action.html", view),
        "admin-action-wrong": State("admin-action.html", wrong, 422),
        "admin-action-refused": State("admin-action.html", replace(back, told=LONG), 409),
        "admin-action-thaw": State("admin-action.html", thaw),
        "admin-review": State("admin-review.html", review),
        "admin-review-unsure": State("admin-review.html", unsure, 504),
    }


def waiting_states() -> dict[str, State]:
    one = Waiting(
        id="staff-1",
        title="Give credits",
        account="acc-7c1d",
        says=["5,000 credits are given as goodwill, without an end."],
        reason="outage",
        note=HOSTILE,
        by="grace@staff.example",
        asked_at=NOW,
        until=NOW + timedelta(days=1),
        mine=False,
    )
    mine = replace(one, mine=True, account=LONG[:64])
    view = WaitingView(shell=shell("Waiting", "waiting"), waiting=[one, mine], over=False)
    single = ApprovalView(shell=shell("Give credits", "waiting"), one=one, open=True, acts=True)
    over = replace(single, open=False, one=replace(one, state="source_already_granted"), told="No")
    return {
        "admin-waiting": State("admin-waiting.html", view),
        "admin-waiting-none": State("admin-waiting.html", replace(view, waiting=[], over=True)),
        "admin-waiting-lost": State("admin-waiting.html", replace(view, waiting=LOST)),
        "admin-approval": State("admin-approval.html", single),
        "admin-approval-mine": State("admin-approval.html", replace(single, one=mine)),
        "admin-approval-reads": State("admin-approval.html", replace(single, acts=False)),
        "admin-approval-over": State("admin-approval.html", over, 409),
    }


def admin_states() -> dict[str, State]:
    """All of them by name."""
    return {
        **find_states(),
        **account_states(),
        **event_states(),
        **action_states(),
        **waiting_states(),
    }
