"""What must hold always, by name: the values of the label `invariant` in every service's metrics.

Each is looked at again and again by the service that owns what it is about, and shown as how many
violations the last look found and when that look ended. A name is never changed: alerts know it.
"""

from enum import StrEnum


class Invariant(StrEnum):
    """One thing that must hold."""

    SUMS_ZERO = "sums_zero"
    NO_NEGATIVE_PART = "no_negative_part"
    HELD_IS_RESERVATIONS = "held_equals_reservations"
    LOTS_ARE_AVAILABLE = "lots_equal_available"
    PROJECTION_IS_REPLAY = "projection_equals_replay"
    SEQUENCE_GAP = "sequence_gap"
    HASH_CHAIN = "hash_chain"
    PAID_NOT_CREDITED = "paid_not_credited"
    CREDITED_NOT_PAID = "credited_not_paid"
