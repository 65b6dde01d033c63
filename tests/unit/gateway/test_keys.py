"""API keys: what one looks like, and that nothing but the very key opens."""

import asyncio

from gateway import keys
from gateway.keyring import KeyRing
from gateway.keys import Key, Scope

NOW = 1_000_000


def stored(text: str, key_id: str, **more: object) -> Key:
    return Key(key_id, keys.sha256(text), frozenset({Scope.READ}), **more)  # type: ignore[arg-type]


def ring_of(*known: Key) -> KeyRing:
    async def load(since: float | None) -> tuple[list[Key], float]:
        return list(known), 1.0

    ring = KeyRing("test", load)
    asyncio.run(ring.refresh())
    return ring


def test_a_key_carries_its_id_and_a_checksum() -> None:
    key_id, text = keys.make("test")
    assert text.startswith(f"scrip_test_{key_id}_")
    assert keys.id_of(text.encode(), b"test") == key_id


def test_a_typo_anywhere_is_seen_before_anything_is_looked_up() -> None:
    _, text = keys.make("test")
    for at in range(len(text)):
        other = "x" if text[at] != "x" else "y"
        assert keys.id_of((text[:at] + other + text[at + 1 :]).encode(), b"test") is None
    assert keys.id_of(text[:-1].encode(), b"test") is None


def test_a_key_of_another_environment_is_no_key_here() -> None:
    _, text = keys.make("local")
    assert keys.id_of(text.encode(), b"test") is None


def test_two_keys_never_share_anything() -> None:
    assert len({keys.make("test") for _ in range(100)}) == 100


def test_the_ring_opens_for_the_very_key_only() -> None:
    key_id, text = keys.make("test")
    _, stranger = keys.make("test")
    ring = ring_of(stored(text, key_id))
    found = ring.find(text.encode(), NOW)
    assert found is not None
    assert found.id == key_id
    assert ring.find(stranger.encode(), NOW) is None


def test_a_key_with_a_known_id_and_another_secret_does_not_open() -> None:
    key_id, text = keys.make("test")
    _, other = keys.make("test")
    ring = ring_of(stored(other, key_id))
    assert ring.find(text.encode(), NOW) is None


def test_revoked_and_expired_keys_do_not_open() -> None:
    for more in ({"revoked_at": NOW - 1}, {"expires_at": NOW}):
        key_id, text = keys.make("test")
        assert ring_of(stored(text, key_id, **more)).find(text.encode(), NOW) is None


async def test_a_key_made_a_moment_ago_is_looked_up_at_once() -> None:
    key_id, text = keys.make("test")
    known: list[Key] = []

    async def load(since: float | None) -> tuple[list[Key], float]:
        return known, 1.0

    ring = KeyRing("test", load)
    assert await ring.refresh()
    known.append(stored(text, key_id))
    assert ring.find(text.encode(), NOW) is None
    found = await ring.find_fresh(text.encode(), NOW)
    assert found is not None


async def test_without_postgres_known_keys_keep_working() -> None:
    key_id, text = keys.make("test")
    away: list[str] = []

    async def load(since: float | None) -> tuple[list[Key], float]:
        if away:
            raise OSError("gone")
        return [stored(text, key_id)], 1.0

    ring = KeyRing("test", load)
    assert ring.find(text.encode(), NOW) is None
    assert await ring.refresh()
    away.append("gone")
    assert not await ring.refresh()
    assert ring.loaded
    assert ring.find(text.encode(), NOW) is not None
