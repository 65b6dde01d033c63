"""The wall clock, in one place: rules take `now` as an argument."""

import time

from contracts.units import Ms


def now_ms() -> Ms:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
