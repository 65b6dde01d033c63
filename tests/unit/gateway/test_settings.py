"""A setting that makes no sense ends the start with its name, and no secret is shown."""

import pytest
from gateway.settings import SettingsError, from_env

SECRET = "s3cret"
NEEDED = {
    "SCRIP_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "SCRIP_POSTGRES_URL": f"postgresql://scrip:{SECRET}@127.0.0.1/scrip",
}
PROVIDER = {
    "SCRIP_OIDC_ISSUER": "https://login.example.org",
    "SCRIP_OIDC_CLIENT_ID": "scrip",
    "SCRIP_OIDC_CLIENT_SECRET": SECRET,
}


def test_without_an_issuer_there_is_no_provider() -> None:
    assert from_env({**NEEDED, **PROVIDER, "SCRIP_OIDC_ISSUER": ""}).openid is None


def test_a_provider_is_called_by_its_host_and_speaks_for_the_domains_that_are_named() -> None:
    named = {"SCRIP_OIDC_EMAIL_DOMAINS": " Example.org, example.com ,"}
    found = from_env({**NEEDED, **PROVIDER, **named}).openid
    assert found is not None
    assert (found.name, found.algorithm) == ("login.example.org", "RS256")
    assert found.domains == {"example.org", "example.com"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCRIP_OIDC_ISSUER", "http://login.example.org"),
        ("SCRIP_OIDC_ISSUER", "login.example.org"),
        ("SCRIP_OIDC_ALGORITHM", "HS256"),
        ("SCRIP_OIDC_ALGORITHM", "none"),
        ("SCRIP_OIDC_CLIENT_SECRET", ""),
        ("SCRIP_OIDC_CLIENT_ID", ""),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        from_env({**NEEDED, **PROVIDER, name: value})


def test_a_machine_for_development_may_do_without_tls() -> None:
    plain = {"SCRIP_ENV": "test", "SCRIP_OIDC_ISSUER": "http://127.0.0.1:1"}
    assert from_env({**NEEDED, **PROVIDER, **plain}).openid is not None


def test_no_secret_is_shown() -> None:
    found = from_env({**NEEDED, **PROVIDER})
    assert SECRET not in repr(found) + repr(found.openid)
