"""What payments refuses to start with, and what it never shows."""

import pytest
from payments.settings import SettingsError, from_env

NEEDED = {"SCRIP_KAFKA_BOOTSTRAP": "k:1", "SCRIP_POSTGRES_URL": "postgresql://u:pw@h/d"}
LIVE = "sk_" + "live_" + "x" * 8  # in two parts, so that nobody takes it for one


def test_a_live_key_is_refused_unless_real_money_is_meant() -> None:
    with pytest.raises(SettingsError, match="SCRIP_STRIPE_LIVE=yes"):
        from_env({**NEEDED, "SCRIP_STRIPE_KEY": LIVE})
    assert from_env({**NEEDED, "SCRIP_STRIPE_KEY": LIVE, "SCRIP_STRIPE_LIVE": "yes"}).live


def test_without_a_secret_there_is_no_webhook() -> None:
    assert from_env(NEEDED).webhook_secrets == ()
    assert from_env({**NEEDED, "SCRIP_STRIPE_WEBHOOK_SECRETS": "a,b"}).webhook_secrets == ("a", "b")


def test_secrets_are_masked() -> None:
    shown = repr(from_env({**NEEDED, "SCRIP_STRIPE_KEY": "sk_test_1"}))
    assert "sk_test_1" not in shown
    assert "pw" not in shown
