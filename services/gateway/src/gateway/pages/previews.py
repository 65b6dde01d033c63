"""What new settings will do, said before they are saved; and what of it bites at once."""

from contracts.catalogue import Catalogue, Pack
from contracts.commands import Controls
from contracts.toppings import TopUpRule
from msgspec import Struct

from gateway.balances import BalanceShown
from gateway.pages.render import money, number


class Preview(Struct, frozen=True):
    """Sentences, and those among them that need a yes because they bite at once."""

    says: list[str]
    bites: list[str]


def preview(
    before: Controls, after: Controls, balance: BalanceShown | None, catalogue: Catalogue
) -> Preview:
    """The difference in plain words; nothing when nothing changes."""
    says, bites = [], []
    used = {limit.name: limit for limit in balance.limits} if balance is not None else {}
    for name, was, limit in (
        ("run", before.run_limit, after.run_limit),
        ("day", before.day_limit, after.day_limit),
        ("month", before.month_limit, after.month_limit),
    ):
        if was == limit:
            continue
        says.append(_limited(name, limit))
        now = used.get(name)
        if limit is not None and now is not None and name != "run":
            taken = now.used + now.held
            if taken >= limit:
                bites.append(_stops(name, taken, limit))
    if before.time_zone != after.time_zone:
        says.append(
            f"Days and months begin at midnight in {after.time_zone};"
            " what was used so far is counted anew for the current ones."
        )
    says += [*_alerts(before, after), *_low(before, after)]
    rule = after.top_up
    if rule is None and before.top_up is not None:
        says.append("Credits are no longer bought by themselves.")
    if rule is not None and rule != before.top_up:
        pack = catalogue.packs[rule.pack]
        says.append(_topped_up(rule, pack))
        if balance is not None and balance.available < rule.below:
            bites.append(_charges_now(rule, pack, balance.available))
    return Preview(says, bites)


def _limited(name: str, limit: int | None) -> str:
    match name, limit:
        case "run", None:
            return "A single run may cost whatever its tool allows."
        case "run", _:
            return f"A run that may cost more than {number(limit or 0)} credits is refused."
        case _, None:
            return f"There is no {_PERIOD[name]} limit: runs go on while credits are there."
        case _:
            return (
                f"Once {number(limit or 0)} credits are used or held in a {name},"
                f" further runs are refused until the next {name}."
            )


def _stops(name: str, taken: int, limit: int) -> str:
    return (
        f"You have used or hold {number(taken)} credits this {name}. With a limit of"
        f" {number(limit)} every further run is refused at once, until the next {name}."
    )


def _alerts(before: Controls, after: Controls) -> list[str]:
    old = (sorted(before.alert_percents), before.alert_email, before.alert_in_app)
    new = (sorted(after.alert_percents), after.alert_email, after.alert_in_app)
    if old == new:
        return []
    ways = [w for w, on in (("e-mail", after.alert_email), ("in-app", after.alert_in_app)) if on]
    if not after.alert_percents or not ways:
        return ["You will not be alerted. Alerts never stop a run; limits do."]
    at = ", ".join(f"{percent} %" for percent in sorted(after.alert_percents))
    return [f"You are told at {at} of a limit, by {' and '.join(ways)}. That stops nothing."]


def _low(before: Controls, after: Controls) -> list[str]:
    says = []
    if after.low_balance is not None and after.low_balance != before.low_balance:
        says.append(f"You are told once when fewer than {number(after.low_balance)} are available.")
    if after.low_percent is not None and after.low_percent != before.low_percent:
        says.append(f"You are told once when less than {after.low_percent} % is available.")
    if (before.low_balance, before.low_percent) != (None, None) and (
        after.low_balance is None and after.low_percent is None
    ):
        says.append("You are no longer told when credits run low.")
    return says


def _topped_up(rule: TopUpRule, pack: Pack) -> str:
    return (
        f"When fewer than {number(rule.below)} credits are available, {number(pack.credits)} are"
        f" bought for {money(pack.price_minor, pack.currency)}; never for more than"
        f" {money(rule.monthly_max_minor, pack.currency)} in a calendar month."
    )


def _charges_now(rule: TopUpRule, pack: Pack, available: int) -> str:
    return (
        f"You have {number(available)} credits available, fewer than {number(rule.below)}: your"
        f" card may be charged {money(pack.price_minor, pack.currency)} right after saving."
    )


_PERIOD = {"day": "daily", "month": "monthly"}
