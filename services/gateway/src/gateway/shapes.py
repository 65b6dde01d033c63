"""The answers of the API, field by field; every one carries the balance after it and a position."""

from datetime import datetime

from contracts.caps import Cap
from contracts.events import Balance
from contracts.pricing import LineItem
from contracts.toppings import TopUpRule
from msgspec import Struct

from gateway.problems import LimitShown


class Shown(Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What every answer carries."""

    balance: Balance
    position: str


class LotShown(Struct, rename="camel"):
    """A part of an amount, and the grant it was drawn from."""

    grant_id: str
    amount: int


class RangeShown(Struct, rename="camel", omit_defaults=True):
    """A price range; `price_version` names the catalogue it was made with."""

    min: int
    typical: int
    max: int
    price_version: str | None = None


class GrantShown(Shown, kw_only=True):
    """Credits were given, or will be: at `effectiveFrom`, where that is told."""

    grant_id: str
    amount: int
    kind: str
    source: str
    expires_at: datetime | None = None
    effective_from: datetime | None = None


class TransferShown(Shown, kw_only=True):
    """Credits are on their way; `status` is `sent` until it is known what became of them."""

    transfer_id: str
    to: str
    amount: int
    status: str
    lots: tuple[LotShown, ...]


class RevokeShown(Shown, kw_only=True):
    """Credits were taken back; `debt` of them had been spent or held, and is owed."""

    grant_id: str
    revoked: int
    debt: int


class FreezeShown(Shown, kw_only=True):
    """Whether this reason stands now, for the account or for one grant's credits."""

    frozen: bool
    reason: str
    grant_id: str | None = None


class BasisShown(Struct, rename="camel", omit_defaults=True):
    """What `typical` rests on: the price rule, or what so many past runs of the tool cost.

    One in ten of them cost less than `low`, one in ten more than `high`; `version` names these
    figures.
    """

    kind: str
    runs: int = 0
    low: int | None = None
    high: int | None = None
    version: str | None = None


class EstimateShown(Shown, kw_only=True):
    """What a run would cost, and whether it would be allowed now."""

    estimate_id: str
    tool_id: str
    min: int
    typical: int
    max: int
    free: bool
    items: tuple[LineItem, ...]
    price_version: str
    valid_until: datetime
    allowed: bool
    basis: BasisShown
    reason: str | None = None
    limit: LimitShown | None = None


class ReservationShown(Shown, kw_only=True):
    """Credits are held."""

    reservation_id: str
    status: str
    held: int
    estimate: RangeShown
    expires_at: datetime
    tool_id: str | None = None
    lots: tuple[LotShown, ...] = ()


class ChargeShown(Shown, kw_only=True):
    """Credits were taken; `released` went back; `overrun` was used and could not be taken."""

    charge_id: str
    reservation_id: str
    status: str
    charged: int
    released: int
    final: bool
    outcome: str
    lots: tuple[LotShown, ...]
    overrun: int = 0


class ReleaseShown(Shown, kw_only=True):
    """Everything went back."""

    reservation_id: str
    status: str
    released: int
    lots: tuple[LotShown, ...]


class RefundShown(Shown, kw_only=True):
    """What was charged came back."""

    refund_id: str
    charge_id: str
    refunded: int
    lots: tuple[LotShown, ...]


class ExtensionShown(Shown, kw_only=True):
    """A reservation holds more, or longer."""

    reservation_id: str
    status: str
    added: int
    expires_at: datetime


class PlanShown(Shown, kw_only=True):
    """The account is on this plan; `given` of its credits came for the period so far."""

    plan: str
    before: str | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    given: int = 0


class ControlsView(Struct, rename="camel"):
    """The owner's limits and alerts, all of them; None is no limit."""

    run_limit: int | None
    day_limit: int | None
    month_limit: int | None
    time_zone: str
    alert_percents: tuple[int, ...]
    alert_email: bool
    alert_in_app: bool
    top_up: TopUpRule | None
    concurrency: int | None = None
    caps: tuple[Cap, ...] = ()
    low_balance: int | None = None
    low_percent: int | None = None


class ControlsShown(Shown, kw_only=True):
    """The owner's limits and alerts were replaced."""

    controls: ControlsView
