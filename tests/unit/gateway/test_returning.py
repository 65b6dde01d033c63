"""After signing in people go on where they were, and nowhere that somebody else chose."""

import pytest
from gateway.returning import HOME, LENGTH_MAX, came_from, here


@pytest.mark.parametrize("path", ["/", "/account/usage?period=7d", "/tools/x?a=/b&c=%0d%0a#d"])
def test_a_path_of_this_host_is_gone_on_to(path: str) -> None:
    assert here(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "account", "//evil.example", "/\\evil.example", "\\/evil.example", "/a\\b", "/a b",
     "https://evil.example", "javascript:alert(1)", "/\tevil", "/a\r\nset-cookie: x", "/\u202eevil",
     "/sign-in", "/sign-out", "/sign-in/back?code=x", "/api/credits/balance", "/dev/sign-out",
     "/" + "a" * LENGTH_MAX],
)  # fmt: skip
def test_anything_else_is_home(path: str) -> None:
    assert here(path) == HOME


def test_a_form_comes_from_its_page_and_only_from_one_of_this_host() -> None:
    page = "https://scrip.example/account/keys?made=1"
    assert came_from("POST", "/account/keys/k/revoke", "", page, "scrip.example") == "/account/keys"
    assert came_from("POST", "/account/keys", "", page, "other.example") == HOME
    assert came_from("POST", "/account/keys", "", "", "scrip.example") == HOME
    assert came_from("GET", "/account/usage", "period=7d", "", "x") == "/account/usage?period=7d"
