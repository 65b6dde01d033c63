"""How good estimates were: charges of completed runs against the range that was held for them."""

from typing import Any, Final

import psycopg
from msgspec import Struct

# A hold may have grown on the way; what a run may cost at most is what it held in the end.
_RUNS: Final = """
SELECT tool, count(*) AS runs,
       count(*) FILTER (WHERE charged BETWEEN min AND amount AND overrun = 0) AS inside,
       sum(charged)::bigint AS charged, sum(typical)::bigint AS typical,
       sum(abs(charged - typical))::bigint AS off
  FROM read.reservations
 WHERE status = 'charged' AND outcome = 'completed' AND tool IS NOT NULL
   AND typical IS NOT NULL AND created_at_ms >= %s
 GROUP BY tool ORDER BY tool
"""


class Calibrated(Struct, rename="camel"):
    """One tool: how many runs, how many cost what was said, and how far typical was off.

    `off` is the sum of the differences between typical and charged, in credits.
    """

    tool: str
    runs: int
    inside: int
    charged: int
    typical: int
    off: int

    @property
    def share(self) -> float:
        """Charges inside [min, max], in per cent."""
        return 100 * self.inside / self.runs

    @property
    def error(self) -> float:
        """How far typical was off, in per cent of what was charged."""
        return 100 * self.off / self.charged if self.charged else 0.0


def calibration(connection: psycopg.Connection[Any], since_ms: int) -> list[Calibrated]:
    """Every tool that completed a run since then."""
    return [Calibrated(*row) for row in connection.execute(_RUNS.encode(), (since_ms,)).fetchall()]


def table(found: list[Calibrated]) -> str:
    """For people: a line per tool, all of them last."""
    width = max((len(one.tool) for one in found), default=4)
    rows = [
        f"{'tool':<{width}}{'runs':>8}{'inside':>9}{'charged':>9}{'typical':>9}{'error':>9}",
        *(_row(one, width) for one in found),
    ]
    sums = [sum(getattr(one, name) for one in found) for name in Calibrated.__struct_fields__[1:]]
    if found:
        rows.append(_row(Calibrated("all", *sums), width))
    return "\n".join(rows)


def _row(one: Calibrated, width: int) -> str:
    return (
        f"{one.tool:<{width}}{one.runs:>8}{one.share:>8.1f}%"
        f"{one.charged / one.runs:>9.2f}{one.typical / one.runs:>9.2f}{one.error:>8.1f}%"
    )
