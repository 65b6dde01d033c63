"""What the ledger is told by its environment, read once."""

import os
from collections.abc import Mapping

from contracts.units import Ms
from msgspec import Struct

from ledger.checkpoints import EVERY_EVENTS as CHECKPOINT_EVENTS
from ledger.snapshots import EVERY_EVENTS, GAP_MS


class SettingsError(ValueError):
    """A setting is missing or wrong; says which and what to set."""


class Settings(Struct, frozen=True):
    """Where Kafka is, which environment this is, where metrics are served (0: nowhere).

    And how many events lie between two snapshots, and between two checkpoints.
    """

    bootstrap: str
    environment: str
    prefix: str
    metrics_port: int
    snapshot_events: int = EVERY_EVENTS
    snapshot_gap_ms: Ms = GAP_MS
    checkpoint_events: int = CHECKPOINT_EVENTS


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises SettingsError."""
    bootstrap = environ.get("SCRIP_KAFKA_BOOTSTRAP", "")
    if not bootstrap:
        raise SettingsError("set SCRIP_KAFKA_BOOTSTRAP to host:port of Kafka (see `make up`)")
    port = environ.get("SCRIP_METRICS_PORT", "0")
    if not port.isdecimal() or int(port) > 65_535:
        raise SettingsError(f"SCRIP_METRICS_PORT must be a port number, not {port!r}")
    return Settings(
        bootstrap=bootstrap,
        environment=environ.get("SCRIP_ENV", "production"),
        prefix=environ.get("SCRIP_TOPIC_PREFIX", ""),
        metrics_port=int(port),
        snapshot_events=_number(environ, "SCRIP_SNAPSHOT_EVENTS", EVERY_EVENTS),
        snapshot_gap_ms=_number(environ, "SCRIP_SNAPSHOT_GAP_MS", GAP_MS),
        checkpoint_events=_number(environ, "SCRIP_CHECKPOINT_EVENTS", CHECKPOINT_EVENTS),
    )


def _number(environ: Mapping[str, str], name: str, otherwise: int) -> int:
    given = environ.get(name, str(otherwise))
    if not given.isdecimal() or not int(given):
        raise SettingsError(f"{name} must be a whole number above 0, not {given!r}")
    return int(given)
