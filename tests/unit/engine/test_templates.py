"""A broker's folder gets a cluster id that its own tool can read."""

import uuid

import pytest
from engine import templates


def test_a_cluster_id_never_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    dashed, plain = uuid.UUID(bytes=b"\xf8" * 16), uuid.UUID(bytes=b"\x08" * 16)
    drawn = iter([dashed, plain])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    assert not templates._new_id().startswith("-")
    assert list(drawn) == []
