"""The form of an action: what was typed, read strictly; and what the action will do, in words."""

import re
from collections.abc import Mapping
from secrets import token_hex

from contracts.units import AMOUNT_MAX, DAY, FOREVER, Ms
from msgspec import Struct

from gateway.actions import WAITS_MS, Action, Kind, needs_two
from gateway.balances import BalanceShown
from gateway.bodies import NAME
from gateway.looks import WHY_LENGTH_MAX, why_of
from gateway.pages.limitsform import Fault
from gateway.pages.render import number

TITLES = {
    Kind.GRANT: "Give credits",
    Kind.ADJUSTMENT: "Correct the balance",
    Kind.REFUND: "Refund a charge",
    Kind.REVOKE: "Take credits back",
    Kind.FREEZE: "Freeze",
    Kind.THAW: "End a freeze",
}
TARGETS = {  # what the second name is, where there is one
    Kind.ADJUSTMENT: "Grant to take them from, where credits are taken",
    Kind.REFUND: "Charge",
    Kind.REVOKE: "Grant",
    Kind.FREEZE: "Only this grant; empty for the whole account",
}
REASONS = (
    ("goodwill", "Goodwill"),
    ("outage", "An outage of ours"),
    ("our-mistake", "A mistake of ours"),
    ("asked", "The owner asked for it"),
    ("duplicate", "It was done twice"),
    ("fraud-review", "Suspected fraud"),
    ("chargeback", "Disputed at the bank"),
)
DAYS = {"": "never", "30": "in 30 days", "90": "in 90 days", "365": "in a year"}
SHOWN_MAX = 200
_name = re.compile(NAME).match
_AMOUNT = re.compile(r"-?[0-9]{1,13}")


class Typed(Struct, frozen=True, kw_only=True):
    """The form's fields as they stand in it. `key` names what it begins."""

    key: str
    amount: str = ""
    target: str = ""
    reason: str = ""
    note: str = ""
    days: str = ""


def typed(form: Mapping[str, str]) -> Typed:
    """What was sent; text only, nothing believed yet."""
    key = form.get("key", "")
    return Typed(
        key=key if _name(key) else new_key(),
        amount=form.get("amount", "")[:SHOWN_MAX].strip(),
        target=form.get("target", "")[:SHOWN_MAX].strip(),
        reason=form.get("reason", "")[:SHOWN_MAX],
        note=form.get("note", "")[: SHOWN_MAX + 1],
        days=form.get("days", "")[:SHOWN_MAX],
    )


def new_key() -> str:
    """A name for an action that nobody has used."""
    return f"staff-{token_hex(12)}"


def parsed(
    kind: Kind, account: str, form: Typed, *, me: str, now: Ms, above: int
) -> tuple[Action | None, list[Fault]]:
    """The action, or what is wrong with the form."""
    faults, amount = list[Fault](), None
    if kind not in {Kind.FREEZE, Kind.THAW}:
        amount = _amount(form.amount, signed=kind is Kind.ADJUSTMENT)
        if amount is None:
            faults.append(Fault("amount", _amount_wrong(kind)))
    takes = kind in {Kind.REFUND, Kind.REVOKE} or (kind is Kind.ADJUSTMENT and (amount or 0) < 0)
    if (takes or form.target) and not _name(form.target):
        faults.append(Fault("target", "Copy the whole name from the page of the account."))
    known = _name(form.reason) if kind is Kind.THAW else form.reason in dict(REASONS)
    if not known:
        faults.append(Fault("reason", "Choose a reason."))
    if not (note := why_of(form.note)):
        faults.append(Fault("note", f"Say why, in one line of at most {WHY_LENGTH_MAX}."))
    if form.days not in DAYS:
        faults.append(Fault("days", "Choose one of these."))
    if faults:
        return None, faults
    action = Action(
        id=form.key,
        kind=kind.value,
        account=account,
        amount=amount,
        target=form.target,
        reason=form.reason,
        note=note,
        expires_at=now + int(form.days) * DAY if form.days else FOREVER,
        asked_by=me,
        asked_at=now,
        until=now + WAITS_MS,
        two=needs_two(kind, amount, above),
    )
    return action, []


def effects(action: Action, balance: BalanceShown | None) -> list[str]:
    """What an action will do, in sentences."""
    amount, kind = action.amount or 0, Kind(action.kind)
    so_many = f"{number(abs(amount))} credits"
    match kind:
        case Kind.FREEZE:
            what = f"the lot {action.target}" if action.target else "this account"
            return [
                f"Nothing new is held of {what}, for the reason {action.reason}.",
                "Runs that are under way are settled as they are.",
            ]
        case Kind.THAW:
            return [f"The freeze for {action.reason} ends; others stand on."]
        case Kind.REFUND:
            says = [f"{so_many} of the charge {action.target} go back to the lots they came from."]
        case Kind.REVOKE:
            says = [_taken(so_many, action.target)]
        case Kind.ADJUSTMENT if amount < 0:
            says = [_taken(so_many, action.target)]
        case _:
            says = [f"{so_many} are given as goodwill, {_until(action.expires_at)}."]
    if balance is not None:
        says.append(f"Now {number(balance.available)} credits are available.")
    return says


def _taken(so_many: str, grant: str) -> str:
    return f"{so_many} of the grant {grant} are taken back; what of them is spent is owed."


def _until(expires_at: Ms) -> str:
    return "without an end" if expires_at >= FOREVER else "to be used within the time you chose"


def _amount(text: str, *, signed: bool) -> int | None:
    if not _AMOUNT.fullmatch(text):
        return None
    amount = int(text)
    if amount == 0 or abs(amount) > AMOUNT_MAX or (amount < 0 and not signed):
        return None
    return amount


def _amount_wrong(kind: Kind) -> str:
    if kind is Kind.ADJUSTMENT:
        return "Enter a whole number of credits: with a minus to take them, and not 0."
    return "Enter a whole number of credits of at least 1."
