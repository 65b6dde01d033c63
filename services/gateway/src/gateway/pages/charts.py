"""Bars as numbers: where each one stands in an SVG. The table beside a chart says the same."""

from collections.abc import Sequence

from msgspec import Struct

WIDTH, HEIGHT = 720, 160  # of the drawing; it scales with its place
GAP_SHARE = 0.25


class Bar(Struct, frozen=True):
    """One bar; `label` names it for those who point at it."""

    x: float
    y: float
    width: float
    height: float
    label: str
    amount: int


class Bars(Struct, frozen=True):
    """A chart of bars with the top of its scale."""

    width: int
    height: int
    top: int
    bars: tuple[Bar, ...]


def bars(amounts: Sequence[tuple[str, int]]) -> Bars:
    """Upright bars side by side; what is below zero (a refund of an earlier day) has none."""
    top = nice(max((amount for _, amount in amounts), default=0))
    step = WIDTH / max(1, len(amounts))
    drawn = tuple(
        Bar(
            x=round(step * place + step * GAP_SHARE / 2, 2),
            y=round(HEIGHT - (tall := HEIGHT * max(0, amount) / top), 2),
            width=round(step * (1 - GAP_SHARE), 2),
            height=round(tall, 2),
            label=label,
            amount=amount,
        )
        for place, (label, amount) in enumerate(amounts)
    )
    return Bars(WIDTH, HEIGHT, top, drawn)


def nice(most: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50, … that is at least `most`."""
    scale = 1
    while True:
        for step in (1, 2, 5):
            if step * scale >= most:
                return step * scale
        scale *= 10


def share(part: int, whole: int) -> int:
    """Per mille of a whole, 0 to 1000."""
    return 0 if whole <= 0 else max(0, min(1000, part * 1000 // whole))
