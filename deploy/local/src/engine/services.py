"""Which processes a whole Scrip on one machine has, as values: no process is started here.

Every service reads the same few settings from its environment; only its ports are its own.
Without a key of Stripe's (SCRIP_STRIPE_KEY) the double stands in for it.
"""

import os
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import msgspec

from engine.places import HOST

GATEWAY_PORT = 18080
PAYMENTS_PORT = 18090
HOST_PAGE_PORT = 18095  # of `python -m deploy.demo.host`, which shows Scrip's elements
STRIPE_PORT = 18091  # of the double, when it stands in
IDENTITY_FILE = "identity.key"  # the file by which the gateway vouches for callers
IDENTITY_PUBLIC_FILE = "identity.pub"  # and the one by which the others check it
STRIPE_FILE = "stripe.secret"  # the file by which the double signs what it delivers
STRIPE_KEY = "sk_test_double"  # opens the double, and nothing else anywhere
FIRST_METRICS_PORT = 18081  # one port per process, in the order below
PARTITIONS = 2  # of every ledger topic here; part of the ledger's meaning, so it never changes


class Service(msgspec.Struct, frozen=True):
    """One process: how to start it, and the address that answers once it is ready.

    `prepare` is a program that must have succeeded before, such as a migration of its schema.
    """

    name: str
    argv: tuple[str, ...]
    metrics_port: int
    http_port: int = 0
    ready_path: str = "/metrics"
    prepare: tuple[str, ...] = ()
    vouches: bool = False  # it alone is told the key that signs identity tokens

    @property
    def ready_url(self) -> str:
        """Answers 2xx when the service does its work."""
        return f"http://{HOST}:{self.http_port or self.metrics_port}{self.ready_path}"

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port it listens on."""
        return tuple(port for port in (self.metrics_port, self.http_port) if port)

    def env(self, bootstrap: str, postgres_url: str, files: Path) -> dict[str, str]:
        """Give its settings; `files` is where it may keep what must outlive it."""
        settings = {
            "SCRIP_ENV": "local",
            "SCRIP_KAFKA_BOOTSTRAP": bootstrap,
            "SCRIP_POSTGRES_URL": postgres_url,
            "SCRIP_STATE_DIR": str(files),
            "SCRIP_METRICS_PORT": str(self.metrics_port),
            "SCRIP_PAYMENTS_URL": f"http://{HOST}:{PAYMENTS_PORT}",
            "SCRIP_PUBLIC_URL": f"http://{HOST}:{GATEWAY_PORT}",
            "SCRIP_EMBED_ORIGINS": f"http://{HOST}:{HOST_PAGE_PORT}",
            "SCRIP_IDENTITY_PUBLIC_KEYS_FILE": str(files / IDENTITY_PUBLIC_FILE),
        }
        if self.vouches:
            settings["SCRIP_IDENTITY_KEY_FILE"] = str(files / IDENTITY_FILE)
        http = {"SCRIP_HTTP_PORT": str(self.http_port)} if self.http_port else {}
        return {**settings, **http, **(_double(files) if doubled() else {})}


def doubled(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the double stands in for Stripe: nobody gave a key of the real one."""
    given = environ.get("SCRIP_STRIPE_KEY") or environ.get("SCRIP_STRIPE_KEY_FILE")
    return given in {None, "", STRIPE_KEY}


def _double(files: Path) -> Mapping[str, str]:
    return {
        "SCRIP_STRIPE_KEY": STRIPE_KEY,
        "SCRIP_STRIPE_API_BASE": f"http://{HOST}:{STRIPE_PORT}",
        "SCRIP_STRIPE_WEBHOOK_SECRETS_FILE": str(files / STRIPE_FILE),
        "SCRIP_STRIPE_DOUBLE_ENDPOINT": f"http://{HOST}:{GATEWAY_PORT}/api/stripe/webhook",
    }


def scrip() -> str:
    """Give the command line of the environment that runs us."""
    return str(Path(sys.executable).with_name("scrip"))


def services() -> tuple[Service, ...]:
    """Give all of them in the order of starting; they stop in reverse."""
    ports = count(FIRST_METRICS_PORT)
    double = Service(
        "stripe-double",
        (scrip(), "stripe-double", "run"),
        0,
        http_port=STRIPE_PORT,
        ready_path="/healthz",
    )
    return (
        Service("ledger", (scrip(), "ledger", "run"), next(ports)),
        Service(
            "audit-projector",
            (scrip(), "audit-projector", "run"),
            next(ports),
            prepare=(scrip(), "audit-projector", "migrate"),
        ),
        Service("studio-tools", (scrip(), "studio-tools", "run"), next(ports)),
        Service(
            "gateway",
            (scrip(), "gateway", "run"),
            next(ports),
            http_port=GATEWAY_PORT,
            ready_path="/readyz",
            vouches=True,
        ),
        Service(
            "payments",
            (scrip(), "payments", "run"),
            next(ports),
            http_port=PAYMENTS_PORT,
            ready_path="/readyz",
            prepare=(scrip(), "payments", "migrate"),
        ),
        Service("notifier", (scrip(), "notifier", "run"), next(ports)),
        *((double,) if doubled() else ()),
    )
