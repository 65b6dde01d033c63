"""Builds a risk register: scores each risk before and after its controls, sorts, and sums up.

score = likelihood x impact on scales of 1 to 5.  A control takes whole steps off either scale,
never below 1.  A risk above the appetite that is merely accepted needs somebody's attention.
"""

from typing import Annotated, Literal

from msgspec import Meta

from studio_tools.tool import InputError, Tool, ToolInput, ToolOutput
from studio_tools.tools.shapes import Line, Name

RISKS_MAX = 300
CONTROLS_MAX = 10
SCALE = 5

Level = Annotated[int, Meta(ge=1, le=SCALE)]
Steps = Annotated[int, Meta(ge=0, le=SCALE - 1)]
Treatment = Literal["avoid", "mitigate", "transfer", "accept"]
Band = Literal["low", "medium", "high", "critical"]
BANDS: tuple[Band, ...] = ("low", "medium", "high", "critical")
_BAND_FLOORS: tuple[tuple[int, Band], ...] = ((20, "critical"), (12, "high"), (6, "medium"))
_BY_BAND: dict[Band, Treatment] = {
    "low": "accept",
    "medium": "mitigate",
    "high": "mitigate",
    "critical": "avoid",
}


class Control(ToolInput, kw_only=True):
    name: Name
    likelihood_steps: Steps = 0
    impact_steps: Steps = 0


class Risk(ToolInput, kw_only=True):
    title: Name
    likelihood: Level
    impact: Level
    id: Name | None = None
    category: Name = "general"
    owner: Name | None = None
    description: Line = ""
    treatment: Treatment | None = None
    controls: Annotated[tuple[Control, ...], Meta(max_length=CONTROLS_MAX)] = ()


class RegisterInput(ToolInput, kw_only=True):
    risks: Annotated[list[Risk], Meta(min_length=1, max_length=RISKS_MAX)]
    appetite: Annotated[int, Meta(ge=1, le=SCALE * SCALE)] = 6


class Entry(ToolOutput, kw_only=True):
    rank: int
    id: str
    title: str
    category: str
    owner: str | None
    inherent: int
    inherent_band: Band
    residual_likelihood: int
    residual_impact: int
    residual: int
    residual_band: Band
    treatment: Treatment
    treatment_suggested: bool
    within_appetite: bool
    controls: list[str]


class Totals(ToolOutput, kw_only=True):
    risks: int
    inherent: int
    residual: int
    reduction_percent: float
    above_appetite: int
    by_band: dict[Band, int]
    by_treatment: dict[Treatment, int]
    by_category: dict[str, int]


class RegisterOutput(ToolOutput, kw_only=True):
    register: list[Entry]
    totals: Totals
    heatmap: list[list[int]]  # [impact - 1][likelihood - 1]: how many residual risks
    attention: list[str]


def run(given: RegisterInput) -> RegisterOutput:
    entries = [_entry(place, risk, given.appetite) for place, risk in enumerate(given.risks)]
    _check_ids(entries)
    entries.sort(key=lambda entry: (-entry.residual, -entry.inherent, entry.id))
    for rank, entry in enumerate(entries, start=1):
        entry.rank = rank
    return RegisterOutput(
        register=entries,
        totals=_totals(entries),
        heatmap=_heatmap(entries),
        attention=[line for entry in entries for line in _attention(entry)],
    )


def _entry(place: int, risk: Risk, appetite: int) -> Entry:
    likelihood = max(1, risk.likelihood - sum(each.likelihood_steps for each in risk.controls))
    impact = max(1, risk.impact - sum(each.impact_steps for each in risk.controls))
    inherent, residual = risk.likelihood * risk.impact, likelihood * impact
    return Entry(
        rank=0,
        id=risk.id or f"R{place + 1:03d}",
        title=risk.title,
        category=risk.category,
        owner=risk.owner,
        inherent=inherent,
        inherent_band=band(inherent),
        residual_likelihood=likelihood,
        residual_impact=impact,
        residual=residual,
        residual_band=band(residual),
        treatment=risk.treatment or _BY_BAND[band(residual)],
        treatment_suggested=risk.treatment is None,
        within_appetite=residual <= appetite,
        controls=[each.name for each in risk.controls],
    )


def band(score: int) -> Band:
    return next((name for floor, name in _BAND_FLOORS if score >= floor), "low")


def _check_ids(entries: list[Entry]) -> None:
    seen: set[str] = set()
    for place, entry in enumerate(entries):
        if entry.id in seen:
            raise InputError(f"risks[{place}].id", f"{entry.id} is there twice")
        seen.add(entry.id)


def _totals(entries: list[Entry]) -> Totals:
    inherent = sum(entry.inherent for entry in entries)
    residual = sum(entry.residual for entry in entries)
    by_treatment: dict[Treatment, int] = {"avoid": 0, "mitigate": 0, "transfer": 0, "accept": 0}
    by_category: dict[str, int] = {}
    for entry in entries:
        by_treatment[entry.treatment] += 1
        by_category[entry.category] = by_category.get(entry.category, 0) + 1
    return Totals(
        risks=len(entries),
        inherent=inherent,
        residual=residual,
        reduction_percent=round(100 * (inherent - residual) / inherent, 1),
        above_appetite=sum(not entry.within_appetite for entry in entries),
        by_band={name: sum(e.residual_band == name for e in entries) for name in BANDS},
        by_treatment=by_treatment,
        by_category=by_category,
    )


def _heatmap(entries: list[Entry]) -> list[list[int]]:
    cells = [[0] * SCALE for _ in range(SCALE)]
    for entry in entries:
        cells[entry.residual_impact - 1][entry.residual_likelihood - 1] += 1
    return cells


def _attention(entry: Entry) -> list[str]:
    lines = []
    if not entry.within_appetite and entry.treatment == "accept":
        lines.append(f"{entry.id}: accepted although {entry.residual} is above the appetite")
    if not entry.within_appetite and entry.owner is None:
        lines.append(f"{entry.id}: above the appetite and nobody owns it")
    if entry.treatment == "mitigate" and not entry.controls:
        lines.append(f"{entry.id}: to be mitigated, and no control is named")
    return lines


EXAMPLE = b"""{"appetite": 6, "risks": [
  {"title": "Stolen laptop", "likelihood": 4, "impact": 4, "owner": "IT", "treatment": "mitigate",
   "controls": [{"name": "Disk encryption", "impactSteps": 3}]},
  {"title": "Data centre fire", "likelihood": 1, "impact": 5, "treatment": "transfer"},
  {"title": "Phishing", "likelihood": 5, "impact": 4, "category": "people"}]}"""

TOOL = Tool("cyber-studio-risk-register", RegisterInput, run, EXAMPLE)
