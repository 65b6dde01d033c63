"""Arithmetic on slices: what is taken and what is left add up, lot by lot."""

import pytest
from ledger.domain.slices import minus, plus, split

from tests.unit.domain.words import part

ONE = (part("a", 5),)
MANY = (part("a", 5), part("b", 7), part("c", 2))


@pytest.mark.parametrize(
    ("amount", "first", "rest"),
    [
        (0, (), ONE),
        (-1, (), ONE),
        (1, (part("a", 1),), (part("a", 4),)),
        (4, (part("a", 4),), (part("a", 1),)),
        (5, ONE, ()),
        (6, ONE, ()),
    ],
)
def test_one_slice_is_split(amount: int, first: object, rest: object) -> None:
    assert split(ONE, amount) == (first, rest)


@pytest.mark.parametrize(
    ("amount", "first", "rest"),
    [
        (0, (), MANY),
        (5, MANY[:1], MANY[1:]),
        (6, (part("a", 5), part("b", 1)), (part("b", 6), part("c", 2))),
        (12, MANY[:2], MANY[2:]),
        (14, MANY, ()),
        (20, MANY, ()),
    ],
)
def test_many_slices_are_split_in_their_order(amount: int, first: object, rest: object) -> None:
    assert split(MANY, amount) == (first, rest)


def test_no_slices_split_into_none() -> None:
    assert split((), 3) == ((), ())


def test_slices_of_one_lot_become_one() -> None:
    assert plus(MANY, (part("b", 1), part("d", 3), part("b", 2))) == (
        part("a", 5), part("b", 10), part("c", 2), part("d", 3),
    )  # fmt: skip
    assert plus((), MANY) == MANY


def test_what_is_taken_of_one_slice_leaves_the_rest_of_it() -> None:
    assert minus(ONE, (part("a", 2),)) == (part("a", 3),)
    assert minus(ONE, ONE) == ()
    assert minus(ONE, ()) == ONE


def test_what_is_taken_of_a_lot_is_taken_once_wherever_it_stands() -> None:
    assert minus(MANY, (part("b", 3),)) == (part("a", 5), part("b", 4), part("c", 2))
    assert minus(MANY, (part("c", 2), part("a", 5))) == (part("b", 7),)
    assert minus(MANY, (part("b", 3), part("b", 4))) == (part("a", 5), part("c", 2))
    twice = (part("a", 5), part("b", 1), part("a", 5))
    assert minus(twice, (part("a", 7),)) == (part("b", 1), part("a", 3))
    assert minus(twice, (part("a", 3),)) == (part("a", 2), part("b", 1), part("a", 5))
    assert minus(ONE, (part("a", 2), part("a", 1))) == (part("a", 2),)
