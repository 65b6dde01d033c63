"""Automatic top-ups: the owner's rule, and what payments can say of one that fell due."""

from enum import StrEnum

from msgspec import Struct

from contracts.units import Credits, Id


class TopUpRule(Struct, frozen=True, gc=False, rename="camel"):
    """Buy `pack` when available falls below `below`; at most `monthly_max_minor` a month."""

    below: Credits
    pack: Id
    monthly_max_minor: int


class TopUpState(StrEnum):
    """Declined, and tried again later; failed for good; or ready again, with another card."""

    DECLINED = "declined"
    FAILED = "failed"
    READY = "ready"
