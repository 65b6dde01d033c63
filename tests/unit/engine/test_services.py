"""The double stands in for Stripe only while nobody gave a key of the real one."""

from pathlib import Path

import pytest
from engine import services
from engine.services import STRIPE_KEY, Service, doubled

REAL = "SCRIP_STRIPE_KEY"


def by_name() -> dict[str, Service]:
    return {service.name: service for service in services.services()}


@pytest.fixture
def nobody_gave_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (REAL, f"{REAL}_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, True),
        ({REAL: ""}, True),
        ({REAL: STRIPE_KEY}, True),
        ({REAL: "sk_test_of_mine"}, False),
        ({f"{REAL}_FILE": "stripe-key"}, False),
    ],
)
def test_a_real_key_switches_the_double_off(environ: dict[str, str], *, expected: bool) -> None:
    assert doubled(environ) is expected


@pytest.mark.usefixtures("nobody_gave_a_key")
def test_without_a_key_payments_is_pointed_at_the_double() -> None:
    double = by_name()["stripe-double"]
    env = by_name()["payments"].env("kafka", "postgres", Path("files"))
    assert env["SCRIP_STRIPE_API_BASE"] == f"http://127.0.0.1:{double.http_port}"
    told = double.env("kafka", "postgres", Path("files"))
    secrets = "SCRIP_STRIPE_WEBHOOK_SECRETS_FILE"
    assert told[secrets] == env[secrets]


def test_with_a_key_nothing_of_the_double_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REAL, "sk_test_of_mine")
    assert "stripe-double" not in by_name()
    assert not [x for x in by_name()["payments"].env("k", "p", Path()) if "STRIPE" in x]


def test_the_gateway_alone_is_told_the_key_that_signs() -> None:
    signs = "SCRIP_IDENTITY_KEY_FILE"
    told = {name for name, service in by_name().items() if signs in service.env("k", "p", Path())}
    assert told == {"gateway"}
