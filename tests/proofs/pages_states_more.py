"""The other pages' states: history, receipts, tools, keys, signing in, and what went wrong."""

from datetime import timedelta

from contracts.catalogue import Mode
from contracts.commands import Usage
from gateway.accountkeys import KeyShown
from gateway.pages import toolform, words
from gateway.pages.accesskeys import KeysView
from gateway.pages.history import HistoryView, Wanted
from gateway.pages.limitsform import Fault
from gateway.pages.offers import FREE, Item, Offer
from gateway.pages.receipts import Part, Priced, ReceiptView, Step
from gateway.pages.shell import Shell
from gateway.pages.signing import LinkView, SignInView
from gateway.pages.standing import HelpView
from gateway.pages.tools import Studio, ToolsView, ToolView
from gateway.pages.visit import TITLES, ProblemView
from gateway.problems import LimitShown
from gateway.reservations import Row
from msgspec.structs import replace

from tests.proofs.pages_states import (
    CATALOGUE,
    HOSTILE,
    LONG,
    LOST,
    NOW,
    State,
    buying_states,
    credits_states,
    lines,
    settings_states,
    shell,
    usage_states,
)
from tests.proofs.pages_states_admin import admin_states
from tests.proofs.pages_states_gifts import gift_states
from tests.proofs.pages_states_notices import notice_states
from tests.proofs.pages_states_teams import team_states


def history_states() -> dict[str, State]:
    view = HistoryView(
        shell=shell("History", "history"),
        lines=lines(25),
        wanted=Wanted("CreditsCharged", "dev-studio-security", "2026-11-26"),
        filters=words.FILTERS,
        next_query="cursor=12",
        newer=True,
    )
    return {
        "history": State("history.html", view),
        "history-empty": State("history.html", replace(view, lines=[], wanted=Wanted())),
        "history-lost": State("history.html", replace(view, lines=LOST), 503),
    }


def receipt_states() -> dict[str, State]:
    at = int(NOW.timestamp() * 1000)
    row = Row(
        "run-1", "dev-studio-security", "charged", 16, 0, 3, 13, 0, 3, 12, at, at + 1000, at + 500
    )
    step = Step(NOW, "Held for a run", 0, 16, "held", 1843, 16)
    view = ReceiptView(
        shell=shell("Security Scanner", "history"),
        run="run-1",
        tool="dev-studio-security",
        status="completed",
        word="Completed",
        why="",
        row=row,
        steps=[step, Step(NOW, "Charged", -3, 3, "charged", 1856, 0)],
        parts=[Part("Start of a run", 2000), Part("CPU time", 2), Part("Rounding up", 998)],
        priced=Priced(Usage(4, 2, 11), None, "2026-11-1"),
        result='{\n  "findings": []\n}' * 40,
        result_gone=False,
        look_s=0,
        again="began=0",
    )
    failed = replace(row, status="released", charged=0, released=16)
    running = replace(row, status="open", held=16, charged=0, released=0)
    return {
        "receipt": State("receipt.html", view),
        "receipt-running": State(
            "receipt.html",
            replace(view, row=running, word="Running", status="running", parts=[], result=""),
        ),
        "receipt-failed": State(
            "receipt.html",
            replace(view, row=failed, word="Failed", status="failed", why=HOSTILE, parts=[]),
        ),
        "receipt-gone": State("receipt.html", replace(view, result="", result_gone=True)),
    }


def tool_states() -> dict[str, State]:
    every = list(CATALOGUE.tools.values())
    tool = CATALOGUE.tools["dev-studio-security"]
    free = next(tool for tool in every if tool.mode is Mode.CLIENT_ONLY)
    offer = Offer(
        free=False,
        min=3,
        typical=12,
        max=16,
        holds=16,
        available=1859,
        left=1847,
        items=(Item("Start of a run", 2000), Item("CPU time", 14000)),
    )
    view = ToolView(
        shell=shell(tool.title, "tools"),
        tool=tool,
        studio="Dev Studio",
        known=True,
        browser=False,
        typed=toolform.blank(tool),
        offer=offer,
    )
    day = LimitShown("day", 500, 400, 85, 15, NOW + timedelta(hours=2))
    limited = replace(offer, allowed=False, why="Your daily limit was reached", limit=day)
    faults = [Fault("input", "This is not JSON: expected }, in line 3."), Fault("cpu_ms", "Enter")]
    stranger = Shell(title=tool.title, here="tools")
    told = "Not enough credits"
    return {
        "tools": State("tools.html", ToolsView(shell("Tools", "tools"), [Studio("All", every)])),
        "tool": State("tool.html", view),
        "tool-short": State("tool.html", replace(view, offer=replace(offer, short=6, left=0))),
        "tool-limited": State("tool.html", replace(view, offer=limited)),
        "tool-wrong": State("tool.html", replace(view, faults=faults), 422),
        "tool-refused": State("tool.html", replace(view, told=told), 402),
        "tool-lost": State("tool.html", replace(view, offer=LOST)),
        "tool-stranger": State("tool.html", replace(view, shell=stranger, known=False)),
        "tool-free": State("tool.html", replace(view, tool=free, browser=True, offer=FREE)),
    }


def key_states() -> dict[str, State]:
    keys = [
        KeyShown(id="k1", label="nightly build", scopes=["read"], state="usable", created_at=NOW),
        KeyShown(id="k2", label="", scopes=["admin", "spend"], state="revoked", created_at=NOW),
    ]
    view = KeysView(shell=shell("API keys", "keys"), keys=keys)
    hostile = [replace(keys[0], label=HOSTILE)]
    made = replace(keys[0], key="scrip_test_" + "a" * 50)
    return {
        "keys": State("keys.html", view),
        "keys-hostile": State("keys.html", replace(view, keys=hostile)),
        "keys-none": State("keys.html", replace(view, keys=[], gone=True)),
        "keys-made": State("keys.html", replace(view, made=made), 201),
        "keys-wrong": State("keys.html", replace(view, wrong="Choose one", wrong_label="No"), 422),
        "keys-lost": State("keys.html", replace(view, keys=LOST)),
    }


def other_states() -> dict[str, State]:
    nobody = Shell(title="Sign in")
    view = SignInView(shell=nobody, email="ada@example.org")
    found = {
        "sign-in": State("sign-in.html", SignInView(shell=nobody)),
        "sign-in-provider": State("sign-in.html", SignInView(shell=nobody, provider=HOSTILE)),
        "sign-in-told": State(
            "sign-in.html", SignInView(shell=nobody, told=LONG, provider="A"), 403
        ),
        "sign-in-anyone": State("sign-in.html", SignInView(shell=nobody, anyone=True)),
        "sign-in-sent": State("sign-in.html", replace(view, sent=True)),
        "sign-in-wrong": State("sign-in.html", replace(view, wrong="Enter an address."), 422),
        "sign-in-over": State("sign-in.html", replace(view, over=True), 410),
        "link": State("link.html", LinkView(nobody, "t")),
        "help": State("help.html", HelpView(shell("Help", "help"))),
    }
    for status in (403, 404, 429, 500, 503):
        title = TITLES.get(status, "Something went wrong")
        problem = ProblemView(Shell(title=title), "Try again in a moment.", status, "9f-1", "/help")
        found[f"problem-{status}"] = State("problem.html", problem, status)
    return found


def states() -> dict[str, State]:
    """All of them by name."""
    return {
        **credits_states(),
        **usage_states(),
        **buying_states(),
        **settings_states(),
        **history_states(),
        **receipt_states(),
        **tool_states(),
        **key_states(),
        **gift_states(),
        **team_states(),
        **notice_states(),
        **other_states(),
        **admin_states(),
    }
