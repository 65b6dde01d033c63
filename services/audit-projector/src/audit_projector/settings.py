"""What the audit-projector is told by its environment, read once."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class SettingsError(ValueError):
    """A setting is missing or wrong; says which and what to set."""


class Settings(Struct, frozen=True):
    """Where Kafka, PostgreSQL and the compliance log are; port 0 serves no metrics."""

    bootstrap: str
    postgres_url: str
    environment: str
    prefix: str
    audit_folder: Path
    metrics_port: int


class LogSettings(Struct, frozen=True):
    """Where the log of events is: all that a reader of it alone needs."""

    bootstrap: str
    prefix: str


def log_from_environment(environ: Mapping[str, str] = os.environ) -> LogSettings:
    """Read only where the log is; raises SettingsError."""
    return LogSettings(
        bootstrap=_required(environ, "SCRIP_KAFKA_BOOTSTRAP", "host:port of Kafka (see `make up`)"),
        prefix=environ.get("SCRIP_TOPIC_PREFIX", ""),
    )


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises SettingsError."""
    port = environ.get("SCRIP_METRICS_PORT", "0")
    if not port.isdecimal() or int(port) > 65_535:
        raise SettingsError(f"SCRIP_METRICS_PORT must be a port number, not {port!r}")
    state = _required(environ, "SCRIP_STATE_DIR", "the folder that keeps the compliance log")
    return Settings(
        bootstrap=_required(environ, "SCRIP_KAFKA_BOOTSTRAP", "host:port of Kafka (see `make up`)"),
        postgres_url=_required(environ, "SCRIP_POSTGRES_URL", "postgresql://… (see `make up`)"),
        environment=environ.get("SCRIP_ENV", "production"),
        prefix=environ.get("SCRIP_TOPIC_PREFIX", ""),
        audit_folder=Path(state) / "audit",
        metrics_port=int(port),
    )


def _required(environ: Mapping[str, str], name: str, what: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingsError(f"set {name} to {what}")
    return value
