"""No, as a value: what a rule returns when the answer is no."""

from contracts.commands import AnyCommand, Charge, Extend, Release, Reserve
from contracts.events import CommandRefused, LimitStatus
from contracts.reasons import Reason, Remedy
from contracts.units import Credits
from msgspec import Struct


class Refusal(Struct, frozen=True, gc=False):
    """Why not, which limit bound, how much is missing, what fixes it, which fields are wrong."""

    reason: Reason
    remedy: Remedy = Remedy.CHANGE_REQUEST
    limit: LimitStatus | None = None
    shortfall: Credits | None = None
    fields: tuple[str, ...] = ()


def refused(command: AnyCommand, no: Refusal) -> tuple[CommandRefused]:
    """The event that says no."""
    return (
        CommandRefused(
            kind=type(command).__name__,
            reason=no.reason,
            remedy=no.remedy,
            limit=no.limit,
            shortfall=no.shortfall,
            fields=no.fields,
            tool=command.tool if isinstance(command, Reserve) else None,
            reservation=(
                command.reservation if isinstance(command, Charge | Release | Extend) else None
            ),
        ),
    )
