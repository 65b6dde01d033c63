"""The fragments' HTML: plain elements with classes, for the host's own style.

Numbers only, no text of anybody's; what a program may want to know stands in data attributes.
"""

from html import escape

from contracts.events import Balance, EstimateGiven

from gateway.balances import Amounts
from gateway.problems import Problem

_BALANCE = (
    '<span class="scrip-balance" data-available="{available}" data-held="{held}">'
    '<b class="scrip-available">{available:,}</b> {unit} available{held_text}</span>\n'
)
_HELD = ' <span class="scrip-held">({held:,} held for runs)</span>'
_ESTIMATE = (
    '<span class="scrip-estimate" data-allowed="{allowed}" data-min="{min}"'
    ' data-typical="{typical}" data-max="{max}">{price}{after}</span>\n'
)
_PROBLEM = '<span class="scrip-problem" data-code="{code}" data-request="{request}">{text}</span>\n'
_TOLD = {
    "embed_over": "This is not available any more; load the page again.",
    "rate_limited": "Too many requests; this is up to date again in a moment.",
    "tool_unknown": "There is no such tool.",
    "tool_client_only": "Free: this tool runs in your browser.",
    "requested_limits_invalid": "These limits are above what the tool may use.",
    "invalid_request": "Limits are whole numbers of at least 1.",
}
_ELSE = "This cannot be shown right now."
_REASONS = {
    "insufficient_credits": "not enough credits",
    "run_limit": "above the limit for one run",
    "day_limit": "above what is left of the daily limit",
    "month_limit": "above what is left of the monthly limit",
    "account_frozen": "spending is stopped for this account",
}


def balance(amounts: Amounts) -> str:
    """What can be spent, and what is held beside it."""
    return _BALANCE.format(
        available=amounts.available,
        held=amounts.held,
        unit=_unit(amounts.available),
        held_text=_HELD.format(held=amounts.held) if amounts.held else "",
    )


def estimate(given: EstimateGiven, now: Balance) -> str:
    """A price range, and what is left after it or what is in the way."""
    return _ESTIMATE.format(
        allowed="yes" if given.allowed else "no",
        min=given.min,
        typical=given.typical,
        max=given.max,
        price=_price(given),
        after=_after(given, now),
    )


def problem(found: Problem, request_id: str) -> str:
    """What goes wrong, in plain words."""
    text = _TOLD.get(found.code, _ELSE)
    return _PROBLEM.format(code=escape(found.code), request=escape(request_id), text=text)


def _price(given: EstimateGiven) -> str:
    if given.max == 0:
        return '<b class="scrip-price">Free</b>'
    if given.min == given.max:
        return f'<b class="scrip-price">{given.max:,}</b> {_unit(given.max)}'
    return (
        f'<b class="scrip-price">{given.min:,} to {given.max:,}</b> credits,'
        f" typically {given.typical:,}"
    )


def _after(given: EstimateGiven, now: Balance) -> str:
    if given.allowed:
        left = max(0, now.available - given.max)
        return f'<span class="scrip-after">; at least {left:,} left after it</span>'
    missing = given.max - now.available
    reason = "" if given.reason is None else given.reason.value
    if reason == "insufficient_credits" and missing > 0:
        return f'<span class="scrip-stop">; {missing:,} more {_unit(missing)} needed</span>'
    return f'<span class="scrip-stop">; {_REASONS.get(reason, "not allowed right now")}</span>'


def _unit(amount: int) -> str:
    return "credit" if amount == 1 else "credits"
