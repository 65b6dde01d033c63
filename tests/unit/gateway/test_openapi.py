"""The committed document is what the code says."""

import asyncio
import re
from pathlib import Path

import msgspec
from gateway import documenting

COMMITTED = Path(__file__).parents[3] / "contracts" / "openapi.json"


def test_the_committed_document_is_up_to_date() -> None:
    assert COMMITTED.read_bytes() == asyncio.run(documenting.written()), (
        "run `scrip gateway openapi` and commit contracts/openapi.json"
    )


def test_every_tool_has_its_route_and_every_operation_its_own_id() -> None:
    paths = msgspec.json.decode(COMMITTED.read_bytes())["paths"]
    assert sum(path.endswith("/run") for path in paths) == 24
    ids = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_every_shape_that_is_named_is_there() -> None:
    text = COMMITTED.read_text()
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert named
    assert named <= set(msgspec.json.decode(text)["components"]["schemas"])
