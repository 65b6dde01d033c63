"""What a run of a tool would cost, as pages say it: the range, what is left, what is missing."""

from datetime import datetime

import msgspec
from contracts.catalogue import HoldPolicy, Mode, Tool
from contracts.codec import encode
from msgspec import Struct

from gateway.asgi import Call
from gateway.bodies import AskedLimits, EstimateBody
from gateway.estimates import Estimates
from gateway.pages import words
from gateway.problems import LimitShown, Problem, ProblemError
from gateway.shapes import EstimateShown

_estimate = msgspec.json.Decoder(EstimateShown).decode
_problem = msgspec.json.Decoder(Problem).decode


class Item(Struct, frozen=True):
    """A part of the highest price, in thousandths of a credit."""

    what: str
    millicredits: int


class Offer(Struct, frozen=True, kw_only=True):
    """A price before the run. `holds` is set aside; `short`: so much is missing; `why` a no."""

    free: bool
    min: int = 0
    typical: int = 0
    max: int = 0
    holds: int = 0
    available: int | None = None
    left: int | None = None
    short: int = 0
    allowed: bool = True
    why: str = ""
    limit: LimitShown | None = None
    items: tuple[Item, ...] = ()
    valid_until: datetime | None = None

    @property
    def says(self) -> str:
        """The same in one sentence, to be heard."""
        if self.free:
            return "Free: this runs in your browser."
        range_ = f"{self.min:,}" if self.min == self.max else f"{self.min:,} to {self.max:,}"
        told = f"Costs {range_} credits, typically {self.typical:,}."
        return f"{told} {words.credits_of(self.short)} missing." if self.short else told


FREE = Offer(free=True)


async def offer(
    estimates: Estimates, call: Call, tool: Tool, limits: AskedLimits | None, *, known: bool
) -> Offer:
    """Asked of the ledger as any caller would; `known`: the balance is this visitor's."""
    if tool.mode is Mode.CLIENT_ONLY:
        return FREE
    call.body = encode(EstimateBody(tool_id=tool.id, requested_limits=limits))
    reply = await estimates.billing(call)
    if reply.status != 200:
        raise ProblemError(_problem(reply.body))
    told = _estimate(reply.body)
    holds = told.max if tool.hold_policy is HoldPolicy.MAX else told.typical
    available = told.balance.available if known else None
    short = 0 if available is None else max(0, holds - available)
    return Offer(
        free=told.free,
        min=told.min,
        typical=told.typical,
        max=told.max,
        holds=holds,
        available=available,
        left=None if available is None else max(0, available - told.typical),
        short=short,
        allowed=told.allowed or not known,
        why="" if told.reason is None or not known else words.reason(told.reason).removesuffix("."),
        limit=told.limit,
        items=tuple(Item(words.ITEMS[one.item], one.millicredits) for one in told.items),
        valid_until=told.valid_until,
    )
