"""One price rule: exact integers inside, rounded up once, clamped at the end.

raw = base + cpu_ms / cpu_ms_per_credit + (memory_mb / 1024 x seconds) / gb_seconds_per_credit
"""

from msgspec import Struct

from contracts.catalogue import Catalogue, Mode, Tool
from contracts.commands import Limits, Usage
from contracts.units import Credits

_MB_PER_GB = 1024
_MS_PER_S = 1000


class LineItem(Struct, frozen=True, gc=False):
    """One part of a price, in thousandths of a credit; all items of a quote sum to its max."""

    item: str
    millicredits: int


class Quote(Struct, frozen=True, gc=False):
    """What a run may cost: min <= typical <= max, in credits."""

    min: Credits
    typical: Credits
    max: Credits
    items: tuple[LineItem, ...] = ()


def quote(tool: Tool, limits: Limits, catalogue: Catalogue) -> Quote:
    """The price range of a run that may use up to `limits`."""
    if tool.mode is Mode.CLIENT_ONLY:
        return Quote(min=0, typical=0, max=0)
    top, share = _raw(limits, catalogue), catalogue.pricing.typical_share
    low, unit = _floor(catalogue), _unit(catalogue)
    high = _clamp(_ceil(top, unit), low, tool.max_credits)
    typical = _clamp(_ceil(top * share.numerator, unit * share.denominator), low, tool.max_credits)
    return Quote(
        min=min(low, high), typical=typical, max=high, items=_items(limits, high, catalogue)
    )


def price(usage: Usage, low: Credits, high: Credits, catalogue: Catalogue) -> Credits:
    """The charge for measured usage, within [low, high]: an overrun cannot be expressed."""
    return _clamp(_ceil(_raw(usage, catalogue), _unit(catalogue)), low, high)


def _unit(catalogue: Catalogue) -> int:
    rule = catalogue.pricing
    return rule.cpu_ms_per_credit * _MB_PER_GB * _MS_PER_S * rule.gb_seconds_per_credit


def _raw(used: Limits | Usage, catalogue: Catalogue) -> int:
    """The exact price in 1/_unit credits."""
    rule = catalogue.pricing
    memory = _MB_PER_GB * _MS_PER_S * rule.gb_seconds_per_credit
    return (
        rule.base_credits * _unit(catalogue)
        + used.cpu_ms * memory
        + used.memory_mb * used.duration_ms * rule.cpu_ms_per_credit
    )


def _floor(catalogue: Catalogue) -> Credits:
    return max(catalogue.pricing.min_credits, catalogue.pricing.base_credits)


def _ceil(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _clamp(value: int, low: int, high: int) -> int:
    return max(min(low, high), min(value, high))


def parts(used: Limits | Usage, catalogue: Catalogue) -> tuple[LineItem, ...]:
    """What a price is made of, before it is rounded and clamped."""
    rule = catalogue.pricing
    memory_mb_ms = used.memory_mb * used.duration_ms * 1000
    return (
        LineItem("base", rule.base_credits * 1000),
        LineItem("cpu", used.cpu_ms * 1000 // rule.cpu_ms_per_credit),
        LineItem("memory", memory_mb_ms // (_MB_PER_GB * _MS_PER_S * rule.gb_seconds_per_credit)),
    )


def _items(limits: Limits, high: Credits, catalogue: Catalogue) -> tuple[LineItem, ...]:
    items = list(parts(limits, catalogue))
    if rest := high * 1000 - sum(item.millicredits for item in items):
        items.append(LineItem("rounding" if 0 < rest < 1000 else "cap", rest))
    return tuple(items)
