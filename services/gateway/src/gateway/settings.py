"""What the gateway is told from outside: environment variables, read once, secrets masked."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from gateway.referralterms import BONUS, HOLD_DAYS, MONTHLY_MAX, Terms

HTTP_PORT = 18080
METRICS_PORT = 18081
ANSWER_WAIT_MS = 5_000  # several takeovers of a busy ledger's answer time, shorter than a patience
RUN_WAIT_MS = 25_000  # below the 30 s at which common proxies give up
MAIL_FROM = "Scrip <no-reply@localhost>"
SIGN_IN_ENVIRONMENTS = frozenset({"local", "test"})  # where anyone may sign in as anyone


OPENID_ALGORITHMS = frozenset({"RS256", "PS256", "ES256"})  # one of them; never a shared secret
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")  # as browsers write it


class SettingsError(ValueError):
    """A variable is missing or makes no sense: which one, and what it must look like."""


class OpenId(Struct, frozen=True):
    """A provider that people may sign in by. `domains`: whose addresses it vouches for, or any."""

    issuer: str
    client_id: str
    client_secret: str
    name: str
    algorithm: str = "RS256"
    domains: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """All but the secret."""
        return f"OpenId(issuer={self.issuer!r}, client_id={self.client_id!r}, client_secret='***')"


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that may differ between two installations."""

    kafka_bootstrap: str
    postgres_url: str
    env: str = "production"
    host: str = "127.0.0.1"
    http_port: int = HTTP_PORT
    metrics_port: int = METRICS_PORT
    topic_prefix: str = ""
    answer_wait_ms: int = ANSWER_WAIT_MS
    run_wait_ms: int = RUN_WAIT_MS
    rate_limits: str = "accounts"
    top_up_url: str = "/account/credits"
    payments_url: str = ""
    public_url: str = ""
    smtp_url: str = ""
    mail_from: str = MAIL_FROM
    identity_key: str = ""  # PEM; it signs
    embed_origins: frozenset[str] = frozenset()
    openid: OpenId | None = None
    referral: Terms = Terms()

    @property
    def developing(self) -> bool:
        """Whether this is a machine for development or tests."""
        return self.env in SIGN_IN_ENVIRONMENTS

    def __repr__(self) -> str:
        """All but the password."""
        return f"Settings(env={self.env!r}, http_port={self.http_port}, postgres_url='***')"


def from_env(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read `SCRIP_*`; raises SettingsError naming the variable that is wrong."""
    limits = environ.get("SCRIP_RATE_LIMITS", "accounts")
    if limits not in {"accounts", "all", "off"}:
        raise SettingsError("SCRIP_RATE_LIMITS must be accounts (no service keys), all or off")
    http_port = _number(environ, "SCRIP_HTTP_PORT", HTTP_PORT)
    return Settings(
        kafka_bootstrap=_needed(environ, "SCRIP_KAFKA_BOOTSTRAP", "127.0.0.1:19092"),
        postgres_url=_needed(environ, "SCRIP_POSTGRES_URL", "postgresql://scrip@127.0.0.1/scrip"),
        env=environ.get("SCRIP_ENV", "production"),
        host=environ.get("SCRIP_HTTP_HOST", "127.0.0.1"),
        http_port=http_port,
        metrics_port=_number(environ, "SCRIP_METRICS_PORT", METRICS_PORT),
        topic_prefix=environ.get("SCRIP_TOPIC_PREFIX", ""),
        answer_wait_ms=_number(environ, "SCRIP_ANSWER_WAIT_MS", ANSWER_WAIT_MS),
        run_wait_ms=_number(environ, "SCRIP_RUN_WAIT_MS", RUN_WAIT_MS),
        rate_limits=limits,
        top_up_url=environ.get("SCRIP_TOP_UP_URL", "/account/credits"),
        payments_url=environ.get("SCRIP_PAYMENTS_URL", "").rstrip("/"),
        public_url=environ.get("SCRIP_PUBLIC_URL", f"http://127.0.0.1:{http_port}").rstrip("/"),
        smtp_url=_secret(environ, "SCRIP_SMTP_URL"),
        mail_from=environ.get("SCRIP_MAIL_FROM", MAIL_FROM),
        identity_key=_secret(environ, "SCRIP_IDENTITY_KEY"),
        embed_origins=_origins(environ, "SCRIP_EMBED_ORIGINS"),
        openid=_openid(environ),
        referral=Terms(
            bonus=_number(environ, "SCRIP_REFERRAL_BONUS", BONUS),
            monthly=_number(environ, "SCRIP_REFERRALS_A_MONTH", MONTHLY_MAX),
            hold_days=_number(environ, "SCRIP_REFERRAL_HOLD_DAYS", HOLD_DAYS),
        ),
    )


def _needed(environ: Mapping[str, str], name: str, example: str) -> str:
    if not (value := environ.get(name, "")):
        raise SettingsError(f"{name} is not set; for example {name}={example}")
    return value


def _origins(environ: Mapping[str, str], name: str) -> frozenset[str]:
    listed = [text.strip() for text in environ.get(name, "").split(",") if text.strip()]
    for text in listed:
        if not _ORIGIN.fullmatch(text):
            raise SettingsError(f"{name}: {text!r} is no origin; https://app.example.org is one")
    return frozenset(listed)


def _openid(environ: Mapping[str, str]) -> OpenId | None:
    if not (issuer := environ.get("SCRIP_OIDC_ISSUER", "")):
        return None
    plain = environ.get("SCRIP_ENV", "production") in SIGN_IN_ENVIRONMENTS
    parts = urlsplit(issuer)
    if parts.scheme not in ({"https", "http"} if plain else {"https"}) or not parts.netloc:
        raise SettingsError("SCRIP_OIDC_ISSUER must be an address like https://login.example.org")
    algorithm = environ.get("SCRIP_OIDC_ALGORITHM", "RS256")
    if algorithm not in OPENID_ALGORITHMS:
        raise SettingsError(f"SCRIP_OIDC_ALGORITHM must be one of {sorted(OPENID_ALGORITHMS)}")
    secret = _secret(environ, "SCRIP_OIDC_CLIENT_SECRET")
    if not secret:
        raise SettingsError("SCRIP_OIDC_CLIENT_SECRET or SCRIP_OIDC_CLIENT_SECRET_FILE is not set")
    domains = environ.get("SCRIP_OIDC_EMAIL_DOMAINS", "").lower().split(",")
    return OpenId(
        issuer=issuer,
        client_id=_needed(environ, "SCRIP_OIDC_CLIENT_ID", "scrip"),
        client_secret=secret,
        name=environ.get("SCRIP_OIDC_NAME", "") or parts.netloc,
        algorithm=algorithm,
        domains=frozenset(text.strip() for text in domains if text.strip()),
    )


def _secret(environ: Mapping[str, str], name: str) -> str:
    if file := environ.get(f"{name}_FILE", ""):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as why:
            raise SettingsError(f"{name}_FILE cannot be read: {why}") from why
    return environ.get(name, "")


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    raw = environ.get(name, "")
    if raw and not (raw.isascii() and raw.isdigit()):
        raise SettingsError(f"{name} must be a whole number, not {raw!r}")
    return int(raw) if raw else default
