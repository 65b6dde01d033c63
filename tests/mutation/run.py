"""Change the rules, one small change at a time, and see whether a test notices.

    python -m tests.mutation.run [--sample 300 | --sample all] [--seed 1] [--write]

mutmut makes the changes (a comparison turned, a number plus one, an argument left out ...) in
ledger.domain and contracts.pricing; tests/unit/domain, tests/unit/ledger and the prices' tests are
asked about each. A sample is always the same one of the same rules and seed. `--write` writes every
change that nobody noticed into docs/mutation.md, with why it may stand (`tests.mutation.known`).

The last line says how many were noticed; exit 1 below `LEAST`.
"""

import argparse
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tests.mutation.farm import ROOT, Farm
from tests.mutation.known import reason_of

LEAST = 0.85
SAMPLE = 300
SEED = 1
FIRST = "ledger.domain.decide.x_decide*"  # nearly every test reaches it: each must be found by name
NOTICED = {"killed", "timeout"}
PAPER = ROOT / "docs" / "mutation.md"


class Survivor(Struct, frozen=True):
    """A change that no test noticed."""

    function: str
    before: str
    after: str
    reason: str


class Result(Struct, frozen=True):
    """What became of the changes that were asked about."""

    made: int
    told: Mapping[str, str]
    survivors: list[Survivor]

    @property
    def noticed(self) -> int:
        return sum(status in NOTICED for status in self.told.values())

    @property
    def share(self) -> float:
        return self.noticed / len(self.told)

    def lines(self) -> list[str]:
        """The figures, module by module, then what nobody noticed."""
        asked = Counter(module_of(name) for name in self.told)
        noticed = Counter(module_of(n) for n, status in self.told.items() if status in NOTICED)
        lines = [f"{m:<32}{noticed[m]:>5} of {asked[m]:>4} noticed" for m in sorted(asked)]
        for one in self.survivors:
            lines += [f"{one.function}: {one.reason or 'NOT LISTED'}"]
            lines += [f"  - {one.before}", f"  + {one.after}"]
        whole = "all" if len(self.told) == self.made else f"a sample of {self.made}"
        return [
            *lines,
            f"mutation: {self.noticed} of {len(self.told)} noticed, {self.share:.1%} ({whole})",
        ]


def module_of(name: str) -> str:
    """The module that a mutant is of."""
    return name.rpartition(".")[0]


def sample(names: list[str], count: int, seed: int = SEED) -> list[str]:
    """So many of them, always the same of a seed."""
    return random.Random(seed).sample(sorted(names), min(count, len(names)))


def measure(count: int | None, farm: Farm | None = None, seed: int = SEED) -> Result:
    """Ask about so many changes; None: about all that can be made."""
    farm = farm or Farm()
    farm.stock()
    farm.run([FIRST])
    names = list(farm.found())
    asked = names if count is None else sample(names, count, seed)
    farm.run([] if count is None else asked)
    found = farm.found()
    told = {name: found[name] for name in asked}
    survivors = [_survivor(farm, name) for name, status in told.items() if status not in NOTICED]
    return Result(len(names), told, sorted(survivors, key=lambda one: (one.function, one.after)))


def _survivor(farm: Farm, name: str) -> Survivor:
    before, after = farm.change(name)
    function = name.partition("__mutmut_")[0]
    for mark in (".x_", ".xǁ", "ǁ"):
        function = function.replace(mark, ".")
    return Survivor(function, before, after, reason_of(function, before, after))


def paper(result: Result) -> str:
    """docs/mutation.md."""
    by_reason: dict[str, list[Survivor]] = defaultdict(list)
    for one in result.survivors:
        by_reason[one.reason or "To be looked at"].append(one)
    whole = "All" if len(result.told) == result.made else "A sample"
    told = (
        f"{whole} of {result.made} small changes of `ledger.domain` and `contracts.pricing` were"
        f" made; of {len(result.told)} that were asked about, {result.noticed} were noticed"
        f" ({result.share:.1%})."
    )
    lines = [
        "# Changes of the rules that no test notices",
        "",
        "Written by `python -m tests.mutation.run --write`; the reasons stand in",
        "`tests/mutation/known.py`. `make mutants` looks again.",
        "",
        told,
    ]
    for reason in sorted(by_reason):
        lines += ["", f"## {reason}", "", "| where | before | after |", "|---|---|---|"]
        lines += [
            f"| `{one.function}` | {_cell(one.before)} | {_cell(one.after)} |"
            for one in by_reason[reason]
        ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return f"`{text.replace('|', '¦')}`" if text else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", default=str(SAMPLE), help="how many changes; all: every one")
    parser.add_argument("--seed", type=int, default=SEED, help="of the sample")
    parser.add_argument("--write", action="store_true", help="write docs/mutation.md")
    asked = parser.parse_args()
    count = None if asked.sample == "all" else int(asked.sample)
    result = measure(count, seed=asked.seed)
    print(*result.lines(), sep="\n")
    if asked.write:
        Path(PAPER).write_text(paper(result))
    return int(result.share < LEAST)


if __name__ == "__main__":
    sys.exit(main())
