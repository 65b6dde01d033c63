"""Whatever fits the OpenAPI document, or nearly, is answered as the document says; never by a 5xx.

`SCRIP_EXAMPLES` says how many requests each operation is sent. Runs and purchases are left out:
who answers those is not started here; so are live pages, whose answers never end.
"""

import asyncio
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine.guard import Guard
from engine.local import Engine

from tests.integration.gateway_world import World, world

ROOT = Path(__file__).parents[2]
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = os.environ.get("SCRIP_EXAMPLES", "2")
CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance"
ELSEWHERE = r"^/api/billing/(?!estimate)|/run$|^/api/stripe/|^/api/sign-in$|^/api/live$"


@pytest.fixture(scope="module")
def api(
    engine: Engine, database: str, guard: Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("fuzzed")
    prefix = f"t{uuid.uuid4().hex[:10]}."
    services, off = ("ledger", "audit-projector"), {"SCRIP_RATE_LIMITS": "off"}
    with world(engine, database, prefix, folder, guard, services=services, gateway=off) as made:
        yield made


async def test_what_fits_the_document_is_answered_as_it_says(api: World) -> None:
    command = [
        str(SCHEMATHESIS), "run", "contracts/openapi.json", "--url", api.base,
        "-H", f"Authorization: Bearer {api.key()}", "-H", "Scrip-Account: ada",
        "-n", EXAMPLES, "--phases", "fuzzing", "--checks", CHECKS,
        "--exclude-path-regex", ELSEWHERE, "--request-timeout", "20", "--no-color",
    ]  # fmt: skip
    fuzzing = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told = (await fuzzing.communicate())[0].decode()
    assert fuzzing.returncode == 0, told
    [counted] = [line for line in told.splitlines() if " generated, " in line]
    print(f"schemathesis: {counted.strip()}")
    assert '"level": "error"' not in api.log()
