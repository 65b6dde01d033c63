"""Hunts the mutants: worlds of each one until the auditor objects, and the table of it."""

import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from unittest.mock import patch

from msgspec import Struct

from tests.simulation.mutants import Mutant, mutants
from tests.simulation.scenes import late_copies
from tests.simulation.worlds import some


class Caught(Struct):
    """A mutant: after how many seeds, in what time, and what the auditor said; "" if it lives."""

    step: str
    name: str
    seeds: int
    seconds: float
    said: str


def caught(mutant: Mutant, start: int = 0) -> Caught:
    """Run worlds of one mutant until it is caught or its seeds are used up."""
    begun = time.perf_counter()
    with ExitStack() as patched:
        for where, name, wrong in mutant.patches:
            patched.enter_context(patch.object(where, name, wrong))
        if not mutant.seeds:
            said = late_copies(mutant.kit.gateway)
            return Caught(mutant.step, mutant.name, 0, time.perf_counter() - begun, said)
        told = some(start, mutant.seeds, kit=mutant.kit, most=1, weights=mutant.weights)
    said = told.anomalies[0][1] if told.anomalies else ""
    return Caught(mutant.step, mutant.name, told.seeds, time.perf_counter() - begun, said)


def _caught(number: int, start: int) -> Caught:
    return caught(mutants()[number], start)  # mutants are classes made on the spot: not pickled


def hunt(start: int, workers: int) -> list[Caught]:
    """All mutants."""
    numbers = range(len(mutants()))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        hunted = [pool.submit(_caught, number, start) for number in numbers]
        return [one.result() for one in hunted]


def table(found: list[Caught]) -> str:
    """One line for each mutant."""
    lines = []
    for one in found:
        seeds = f"{one.seeds:5d} seeds" if one.seeds else "direct test"
        said = one.said[:100] or "NOT CAUGHT"
        lines.append(f"{one.step:>3}  {one.name:36} {seeds:>11} {one.seconds:5.1f} s  {said}")
    return "\n".join(lines)
