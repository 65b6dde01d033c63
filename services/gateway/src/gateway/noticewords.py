"""Each notification in plain words: a title, a sentence, where to go on. No secrets, no names."""

from contracts.header import LimitStatus
from contracts.notifications import Notification, NotificationKind
from msgspec import Struct

from gateway.moments import moment

KIND_TITLES = {
    NotificationKind.EXPIRY_NOTICE: "Credits that end soon",
    NotificationKind.THRESHOLD_CROSSED: "A share of a limit is used",
    NotificationKind.LIMIT_REACHED: "A limit stopped a run",
    NotificationKind.LOW_BALANCE: "Few credits are left",
    NotificationKind.PURCHASE_CREDITED: "Credits that you bought are there",
    NotificationKind.TOP_UP_FAILED: "An automatic top-up did not work",
    NotificationKind.GIFT_RECEIVED: "A gift came",
    NotificationKind.GIFT_CLAIMED: "Your gift was taken",
    NotificationKind.GIFT_RETURNED: "Your gift came back",
    NotificationKind.TEST_ALERT: "A test alert",
}
_LIMITS = {
    "day": "daily limit",
    "month": "monthly limit",
    "plan_day": "daily limit of the plan",
    "key_day": "daily limit of an API key",
    "key_month": "monthly limit of an API key",
    "key_ever": "budget of an API key",
    "member_day": "daily limit of a member",
    "member_month": "monthly limit of a member",
    "member_ever": "allocation of a member",
    "tool_day": "daily limit of a tool",
    "tool_month": "monthly limit of a tool",
    "tool_ever": "limit of a tool",
}
_CREDITS, _SETTINGS, _GIFTS = "/account/credits", "/account/settings/credits", "/account/history"


class Words(Struct, frozen=True):
    """What is said, and the page that goes with it."""

    title: str
    text: str
    path: str


def of(told: Notification) -> Words:
    """The words of a notification."""
    amount = _credits(told.amount or 0)
    match told.kind:
        case NotificationKind.EXPIRY_NOTICE:
            return _expiry(told, amount)
        case NotificationKind.THRESHOLD_CROSSED:
            return _threshold(told)
        case NotificationKind.LIMIT_REACHED:
            return _limit_reached(told)
        case NotificationKind.LOW_BALANCE:
            return _low(told)
        case NotificationKind.PURCHASE_CREDITED:
            return Words(
                f"{amount} arrived", f"{amount} that were paid for can be used now.", _CREDITS
            )
        case NotificationKind.TOP_UP_FAILED:
            return _top_up(told)
        case NotificationKind.GIFT_RECEIVED:
            return Words(f"You were given {amount}", f"A gift of {amount} is yours now.", _CREDITS)
        case NotificationKind.GIFT_CLAIMED:
            return Words("Your gift was taken", f"Somebody took your gift of {amount}.", _GIFTS)
        case NotificationKind.GIFT_RETURNED:
            text = f"Your gift of {amount} was not taken. The credits are back."
            return Words("Your gift came back", text, _GIFTS)
        case NotificationKind.TEST_ALERT:
            text = "You asked for this, to see that alerts reach you. Nothing else happened."
            return Words("This is a test alert", text, _SETTINGS)


def _expiry(told: Notification, amount: str) -> Words:
    on = "" if told.expires_at is None else f" on {moment(told.expires_at):%-d %B %Y} (UTC)"
    text = f"{amount} of yours will be lost{on} unless you use them."
    return Words(f"{amount} end in {_days(told.days or 0)}", text, _CREDITS)


def _threshold(told: Notification) -> Words:
    named, status = _limit(told.limit), told.limit
    title = f"{told.percent or 0} % of your {named} is used"
    if status is None:
        return Words(title, "Runs go on.", _SETTINGS)
    text = (
        f"{_credits(status.used + status.held)} of {status.limit:,} are used or held."
        " This only tells you; runs go on until the limit itself."
    )
    return Words(title, text, _SETTINGS)


def _limit_reached(told: Notification) -> Words:
    named, status = _limit(told.limit), told.limit
    text = "A run was not started, because it would have passed it."
    if status is not None and status.resets_at is not None:
        text += f" It begins anew on {moment(status.resets_at):%-d %B %Y at %H:%M} (UTC)."
    return Words(f"Your {named} stopped a run", f"{text} You can raise the limit.", _SETTINGS)


def _low(told: Notification) -> Words:
    left = 0 if told.limit is None else told.limit.left
    text = "Runs stop when none are left. Buy a pack, or let it be bought by itself."
    return Words(f"{_credits(left)} left", text, _CREDITS)


def _top_up(told: Notification) -> Words:
    if told.paused:
        text = "Your card was declined too often. No more is tried until you change card or rule."
        return Words("Automatic top-ups have stopped", text, _SETTINGS)
    text = "Nothing was charged. It is tried again later; buy a pack if you cannot wait."
    return Words("An automatic top-up did not work", text, _CREDITS)


def _limit(status: LimitStatus | None) -> str:
    return "limit" if status is None else _LIMITS.get(status.name, "limit")


def _credits(amount: int) -> str:
    return f"{amount:,} credit" if amount == 1 else f"{amount:,} credits"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
