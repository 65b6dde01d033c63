"""The catalogue: tools, plans and packs at one version, read from TOML and checked whole.

A catalogue that does not add up does not load: every worked example in it is priced on loading by
the tests, every id is unique, every limit is positive.
"""

import tomllib
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from importlib.resources import files
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from contracts.commands import Limits
from contracts.history import Basis
from contracts.units import REFUND_DAYS, Credits, Id, Ms


class Mode(StrEnum):
    """Where a tool runs: client-only ones are free and never reach a server."""

    CLIENT_ONLY = "client_only"
    HYBRID = "hybrid"
    SERVER_REQUIRED = "server_required"


class Status(StrEnum):
    """Whether a tool can be run."""

    ENABLED = "enabled"
    BETA = "beta"
    DISABLED = "disabled"


class HoldPolicy(StrEnum):
    """What a run of the tool holds: the most it may cost, or what it typically costs."""

    MAX = "max"
    TYPICAL = "typical"


class FailurePolicy(StrEnum):
    """What a failed or cancelled run costs that is charged by usage."""

    FREE = "free"
    MINIMUM = "minimum"
    METERED = "metered"


class Pricing(Struct, frozen=True):
    """The price rule. Credits, CPU ms per credit, GB-seconds per credit; a share in [0, 1].

    `refund_days`: a charge can be refunded for so long, and is remembered for that.
    """

    base_credits: Credits
    cpu_ms_per_credit: int
    gb_seconds_per_credit: int
    min_credits: Credits
    typical_share: Fraction
    estimate_valid_ms: Ms
    refund_days: int = REFUND_DAYS


class Tool(Struct, frozen=True):
    """One tool: its price ceiling and the limits its runs are held to."""

    id: Id
    path: str
    title: str
    studio: str
    mode: Mode
    requires_account: bool
    max_credits: Credits
    status: Status
    limits: Limits
    output_kb: int
    concurrency: int
    risk: str = "low"
    mobile: bool = True
    hold_policy: HoldPolicy = HoldPolicy.MAX
    failure_policy: FailurePolicy = FailurePolicy.FREE
    feature: str | None = None  # a plan must have it; None: every account may run the tool


class Plan(Struct, frozen=True):
    """A plan: its monthly allowance (no rollover) and the day limit on that allowance."""

    id: Id
    label: str
    monthly_credits: Credits
    daily_limit: Credits
    price_minor: int
    currency: str
    features: tuple[str, ...]


class Pack(Struct, frozen=True):
    """A pack of credits for sale. `price_minor` in minor units of `currency`."""

    id: Id
    credits: Credits
    price_minor: int
    currency: str
    expires_days: int


class Catalogue(Struct, frozen=True):
    """Everything at one version, by id; `history` is what runs have cost at it so far, by tool."""

    version: str
    scale: int
    pricing: Pricing
    tools: dict[str, Tool]
    plans: dict[str, Plan]
    packs: dict[str, Pack]
    second_person_above: Credits  # what one admin may move alone
    history: dict[str, Basis] = msgspec.field(default_factory=dict)


TEST_ENVIRONMENTS = frozenset(("local", "test"))
# Does nothing, through the real worker: measures what a run costs beside the tool itself.
NOOP = Tool(
    id="noop",
    path="/api/test-studio/noop/run",
    title="No operation",
    studio="test",
    mode=Mode.SERVER_REQUIRED,
    requires_account=True,
    max_credits=5,
    status=Status.ENABLED,
    limits=Limits(cpu_ms=1000, memory_mb=64, duration_ms=5000),
    output_kb=64,
    concurrency=64,
)
_Entry = TypeVar("_Entry", Tool, Plan, Pack)


class CatalogueError(ValueError):
    """The catalogue cannot be used: what is wrong and where."""


def load(text: str) -> Catalogue:
    """Read a catalogue from TOML text; raises CatalogueError naming the field that is wrong."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
        defaults = raw["limits"]
        return Catalogue(
            version=raw["version"],
            scale=raw["scale"],
            pricing=_pricing(raw["pricing"]),
            tools=_by_id([_tool(entry, defaults) for entry in raw["tools"]]),
            plans=_by_id(msgspec.convert(raw["plans"], list[Plan])),
            packs=_by_id(msgspec.convert(raw["packs"], list[Pack])),
            second_person_above=msgspec.convert(raw["admin"]["second_person_above"], Credits),
        )
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, KeyError, TypeError) as wrong:
        raise CatalogueError(f"catalogue: {wrong}") from wrong


def bundled_text() -> str:
    """The TOML that ships with this version of Scrip."""
    return files("contracts").joinpath("catalogue.toml").read_text(encoding="utf-8")


def bundled() -> Catalogue:
    """The catalogue that ships with this version of Scrip."""
    return load(bundled_text())


def served(environment: str) -> Catalogue:
    """What a service of this environment sells: the bundled one; `noop` too on a test machine."""
    catalogue = bundled()
    if environment not in TEST_ENVIRONMENTS:
        return catalogue
    return msgspec.structs.replace(catalogue, tools={**catalogue.tools, NOOP.id: NOOP})


def _pricing(entry: dict[str, Any]) -> Pricing:
    known = dict(entry)
    pricing = Pricing(typical_share=Fraction(known.pop("typical_share")), **known)
    if any(type(value) is not int or value < 0 for value in known.values()):
        raise CatalogueError("catalogue: pricing: numbers are whole and not negative")
    if min(pricing.cpu_ms_per_credit, pricing.gb_seconds_per_credit) <= 0:
        raise CatalogueError("catalogue: pricing: what a credit buys must be above zero")
    if not 0 <= pricing.typical_share <= 1:
        raise CatalogueError("catalogue: pricing: typical_share is between 0 and 1")
    return pricing


def _tool(entry: dict[str, Any], defaults: dict[str, int]) -> Tool:
    known = {**defaults, **entry}
    limits = Limits(
        cpu_ms=known.pop("cpu_ms"),
        memory_mb=known.pop("memory_mb"),
        duration_ms=known.pop("timeout_ms"),
    )
    known.pop("example", None)
    tool = msgspec.convert({**known, "limits": limits}, Tool)
    if min(limits.cpu_ms, limits.memory_mb, limits.duration_ms) <= 0:
        raise CatalogueError(f"catalogue: tool {tool.id}: every limit must be above zero")
    return tool


def _by_id(entries: list[_Entry]) -> dict[str, _Entry]:
    by_id = {entry.id: entry for entry in entries}
    if len(by_id) != len(entries):
        raise CatalogueError("catalogue: two entries share an id; every id must be unique")
    return by_id
