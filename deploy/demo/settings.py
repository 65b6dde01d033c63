"""What the demo is told by its environment, read once."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from engine.cli import KAFKA_PORT, POSTGRES_PORT
from engine.places import local_dir
from msgspec import Struct


class Settings(Struct, frozen=True):
    """Where the engine of this machine is, and whether headings may be bold."""

    state: Path
    kafka_port: int
    postgres_port: int
    bold: bool


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; the ports are those that `make up` would use."""
    return Settings(
        state=(local_dir() / "engine").resolve(),
        kafka_port=int(environ.get("SCRIP_KAFKA_PORT", KAFKA_PORT)),
        postgres_port=int(environ.get("SCRIP_POSTGRES_PORT", POSTGRES_PORT)),
        bold=sys.stdout.isatty() and "NO_COLOR" not in environ,
    )
