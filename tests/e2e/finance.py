"""Finance's verbs as the command line gives them: `scrip verify` and `scrip replay`, as JSON."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
