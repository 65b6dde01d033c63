"""What the double is told from outside: environment variables, read once."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

HTTP_PORT = 18091
HOST = "127.0.0.1"  # it asks nobody who they are, so nobody from elsewhere may come


class SettingsError(ValueError):
    """A variable makes no sense: which one, and what it must look like."""


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that may differ between two of them."""

    http_port: int = HTTP_PORT
    endpoint: str = ""  # where events are delivered; nowhere when empty
    secrets: tuple[str, ...] = ()
    state_file: Path | None = None

    @property
    def page(self) -> str:
        """Where the hosted pages are."""
        return f"http://{HOST}:{self.http_port}"

    def __repr__(self) -> str:
        """All but the secrets."""
        return f"Settings(http_port={self.http_port}, endpoint={self.endpoint!r}, secrets='***')"


def from_env(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read `SCRIP_*`; raises SettingsError naming the variable that is wrong."""
    port = environ.get("SCRIP_HTTP_PORT", str(HTTP_PORT))
    if not (port.isascii() and port.isdigit()):
        raise SettingsError(f"SCRIP_HTTP_PORT must be a whole number, not {port!r}")
    folder = environ.get("SCRIP_STATE_DIR", "")
    return Settings(
        http_port=int(port),
        endpoint=environ.get("SCRIP_STRIPE_DOUBLE_ENDPOINT", ""),
        secrets=tuple(x for x in _secrets(environ).split(",") if x),
        state_file=Path(folder) / "stripe-double.jsonl" if folder else None,
    )


def _secrets(environ: Mapping[str, str]) -> str:
    if file := environ.get("SCRIP_STRIPE_WEBHOOK_SECRETS_FILE", ""):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as why:
            raise SettingsError(f"SCRIP_STRIPE_WEBHOOK_SECRETS_FILE cannot be read: {why}") from why
    return environ.get("SCRIP_STRIPE_WEBHOOK_SECRETS", "")
