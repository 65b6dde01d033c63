"""The webhook's door: fourteen kinds of delivery, and only what Stripe signed just now gets in."""

import gzip
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from engine.guard import Guard
from engine.local import Engine
from payments.settings import Settings
from payments.webhook import BODY_BYTES_MAX

from tests.integration.payments_world import SECRET, World, signed, world

NEW_SECRET = "the-secret-after-the-roll"
NAMES = (
    "good", "wrong secret", "old secret in a roll", "t - 301 s", "t + 301 s", "a byte changed",
    "re-serialised", "header missing", "two v1", "v0 only", "empty", "300 KiB", "gzip",
    "wrong livemode",
)  # fmt: skip
TAKEN = {"good", "old secret in a roll", "two v1"}


@pytest_asyncio.fixture(scope="module")
async def here(
    engine: Engine, database: str, tmp_path_factory: pytest.TempPathFactory, guard: Guard
) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("signatures")

    class Rolling(World):
        @property
        def settings(self) -> Settings:
            made = super().settings
            return Settings(
                **{name: getattr(made, name) for name in made.__struct_fields__}
                | {"webhook_secrets": (NEW_SECRET, SECRET)}
            )

    async with world(engine, database, "sig.", folder, guard, kind=Rolling) as made:
        yield made


def deliveries(name: str, raw: bytes) -> tuple[bytes, str | None, dict[str, str]]:
    """The bytes, the signature, and what else the delivery carries."""
    now = time.time()
    good = signed(raw, NEW_SECRET)
    other = json.dumps(json.loads(raw), indent=1).encode()
    large = raw[:-1] + b',"filler":"' + b"x" * (300 << 10) + b'"}'
    live = raw.replace(b'"livemode":false', b'"livemode":true')
    table: dict[str, tuple[bytes, str | None]] = {
        "good": (raw, good),
        "wrong secret": (raw, signed(raw, "guessed")),
        "old secret in a roll": (raw, signed(raw, SECRET)),
        "t - 301 s": (raw, signed(raw, NEW_SECRET, at=now - 301)),
        "t + 301 s": (raw, signed(raw, NEW_SECRET, at=now + 302)),
        "a byte changed": (raw[:-2] + b" }", good),
        "re-serialised": (other, good),
        "header missing": (raw, None),
        "two v1": (raw, f"{signed(raw, 'guessed')},{good.split(',')[1]}"),
        "v0 only": (raw, signed(raw, NEW_SECRET, scheme="v0")),
        "empty": (b"", signed(raw, NEW_SECRET)),
        "300 KiB": (large, signed(large, NEW_SECRET)),
        "gzip": (gzip.compress(raw), good),
        "wrong livemode": (live, signed(live, NEW_SECRET)),
    }
    return (*table[name], {"content-encoding": "gzip"} if name == "gzip" else {})


@pytest.mark.parametrize("name", NAMES)
async def test_signature_matrix(here: World, name: str) -> None:
    here.stripe.expire(await here.checkout("ada"))
    number = len(here.stripe.events) - 1
    raw, signature, headers = deliveries(name, here.body(number))
    answer = await here.post(raw, signature, **headers)
    expected = 200 if name in TAKEN else 413 if name == "300 KiB" else 400
    assert answer.status_code == expected, f"{name}: {answer.text}"
    with psycopg.connect(here.url) as connection:
        stored = connection.execute(
            "SELECT count(*) FROM payments.inbox WHERE event = %s", (f"evt_sig.{number}",)
        ).fetchone()
    assert stored == (1 if name in TAKEN else 0,)


def test_the_matrix_has_fourteen_rows() -> None:
    assert len(NAMES) == 14
    assert BODY_BYTES_MAX == 256 * 1024


async def test_the_same_delivery_again_is_one_row(here: World) -> None:
    here.stripe.expire(await here.checkout("ada"))
    number = len(here.stripe.events) - 1
    for _ in range(5):
        assert (await here.deliver(number)).status_code == 200
    with psycopg.connect(here.url) as connection:
        rows = connection.execute(
            "SELECT count(*) FROM payments.inbox WHERE event = %s", (f"evt_sig.{number}",)
        ).fetchone()
    assert rows == (1,)
