"""What payments is told from outside: environment variables, read once, secrets masked.

A secret may come as a file (`…_FILE`). An empty webhook secret means that there is no webhook.
Live keys are refused unless SCRIP_STRIPE_LIVE=yes says that real money is meant.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

HTTP_PORT = 18090
METRICS_PORT = 18085
RETURN_URL = "http://127.0.0.1:18080"


class SettingsError(ValueError):
    """A variable is missing or makes no sense: which one, and what it must look like."""


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that may differ between two installations."""

    kafka_bootstrap: str
    postgres_url: str
    env: str = "production"
    topic_prefix: str = ""
    host: str = "127.0.0.1"
    http_port: int = HTTP_PORT
    metrics_port: int = METRICS_PORT
    state_dir: Path = Path()
    stripe_key: str = ""
    stripe_api_base: str = "https://api.stripe.com"
    webhook_secrets: tuple[str, ...] = ()
    identity_keys: str = ""  # PEM, one or more while one is being rolled; they check
    public_url: str = RETURN_URL
    fraud_freezes: bool = True

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return self.stripe_key.startswith(("sk_live_", "rk_live_"))

    def __repr__(self) -> str:
        """All but the secrets."""
        return f"Settings(env={self.env!r}, http_port={self.http_port}, secrets='***')"


def from_env(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read `SCRIP_*`; raises SettingsError naming the variable that is wrong."""
    found = Settings(
        kafka_bootstrap=_needed(environ, "SCRIP_KAFKA_BOOTSTRAP", "127.0.0.1:19092"),
        postgres_url=_needed(environ, "SCRIP_POSTGRES_URL", "postgresql://scrip@127.0.0.1/scrip"),
        env=environ.get("SCRIP_ENV", "production"),
        topic_prefix=environ.get("SCRIP_TOPIC_PREFIX", ""),
        host=environ.get("SCRIP_HTTP_HOST", "127.0.0.1"),
        http_port=_number(environ, "SCRIP_HTTP_PORT", HTTP_PORT),
        metrics_port=_number(environ, "SCRIP_METRICS_PORT", METRICS_PORT),
        state_dir=Path(environ.get("SCRIP_STATE_DIR", ".")),
        stripe_key=_secret(environ, "SCRIP_STRIPE_KEY"),
        stripe_api_base=environ.get("SCRIP_STRIPE_API_BASE", "https://api.stripe.com"),
        webhook_secrets=tuple(
            part for part in _secret(environ, "SCRIP_STRIPE_WEBHOOK_SECRETS").split(",") if part
        ),
        identity_keys=_secret(environ, "SCRIP_IDENTITY_PUBLIC_KEYS"),
        public_url=environ.get("SCRIP_PUBLIC_URL", RETURN_URL).rstrip("/"),
        fraud_freezes=environ.get("SCRIP_FRAUD_WARNING", "freeze") == "freeze",
    )
    if found.live and environ.get("SCRIP_STRIPE_LIVE") != "yes":
        raise SettingsError(
            "SCRIP_STRIPE_KEY is a live key: real money. Set SCRIP_STRIPE_LIVE=yes if you mean it"
        )
    return found


def _needed(environ: Mapping[str, str], name: str, example: str) -> str:
    if not (value := environ.get(name, "")):
        raise SettingsError(f"{name} is not set; for example {name}={example}")
    return value


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    raw = environ.get(name, "")
    if raw and not (raw.isascii() and raw.isdigit()):
        raise SettingsError(f"{name} must be a whole number, not {raw!r}")
    return int(raw) if raw else default


def _secret(environ: Mapping[str, str], name: str) -> str:
    if file := environ.get(f"{name}_FILE", ""):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as why:
            raise SettingsError(f"{name}_FILE cannot be read: {why}") from why
    return environ.get(name, "")
