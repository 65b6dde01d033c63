"""What a run is expected to cost: by the price rule, or as runs of its tool at this price did.

The rule gives the range that is promised: min and max. What past runs say moves `typical` inside
it, once there are enough of them, and never the range.
"""

from contracts.catalogue import Catalogue, Tool
from contracts.commands import Limits
from contracts.history import Basis
from contracts.pricing import Quote, quote
from msgspec.structs import replace

RUNS_MIN = 30  # fewer are chance: a median of 30 lies between the fourth and sixth tenth of all


def expected(tool: Tool, limits: Limits, catalogue: Catalogue) -> tuple[Quote, Basis | None]:
    """The price range, and what its `typical` was taken from where that is not the rule."""
    priced, known = quote(tool, limits, catalogue), catalogue.history.get(tool.id)
    if known is None or known.runs < RUNS_MIN or not priced.max:
        return priced, None
    typical = max(priced.min, min(known.typical, priced.max))
    return replace(priced, typical=typical), known
