"""What all events carry: the header, and the small parts that several of them share."""

from msgspec import Struct

from contracts.commands import Actor
from contracts.units import Credits, Id, Ms


class Balance(Struct, frozen=True, gc=False):
    """An account after an event: usable now, set aside for runs, used up."""

    available: Credits
    held: Credits
    spent: Credits


class CommandRef(Struct, frozen=True, gc=False):
    """The command that caused an event: its id, offset, broker timestamp and digest."""

    id: str
    offset: int
    timestamp: Ms
    digest: str = ""


class Slice(Struct, frozen=True, gc=False):
    """A part of an amount and the lot (by its grant) that it is drawn from."""

    grant: Id
    amount: Credits


class Window(Struct, frozen=True, gc=False):
    """A calendar day or month in the account's time zone: [start, end) in ms."""

    start: Ms
    end: Ms


class Windows(Struct, frozen=True, gc=False):
    """The day and the month that an amount counts in."""

    day: Window
    month: Window


class LimitStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """One limit as it stood: `left = limit - used - held`, never below zero."""

    name: str
    limit: Credits
    used: Credits
    held: Credits
    left: Credits
    resets_at: Ms | None = None


class Extension(Struct, frozen=True, gc=False, rename="camel"):
    """A lot that lives longer because of a refund into it."""

    grant: Id
    expires_at: Ms


class Allowance(Struct, frozen=True, gc=False, rename="camel"):
    """A plan in one period, [start, end) in ms: `credits` a whole one, `day_limit` of them a day.

    These terms hold `since`; earlier ones of the same period stood for `accrued`, in credits x ms.
    `given` was granted for the period, less what a smaller plan took back. When it `renews`, the
    next period is the calendar's; else whoever set the plan sets it.
    """

    plan: Id
    start: Ms
    end: Ms
    credits: Credits
    day_limit: Credits
    renews: bool
    since: Ms
    accrued: int
    given: Credits


class Event(
    Struct, tag=True, tag_field="type", rename="camel", omit_defaults=True, gc=False, kw_only=True
):
    """The header. `seq` is gapless in the partition, `version` gapless in the account."""

    v: int = 0
    seq: int = 0
    owner: str = ""
    account: str = ""
    version: int = 0
    command: CommandRef | None = None
    at: Ms = 0
    actor: Actor | None = None
    balance: Balance | None = None
    answer: bool = False
