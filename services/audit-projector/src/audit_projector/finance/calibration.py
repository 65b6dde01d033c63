"""How good estimates were: charges of completed runs against the range that was held for them."""

from typing import Any, Final

import psycopg
from msgspec import Struct

# A hold may have grown on the way; what a run may cost at most is what it held in the end.
_RUNS: Final = """
SELECT r.tool, CASE WHEN e.detail ? 'basis' THEN 'history' ELSE 'rule' END AS basis,
       count(*) AS runs,
       count(*) FILTER (WHERE charged BETWEEN min AND r.amount AND overrun = 0) AS inside,
       sum(charged)::bigint AS charged, sum(typical)::bigint AS typical,
       sum(abs(charged - typical))::bigint AS off
  FROM read.reservations AS r
  JOIN read.entries AS e ON e.account = r.account AND e.version = r.opened_version
 WHERE status = 'charged' AND outcome = 'completed' AND r.tool IS NOT NULL
   AND typical IS NOT NULL AND created_at_ms >= %s
 GROUP BY r.tool, basis ORDER BY r.tool, basis
"""


class Calibrated(Struct, rename="camel"):
    """One tool and what its estimates rested on: the price rule, or the history of its runs.

    How many runs, how many cost what was said, and how far typical was off: `off` is the sum of
    the differences between typical and charged, in credits.
    """

    tool: str
    basis: str
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
    """Every tool that completed a run since then, by each basis."""
    return [Calibrated(*row) for row in connection.execute(_RUNS.encode(), (since_ms,)).fetchall()]


def table(found: list[Calibrated]) -> str:
    """For people: a line per tool and basis, all of each basis last."""
    width = max((len(one.tool) for one in found), default=4)
    head = f"{'runs':>8}{'inside':>9}{'charged':>9}{'typical':>9}{'error':>9}"
    rows = [f"{'tool':<{width}}  {'basis':<7}{head}", *(_row(one, width) for one in found)]
    for basis in sorted({one.basis for one in found}):
        of = [one for one in found if one.basis == basis]
        names = Calibrated.__struct_fields__[2:]
        sums = [sum(getattr(one, name) for one in of) for name in names]
        rows.append(_row(Calibrated("all", basis, *sums), width))
    return "\n".join(rows)


def _row(one: Calibrated, width: int) -> str:
    return (
        f"{one.tool:<{width}}  {one.basis:<7}{one.runs:>8}{one.share:>8.1f}%"
        f"{one.charged / one.runs:>9.2f}{one.typical / one.runs:>9.2f}{one.error:>8.1f}%"
    )
