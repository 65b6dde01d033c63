"""What the worker is told from outside: environment variables, read once."""

import os
from collections.abc import Mapping

from msgspec import Struct

from studio_tools.turns import RUNS_AT_ONCE

GROUP = "studio-tools"


class SettingsError(ValueError):
    """A variable is missing or makes no sense: which one, and what it must look like."""


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that may differ between two installations.  Metrics port 0: served nowhere."""

    kafka_bootstrap: str
    env: str = "production"
    topic_prefix: str = ""
    metrics_port: int = 0
    runs_at_once: int = RUNS_AT_ONCE


def from_env(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read `SCRIP_*`; raises SettingsError naming the variable that is wrong."""
    if not (bootstrap := environ.get("SCRIP_KAFKA_BOOTSTRAP", "")):
        raise SettingsError(
            "SCRIP_KAFKA_BOOTSTRAP is not set; for example SCRIP_KAFKA_BOOTSTRAP=127.0.0.1:19092"
        )
    return Settings(
        kafka_bootstrap=bootstrap,
        env=environ.get("SCRIP_ENV", "production"),
        topic_prefix=environ.get("SCRIP_TOPIC_PREFIX", ""),
        metrics_port=_number(environ, "SCRIP_METRICS_PORT", 0),
        runs_at_once=max(1, _number(environ, "SCRIP_RUNS_AT_ONCE", RUNS_AT_ONCE)),
    )


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    raw = environ.get(name, "")
    if raw and not (raw.isascii() and raw.isdigit()):
        raise SettingsError(f"{name} must be a whole number, not {raw!r}")
    return int(raw) if raw else default
