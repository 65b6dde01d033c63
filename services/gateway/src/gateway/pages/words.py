"""The words of the pages: what an entry, a grant, a limit is called, and what a refusal means."""

from collections.abc import Mapping
from functools import cache

from contracts.catalogue import Tool, bundled
from contracts.reasons import Reason

from gateway import problems

STUDIOS = {"dev": "Dev Studio", "cyber": "Cyber Studio", "data": "Data Studio", "test": "Test"}
KINDS = {
    "paid": "Bought",
    "plan": "Plan allowance",
    "promo": "Promo",
    "gift": "Gift",
    "goodwill": "Goodwill",
    "topup": "Auto top-up",
    "transfer": "Received",
}
ENTRIES = {
    "CreditsCharged": "Charged",
    "CreditsReserved": "Held for a run",
    "CreditsReleased": "Released: the run cost nothing",
    "CreditsRefunded": "Refunded",
    "CreditsGranted": "Credits added",
    "CreditsRevoked": "Credits taken back",
    "CreditsSent": "Sent",
    "CreditsReceived": "Received",
    "TransferSettled": "Transfer settled",
    "GrantExpired": "Credits expired",
    "ExpiryNoticeGiven": "Credits expire soon",
    "GrantScheduled": "Credits to come",
    "ScheduleRevoked": "Credits to come, taken back",
    "ReservationExpired": "Released: the run took too long",
    "ReservationExtended": "Held longer",
    "EstimateGiven": "Estimate",
    "CommandRefused": "Refused",
    "CommandTooOld": "Refused: came too late",
    "ControlsChanged": "Settings changed",
    "PlanChanged": "Plan changed",
    "AccountFrozen": "Account frozen",
    "AccountThawed": "Account unfrozen",
    "ThresholdCrossed": "Alert threshold reached",
    "TopUpDue": "Auto top-up due",
    "TopUpReported": "Auto top-up: heard what became of it",
    "PurchaseInitiated": "Purchase started",
    "PurchaseCompleted": "Purchase paid",
    "PurchaseFailed": "Purchase failed: nothing charged",
    "PurchaseRefunded": "Purchase refunded",
    "PurchaseDisputed": "Purchase disputed",
}
VERBS = {  # what happened to credits that stayed the account's own
    "CreditsReserved": "held",
    "ReservationExtended": "held",
    "CreditsReleased": "released",
    "ReservationExpired": "released",
    "CreditsCharged": "charged",
}
FILTERS = (
    ("", "Everything that moved credits or settings"),
    ("CreditsCharged", "Charges"),
    ("CreditsReserved", "Holds"),
    ("CreditsReleased", "Releases"),
    ("CreditsGranted", "Credits added"),
    ("CreditsRefunded", "Refunds"),
    ("GrantExpired", "Expired credits"),
    ("CommandRefused", "Refusals"),
    ("ControlsChanged", "Settings changes"),
    ("EstimateGiven", "Estimates"),
)
ITEMS = {
    "base": "Start of a run",
    "cpu": "CPU time",
    "memory": "Memory over time",
    "rounding": "Rounding up",
    "minimum": "Up to the smallest price",
    "cap": "Capped: this tool never costs more",
}
RUNS = {
    "running": "Running",
    "completed": "Completed",
    "failed": "Failed",
    "expired": "Took too long",
    "invalid_input": "Input not usable",
    "not_available": "Not available yet",
    "refused": "Refused",
}
REASONS = {
    "insufficient_credits": "Not enough credits",
    "run_limit": "Above your limit for one run",
    "day_limit": "Your daily limit was reached",
    "month_limit": "Your monthly limit was reached",
    "tool_disabled": "The tool was switched off",
    "deadline": "Came too late; nothing was spent",
    "requested_limits_invalid": "The asked limits do not fit the tool",
    "controls_invalid": "These settings do not fit together",
    "id_conflict": "Another request had this name",
    "account_frozen": "Spending is stopped for this account",
    "not_available_yet": "Not available yet",
}
STAFF = {  # what staff does to an account, when it is done
    "grant": "The credits are given.",
    "adjustment": "The balance is corrected.",
    "refund": "The credits are back.",
    "revoke": "The credits are taken back.",
    "freeze": "Spending is stopped.",
    "thaw": "That freeze is over.",
    "waiting": "It waits for a second person now.",
}
LIMITS = {"run": "limit for one run", "day": "daily limit", "month": "monthly limit"}


def tool(tool_id: str | None) -> str:
    """A tool's title; a reservation of a plain amount has none."""
    if not tool_id:
        return "Other services"
    found = _tools().get(tool_id)
    return tool_id if found is None else found.title


def reason(code: str) -> str:
    """Why the ledger said no; the API's own words where the pages have none."""
    if code in REASONS:
        return REASONS[code]
    return problems.REASONS[Reason(code)][1] if code in set(Reason) else code.replace("_", " ")


def entry(kind: str) -> str:
    """What an entry is called."""
    return ENTRIES.get(kind, kind)


def credits_of(amount: int) -> str:
    """1 credit, 2 credits."""
    return f"{amount:,} credit" if amount == 1 else f"{amount:,} credits"


@cache
def _tools() -> Mapping[str, Tool]:
    return bundled().tools
