"""What the notifier is told by its environment, read once."""

import os
from collections.abc import Mapping

from msgspec import Struct


class SettingsError(ValueError):
    """A setting is missing or wrong; says which and what to set."""


class Settings(Struct, frozen=True):
    """Where Kafka is. Metrics port 0: served nowhere."""

    bootstrap: str
    prefix: str = ""
    metrics_port: int = 0


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises SettingsError."""
    if not (bootstrap := environ.get("SCRIP_KAFKA_BOOTSTRAP", "")):
        raise SettingsError("set SCRIP_KAFKA_BOOTSTRAP to host:port of Kafka (see `make up`)")
    port = environ.get("SCRIP_METRICS_PORT", "0")
    if not (port.isascii() and port.isdecimal()) or int(port) > 65_535:
        raise SettingsError(f"SCRIP_METRICS_PORT must be a port number, not {port!r}")
    return Settings(bootstrap, environ.get("SCRIP_TOPIC_PREFIX", ""), int(port))
