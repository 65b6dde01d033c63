"""Arithmetic on slices: which part of an amount belongs to which lot."""

from contracts.header import Slice
from contracts.units import Credits

EVENT_BYTES = 700  # an event without its slices, when every id is as long as it may be
SLICE_BYTES = 101  # a slice in JSON, likewise


def split(
    slices: tuple[Slice, ...], amount: Credits
) -> tuple[tuple[Slice, ...], tuple[Slice, ...]]:
    """The first `amount` of the slices, in their order, and the rest."""
    if len(slices) == 1:  # nearly always: one lot
        (only,) = slices
        if amount <= 0:
            return (), slices
        if amount >= only.amount:
            return slices, ()
        return (Slice(only.grant, amount),), (Slice(only.grant, only.amount - amount),)
    first: list[Slice] = []
    rest: list[Slice] = []
    for part in slices:
        take = min(amount, part.amount)
        amount -= take
        if take:
            first.append(Slice(part.grant, take))
        if part.amount - take:
            rest.append(Slice(part.grant, part.amount - take))
    return tuple(first), tuple(rest)


def plus(slices: tuple[Slice, ...], more: tuple[Slice, ...]) -> tuple[Slice, ...]:
    """Slices and more of them: one a lot, in the order in which the lots were first drawn."""
    sums = {part.grant: part.amount for part in slices}
    for part in more:
        sums[part.grant] = sums.get(part.grant, 0) + part.amount
    return tuple([Slice(grant, amount) for grant, amount in sums.items()])


def minus(slices: tuple[Slice, ...], taken: tuple[Slice, ...]) -> tuple[Slice, ...]:
    """The slices without what was taken of each lot."""
    if len(slices) == 1 and len(taken) == 1:
        left = slices[0].amount - taken[0].amount
        return (Slice(slices[0].grant, left),) if left else ()
    gone: dict[str, Credits] = {}
    for part in taken:
        gone[part.grant] = gone.get(part.grant, 0) + part.amount
    rest = []
    for part in slices:
        take = min(part.amount, gone.get(part.grant, 0))
        gone[part.grant] = gone.get(part.grant, 0) - take
        if part.amount - take:
            rest.append(Slice(part.grant, part.amount - take))
    return tuple(rest)
