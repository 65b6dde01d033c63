"""The settings form: what a person typed, read strictly, with what is wrong at each field."""

from collections.abc import Mapping
from zoneinfo import available_timezones

from contracts.catalogue import Catalogue
from contracts.commands import Controls
from contracts.toppings import TopUpRule
from contracts.units import AMOUNT_MAX
from msgspec import Struct

PERCENTS = (25, 50, 75, 90, 100)
LOW_PERCENT_MAX = 99
MONEY_MAX = 1_000_000  # a month, in whole pounds: more is a typing error
SHOWN_MAX = 40  # of what was typed, when it is shown again
_PLAIN = frozenset("0123456789")


class Typed(Struct, frozen=True, kw_only=True):
    """The form's fields as they stand in it."""

    run_limit: str = ""
    day_limit: str = ""
    month_limit: str = ""
    time_zone: str = "UTC"
    percents: tuple[int, ...] = ()
    low_balance: str = ""
    low_percent: str = ""
    email: bool = False
    in_app: bool = False
    top_up: bool = False
    below: str = ""
    pack: str = ""
    monthly_max: str = ""


class Fault(Struct, frozen=True):
    """What is wrong with a field, and how to put it right."""

    field: str
    says: str


def typed(form: Mapping[str, str]) -> Typed:
    """What was sent; text only, nothing believed yet."""
    chosen = {part for part in form.get("percents", "").split(",") if part}
    return Typed(
        run_limit=_short(form, "run_limit"),
        day_limit=_short(form, "day_limit"),
        month_limit=_short(form, "month_limit"),
        time_zone=_short(form, "time_zone") or "UTC",
        percents=tuple(percent for percent in PERCENTS if str(percent) in chosen),
        low_balance=_short(form, "low_balance"),
        low_percent=_short(form, "low_percent"),
        email="email" in form,
        in_app="in_app" in form,
        top_up="top_up" in form,
        below=_short(form, "below"),
        pack=_short(form, "pack"),
        monthly_max=_short(form, "monthly_max"),
    )


def shown(controls: Controls) -> Typed:
    """The form for settings as they are."""
    rule = controls.top_up
    return Typed(
        run_limit=_text(controls.run_limit),
        day_limit=_text(controls.day_limit),
        month_limit=_text(controls.month_limit),
        time_zone=controls.time_zone,
        percents=tuple(sorted(controls.alert_percents)),
        low_balance=_text(controls.low_balance),
        low_percent=_text(controls.low_percent),
        email=controls.alert_email,
        in_app=controls.alert_in_app,
        top_up=rule is not None,
        below="" if rule is None else str(rule.below),
        pack="" if rule is None else rule.pack,
        monthly_max="" if rule is None else str(rule.monthly_max_minor // 100),
    )


def parsed(form: Typed, before: Controls, catalogue: Catalogue) -> tuple[Controls, list[Fault]]:
    """The settings that were meant, and what is wrong; with faults the settings mean nothing.

    What the form does not show stays as it was before.
    """
    faults: list[Fault] = []
    run = _limit("run_limit", form.run_limit, faults)
    day = _limit("day_limit", form.day_limit, faults)
    month = _limit("month_limit", form.month_limit, faults)
    if day is not None and month is not None and day > month:
        says = f"This is above the monthly limit ({month:,}), so it could never be reached."
        faults.append(Fault("day_limit", says))
    low = _limit("low_balance", form.low_balance, faults, 1)
    low_percent = _limit("low_percent", form.low_percent, faults, 1, LOW_PERCENT_MAX)
    if form.time_zone not in available_timezones():
        faults.append(Fault("time_zone", "Choose a time zone like Europe/London or UTC."))
    controls = Controls(
        run_limit=run,
        day_limit=day,
        month_limit=month,
        time_zone=form.time_zone,
        alert_percents=form.percents,
        alert_email=form.email,
        alert_in_app=form.in_app,
        top_up=_rule(form, catalogue, faults) if form.top_up else None,
        concurrency=before.concurrency,
        caps=before.caps,
        low_balance=low,
        low_percent=low_percent,
    )
    return controls, faults


def _rule(form: Typed, catalogue: Catalogue, faults: list[Fault]) -> TopUpRule | None:
    below = _whole("below", form.below, AMOUNT_MAX, faults)
    most = _whole("monthly_max", form.monthly_max, MONEY_MAX, faults)
    pack = catalogue.packs.get(form.pack)
    if pack is None:
        faults.append(Fault("pack", "Choose which pack to buy."))
        return None
    if most is not None and most * 100 < pack.price_minor:
        says = f"One pack costs {pack.price_minor // 100}; with less a month nothing is bought."
        faults.append(Fault("monthly_max", says))
    if below is None or most is None:
        return None
    return TopUpRule(below, pack.id, most * 100)


def _limit(
    field: str, raw: str, faults: list[Fault], least: int = 0, most: int = AMOUNT_MAX
) -> int | None:
    return None if not raw else whole_number(field, raw, least, most, faults)


def _whole(field: str, raw: str, most: int, faults: list[Fault]) -> int | None:
    if not raw:
        faults.append(Fault(field, "Enter a whole number."))
        return None
    return whole_number(field, raw, 1, most, faults)


def whole_number(field: str, raw: str, least: int, most: int, faults: list[Fault]) -> int | None:
    """What was typed, or None with what is wrong with it."""
    digits = raw.replace(",", "").replace(" ", "")
    if digits.startswith(("-", "\u2212")):
        faults.append(Fault(field, f"Enter a number of at least {least}, not a negative one."))
    elif not digits or not _PLAIN.issuperset(digits):
        faults.append(Fault(field, "Enter a whole number in digits, like 500."))
    elif len(digits) > len(str(most)) or int(digits) > most:
        faults.append(Fault(field, f"Enter at most {most:,}."))
    elif int(digits) < least:
        faults.append(Fault(field, f"Enter at least {least}."))
    else:
        return int(digits)
    return None


def _short(form: Mapping[str, str], field: str) -> str:
    return form.get(field, "").strip()[:SHOWN_MAX]


def _text(limit: int | None) -> str:
    return "" if limit is None else str(limit)
