"""The figures: how they are summed up, what each must reach, and the table that says if it did.

A target is looked up by the dotted name of its figure, as in `latest.json`. Nothing is rounded in
its favour, and a figure that was not measured is never called reached.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, TypeAlias

from msgspec import Struct

Tree: TypeAlias = dict[str, Any]

ECHO_SHARE = 0.70  # of the floor in every pipeline cell
HOT_SHARE = 0.85  # of the uniform load
PIPELINE = ("1", "32", "256", "2000", "hot256")
HTTP = ("1", "32", "256")


class Target(Struct, frozen=True):
    """What a figure must reach: at least, or at most."""

    name: str
    least: float | None = None
    most: float | None = None

    def reached(self, figure: float) -> bool:
        return (self.least is None or figure >= self.least) and (
            self.most is None or figure <= self.most
        )

    def __str__(self) -> str:
        return f">= {self.least:,g}" if self.least is not None else f"<= {self.most:,g}"


TARGETS = (
    Target("pipeline.1.pairs_per_s", least=170),
    Target("pipeline.32.pairs_per_s", least=2_500),
    Target("pipeline.256.pairs_per_s", least=14_000),
    Target("pipeline.256.pair_p99_ms", most=60),
    Target("pipeline.2000.pairs_per_s", least=28_000),
    *(Target(f"pipeline.{cell}.share_of_echo", least=ECHO_SHARE) for cell in PIPELINE),
    Target("pipeline.hot256.share_of_uniform", least=HOT_SHARE),
    Target("http.1.pairs_per_s", least=150),
    Target("http.32.pairs_per_s", least=2_000),
    Target("http.256.pairs_per_s", least=4_000),
    Target("http.256.pair_p99_ms", most=120),
    Target("cpu_ms_per_pair.all_but_load", most=0.5),
    Target("replay_events_per_s", least=150_000),
    Target("projector_events_per_s", least=40_000),
    Target("takeover_s", most=10),
    Target("bytes_per_idle_account", most=600),
    Target("decide_us", most=15),
    Target("batch_commands_per_s", least=60_000),
    Target("snapshot_p99_ratio", most=1.5),
    Target("million.rss_mb", most=500),
    Target("million.restart_s", most=15),
    Target("million.replay_events_per_s", least=150_000),
)
# Each figure and its floor, measured beside it.
FLOORS = {
    "decide_us": "decide_floor_us",
    "batch_commands_per_s": "batch_echo_commands_per_s",
    "snapshot_p99_ms": "snapshot_calm_p99_ms",
    "million.events_per_s": "million.echo_events_per_s",
    "million.replay_events_per_s": "million.read_floor_events_per_s",
}


def percentiles(prefix: str, seconds: list[float]) -> dict[str, float]:
    """Milliseconds at p50 and p99; raises ValueError when nothing was measured."""
    if not seconds:
        raise ValueError("nothing was measured: no request was answered in time")
    seconds.sort()
    return {
        f"{prefix}p50_ms": round(seconds[len(seconds) // 2] * 1e3, 2),
        f"{prefix}p99_ms": round(seconds[len(seconds) * 99 // 100] * 1e3, 2),
    }


def medians(found: Sequence[Tree]) -> Tree:
    """Each figure's median over the repetitions of one cell."""
    summed: Tree = {}
    for name, value in found[0].items():
        if isinstance(value, dict):
            summed[name] = medians([each[name] for each in found])
        elif isinstance(value, int | float) and not isinstance(value, bool):
            summed[name] = round(median(each[name] for each in found), 4)
        else:
            summed[name] = value
    return summed


def derived(tree: Tree) -> None:
    """Add what follows from the measured: shares of the floor, sums."""
    pipeline, echo = tree.get("pipeline", {}), tree.get("echo", {})
    for cell, figures in pipeline.items():
        if floor := echo.get(cell, {}).get("pairs_per_s"):
            figures["share_of_echo"] = round(figures["pairs_per_s"] / floor, 3)
    if "hot256" in pipeline and "256" in pipeline:
        hot, uniform = pipeline["hot256"], pipeline["256"]
        hot["share_of_uniform"] = round(hot["pairs_per_s"] / uniform["pairs_per_s"], 3)
    if found := tree.get("http", {}).get("256", {}).get("cpu_ms_per_pair"):
        tree["cpu_ms_per_pair"] = dict(found)
        inside = [found.get(name) for name in ("broker", "ledger", "gateway")]
        if all(ms is not None for ms in inside):
            tree["cpu_ms_per_pair"]["all_but_load"] = round(sum(inside), 4)


def look_up(tree: Mapping[str, Any], name: str) -> float | None:
    """A figure by its dotted name."""
    found: Any = tree
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def verdicts(tree: Tree) -> dict[str, str]:
    """Of every target: reached, missed, or not measured."""
    told = {}
    for target in TARGETS:
        figure = look_up(tree, target.name)
        reached = figure is not None and target.reached(figure)
        told[target.name] = "not measured" if figure is None else "reached" if reached else "missed"
    return told


def table(tree: Tree, say: Callable[[str], None]) -> None:
    """Every figure with its floor, its ratio to it, its target and whether it was reached."""
    told = verdicts(tree)
    targets = {target.name: target for target in TARGETS}
    say(f"{'figure':<38}{'measured':>14}{'floor':>12}{'ratio':>8}  {'target':<13}verdict")
    for name in _shown(tree):
        figure, target = look_up(tree, name), targets.get(name)
        floor = _floor(tree, name)
        told_target = "" if target is None else str(target)
        ratio = f"{figure / floor:.0%}" if floor and figure is not None else ""
        say(
            f"{name:<38}{_number(figure):>14}{_number(floor):>12}{ratio:>8}"
            f"  {told_target:<13}{told.get(name, '')}".rstrip()
        )


def _shown(tree: Tree) -> list[str]:
    names = []
    for group, cells in (("pipeline", PIPELINE), ("http", HTTP), ("run", HTTP)):
        for cell in cells:
            figures = tree.get(group, {}).get(cell, {})
            names += [
                f"{group}.{cell}.{name}"
                for name, value in figures.items()
                if name.endswith(("_per_s", "_ms")) or name.startswith("share")
                if isinstance(value, int | float)
            ]
    names += [f"million.{name}" for name in tree.get("million", {})]
    names += [f"cpu_ms_per_pair.{who}" for who in tree.get("cpu_ms_per_pair", {})]
    names += [name for name in tree if look_up(tree, name) is not None]
    return [*names, *(t.name for t in TARGETS if t.name not in names)]


def _floor(tree: Tree, name: str) -> float | None:
    if name in FLOORS:
        return look_up(tree, FLOORS[name])
    group, _, rest = name.partition(".")
    if group not in ("pipeline", "http") or "share" in rest:
        return None
    runs = [tree.get("sections", {}).get(name, {}).get("run") for name in (group, "pipeline")]
    if runs[0] != runs[1]:
        return None  # a floor of another time says nothing
    return look_up(tree, f"echo.{rest}")


def _number(figure: float | None) -> str:
    if figure is None:
        return "-"
    return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:,.3g}"
