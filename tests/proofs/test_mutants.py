"""Small changes of the rules of credits and prices: most of them are noticed by a fast test.

SCRIP_MUTANTS says how many of them, always the same; `all` takes an hour.
"""

import os

import pytest

from tests.mutation.known import reason_of
from tests.mutation.run import LEAST, SAMPLE, measure, sample

ASKED = os.environ.get("SCRIP_MUTANTS", str(SAMPLE))


@pytest.mark.timeout(7_200)
def test_changes_of_the_rules_are_noticed() -> None:
    result = measure(None if ASKED == "all" else int(ASKED))
    print(*result.lines(), sep="\n")
    assert result.share >= LEAST


def test_a_sample_is_always_the_same_one() -> None:
    names = [f"m{number}" for number in range(1_000)]
    assert sample(names, 20) == sample(names[::-1], 20)
    assert len(set(sample(names, 20))) == 20
    assert sample(names[:5], 20) != []


def test_a_change_has_the_reason_of_its_place_or_is_to_be_done() -> None:
    assert reason_of("ledger.domain.forgetting.touch", "at - a", "at + a").startswith("A shortcut")
    assert reason_of("ledger.domain.decide.decide", "a < b", "a is not b").startswith("To do")
