"""What a referral brings, how often, and when: an installation may differ."""

from msgspec import Struct

BONUS = 50  # credits, for each of the two
MONTHLY_MAX = 10  # bonuses of one referrer
HOLD_DAYS = 14  # as long as most refunds take


class Terms(Struct, frozen=True):
    """A `bonus` of 0 gives nothing; `hold_days`: how long a purchase must have stood."""

    bonus: int = BONUS
    monthly: int = MONTHLY_MAX
    hold_days: int = HOLD_DAYS
