"""What runs of each tool cost, as counts, and the figures that estimates rest on.

A run is counted once, when its final charge says that it completed, by all that it was charged and
under the price it was held at. Amounts are exact below 256 credits and within a 128th above, so
that there are never more than some thousand counts of a tool, whatever it costs; and a single run
that cost a thousand times the others moves a median or a tenth by one place at most.

The figures are a function of the counts alone: whoever adds up the same runs, in any order, from
the start or behind a crash, publishes the same bytes.
"""

from collections.abc import Mapping
from hashlib import blake2b

from contracts.history import Basis
from contracts.units import Credits

EXACT_BELOW = 256  # credits; the binary digits kept of what is more: see `counted_as`
_DIGITS = 8
_VERSION_BYTES = 8


def counted_as(charged: Credits) -> Credits:
    """The amount that a run is counted under. `statements.TOOL_COSTS` says the same in SQL."""
    if charged < EXACT_BELOW:
        return charged
    digits = charged.bit_length() - _DIGITS
    return charged >> digits << digits


def basis_of(tool: str, price_version: str, runs_at: Mapping[Credits, int]) -> Basis:
    """The figures of a tool at a price, from how many runs cost how much; of one run at least."""
    runs = sum(runs_at.values())
    told = ",".join(f"{credits_}:{runs_at[credits_]}" for credits_ in sorted(runs_at))
    version = blake2b(f"{tool}@{price_version} {told}".encode(), digest_size=_VERSION_BYTES)
    return Basis(
        version=version.hexdigest(),
        runs=runs,
        low=_at(runs_at, -(-runs // 10)),
        typical=_at(runs_at, -(-runs // 2)),
        high=_at(runs_at, runs - runs // 10),
    )


def _at(runs_at: Mapping[Credits, int], place: int) -> Credits:
    """What the run at this place cost, counted from 1 and from the cheapest."""
    found = 0
    for found in sorted(runs_at):
        place -= runs_at[found]
        if place <= 0:
            break
    return found
