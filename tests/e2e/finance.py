"""Finance's verbs as the command line gives them, as JSON; and a proof of a log by itself."""

import asyncio
import json
import os
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from engine.guard import Guard
from engine.processes import Process

SCRIP = str(Path(sys.executable).with_name("scrip"))


async def scrip(env: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a `scrip` command."""
    process = await asyncio.create_subprocess_exec(
        SCRIP,
        *words,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def verified(env: Mapping[str, str]) -> dict[str, Any]:
    """What `scrip verify` found when it found no difference; fails otherwise."""
    code, out, err = await scrip(env, "verify", "--wait", "60", "--json")
    assert code == 0, f"scrip verify exits with {code}:\n{out}\n{err}"
    found: dict[str, Any] = json.loads(out)
    assert not [check for check in found["checks"] if check["differences"]], out
    return found


async def replayed(env: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The amounts by account that `scrip replay` works out from the events alone."""
    code, out, err = await scrip(env, "replay", "--json")
    assert code == 0, f"scrip replay exits with {code}:\n{out}\n{err}"
    accounts: dict[str, dict[str, Any]] = json.loads(out)["accounts"]
    return accounts


async def proved(
    bootstrap: str, postgres_url: str, prefix: str, folder: Path, guard: Guard
) -> dict[str, Any]:
    """Project a log from offset 0 into a database of its own, then verify it there."""
    name = f"proof_{uuid.uuid4().hex[:12]}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    env = {
        "SCRIP_KAFKA_BOOTSTRAP": bootstrap,
        "SCRIP_POSTGRES_URL": url,
        "SCRIP_TOPIC_PREFIX": prefix,
        "SCRIP_ENV": "test",
        "SCRIP_STATE_DIR": str(folder / name),
        "SCRIP_METRICS_PORT": "0",
    }
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    assert (await scrip(env, "audit-projector", "migrate"))[0] == 0
    argv = (SCRIP, "audit-projector", "run")
    projector = Process(name, argv, log=folder / f"{name}.log", env=env, guard=guard)
    projector.start()
    try:
        return await verified(env)
    finally:
        await asyncio.to_thread(projector.stop)
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
