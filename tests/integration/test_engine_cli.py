"""`scrip engine` says what is wrong in one line, and leaves nothing behind when it fails."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from engine.ports import free_port

SCRIP = Path(sys.executable).with_name("scrip")


def _engine(*argv: str, **env: str) -> subprocess.CompletedProcess[str]:
    foreign = ("SCRIP_KAFKA_BOOTSTRAP", "SCRIP_POSTGRES_URL")
    inherited = {key: value for key, value in os.environ.items() if key not in foreign}
    return subprocess.run(
        [SCRIP, "engine", *argv],
        env={**inherited, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_status_of_nothing_is_down_and_fails(tmp_path: Path) -> None:
    done = _engine("status", "--state", str(tmp_path))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    names = [line.split()[0] for line in lines]
    assert names[:2] == ["PostgreSQL", "Kafka"]
    assert {"ledger", "gateway", "audit-projector", "studio-tools"} <= set(names)
    assert all(" down" in line for line in lines)


def test_down_of_nothing_is_fine(tmp_path: Path) -> None:
    assert _engine("down", "--state", str(tmp_path)).returncode == 0


def test_logs_of_nothing_says_so(tmp_path: Path) -> None:
    done = _engine("logs", "ledger", "--state", str(tmp_path))
    assert done.returncode == 1
    assert "no log of ledger" in done.stderr


@pytest.mark.skipif("SCRIP_ENGINE" in os.environ, reason="needs the local engine, not images")
def test_up_with_a_port_in_use_says_which_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        port = free_port()
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = _engine(
            *("up", "--detach", "--state", str(tmp_path)),
            SCRIP_KAFKA_PORT=str(port),
            SCRIP_POSTGRES_PORT=str(free_port()),
        )
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1, wanted for Kafka, is in use" in done.stderr
    assert "SCRIP_KAFKA_PORT" in done.stderr
    assert list(tmp_path.rglob("*.pid")) == []
