"""What runs of a tool have cost: learned from past charges, published, and used by estimates."""

from msgspec import Struct

from contracts.units import Credits, Id


class Basis(Struct, frozen=True, gc=False, rename="camel"):
    """What so many completed runs of a tool cost at one price.

    Half of them cost at most `typical`, one in ten less than `low`, one in ten more than `high`.
    `version` names the figures: the same runs give the same version, whoever counted them.
    """

    version: Id
    runs: int
    low: Credits
    typical: Credits
    high: Credits


class ToolHistory(Struct, frozen=True, gc=False, rename="camel"):
    """On `tools.history`, keyed by tool and price version: the newest figures of each.

    A price that changes begins anew: what runs cost before says nothing about it.
    """

    tool: Id
    price_version: str
    basis: Basis


def key_of(told: ToolHistory) -> bytes:
    """Under which key the figures lie: only the newest of each is kept."""
    return f"{told.tool}@{told.price_version}".encode()
