"""Replay and explain: sums that agree with the ledger, and nothing in them that cancels out."""

import pytest
from audit_projector.finance.amounts import Amounts, moves
from audit_projector.finance.comparing import compare
from audit_projector.finance.explain import PARTS, Step, _group, _step, fewest
from audit_projector.finance.ledgerlog import before
from audit_projector.finance.replay import summed, table
from audit_projector.intake import Taken

from tests.unit.audit_projector.world import World, counted


@pytest.fixture(scope="module")
def taken() -> list[Taken]:
    return World(3).go_on(500).taken()


@pytest.mark.parametrize("part", PARTS)
def test_the_fewest_events_sum_up_to_what_the_newest_event_says(
    taken: list[Taken], part: str
) -> None:
    found: dict[str, list[tuple[Step, str]]] = {}
    newest: dict[str, int] = {}
    for record, event in counted(taken):
        if event.account:
            newest[event.account] = getattr(event.balance, part)
            if (step := _step(record, event, part)) is not None:
                found.setdefault(event.account, []).append((step, _group(event)))

    for account, steps in found.items():
        kept = fewest(steps)
        assert (kept[-1].total if kept else 0) == newest[account]
        assert len(kept) <= len(steps)
        assert [s.version for s in kept] == sorted(s.version for s in kept)


def test_a_reservation_that_moved_nothing_is_left_out() -> None:
    def step(change: int) -> Step:
        return Step(0, 0, 0, "", "", "", "", change)

    kept = fewest([(step(100), "g"), (step(-5), "r1"), (step(5), "r1"), (step(-7), "r2")])

    assert [(s.change, s.total) for s in kept] == [(100, 100), (-7, 93)]


def test_equal_amounts_have_equal_hashes_whatever_their_order() -> None:
    one = summed(None, 2, {"b": Amounts(granted=1, available=1), "a": Amounts()})
    two = summed(None, 2, {"a": Amounts(), "b": Amounts(granted=1, available=1)})
    three = summed(None, 2, {"a": Amounts(granted=1, available=1), "b": Amounts()})

    assert one.sha256 == two.sha256 != three.sha256
    assert one.totals == Amounts(granted=1, available=1)
    assert table(one).splitlines()[-1].endswith(one.sha256)


def test_as_of_stops_each_partition_at_its_first_later_record(taken: list[Taken]) -> None:
    cut = taken[len(taken) // 2].timestamp
    closed: set[int] = set()
    kept = [x for at in range(0, len(taken), 7) for x in before(taken[at : at + 7], cut, closed)]

    assert kept == [x for x in taken if x.timestamp <= cut]
    assert closed == {0}


def test_the_difference_is_seen() -> None:
    assert Amounts(granted=10, available=4, held=3, spent=2, expired=1).difference == 0
    assert Amounts(granted=10, available=4, held=3, spent=2).difference == 1


def test_events_that_move_nothing_say_so(taken: list[Taken]) -> None:
    still = {type(event).__name__ for _, event in counted(taken) if moves(event) is None}

    assert "CommandRefused" in still
    assert "CreditsCharged" not in still


def test_a_comparison_names_what_differs_is_missing_or_is_too_much() -> None:
    check = compare("x", {"a": 1, "b": 2, "c": 3}, [("a", 1), ("b", 9), ("d", 4)])

    assert check.compared == 3
    assert check.differences == 3
    assert [example[0] for example in check.examples] == ["b", "d", "c"]
    assert "3 DIFFER" in check.line
