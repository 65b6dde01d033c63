"""The supervisor starts again what dies, and `down` finds what a killed supervisor left."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine import pidfiles
from engine.errors import EngineError, PortInUse
from engine.ports import free_port
from engine.services import Service
from engine.supervision import Supervision

# Answers on its metrics port, as every service does, and shows which settings it was given.
SERVICE = """
import os, http.server
print(sorted(k + "=" + v for k, v in os.environ.items() if k.startswith("SCRIP_")), flush=True)
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
port = int(os.environ["SCRIP_METRICS_PORT"])
http.server.HTTPServer(("127.0.0.1", port), Ok).serve_forever()
"""


@pytest.fixture
def supervision(tmp_path: Path) -> Iterator[Supervision]:
    """Two services under a supervisor."""
    program = tmp_path / "service.py"
    program.write_text(SERVICE)
    services = [
        Service(name, (sys.executable, str(program)), metrics_port=free_port())
        for name in ("first", "second")
    ]
    supervision = Supervision(
        tmp_path, services, "127.0.0.1:1", "postgresql://a:b%40@c/d", keeper=False
    )
    try:
        yield supervision
    finally:
        supervision.stop()


def _until(true: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def test_a_killed_service_comes_back_and_all_of_them_stop(supervision: Supervision) -> None:
    supervision.start()
    first = supervision.process_of("first")
    assert first.adopt()
    killed = first.pid
    first.kill()
    _until(lambda: first.adopt() and first.pid != killed)
    with pytest.raises(EngineError, match="run already"):
        supervision.start()
    logged = supervision.log("first").read_text()
    assert "SCRIP_POSTGRES_URL=postgresql://a:b%40@c/d" in logged
    assert "SCRIP_ENV=local" in logged
    files = first.log.parents[1] / "files"
    assert (files / "identity.key").stat().st_mode & 0o777 == 0o600
    assert (files / "stripe.secret").stat().st_mode & 0o777 == 0o600
    assert "PUBLIC KEY" in (files / "identity.pub").read_text()
    supervision.stop()
    for name in ("first", "second"):
        assert not supervision.process_of(name).adopt(), name


def test_services_of_a_killed_supervisor_are_stopped(supervision: Supervision) -> None:
    supervision.start()
    supervision.supervisor.kill()
    left = supervision.process_of("second")
    assert left.adopt()
    record = pidfiles.Record(pid=left.pid, born=pidfiles.birth(left.pid) or "")
    supervision.stop()
    assert not pidfiles.is_alive(record)


def test_a_service_port_in_use_is_refused_before_anything_starts(
    supervision: Supervision, tmp_path: Path
) -> None:
    supervision.start()
    taken = next(iter(supervision.services)).metrics_port
    other = Supervision(
        tmp_path / "other", [Service("third", ("/bin/false",), taken)], "", "", keeper=False
    )
    with pytest.raises(PortInUse, match=f"port {taken}.*third"):
        other.start()
    assert not (tmp_path / "other" / "pids").exists()


def test_a_service_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", "raise SystemExit('no such setting')")
    supervision = Supervision(
        tmp_path, [Service("broken", argv, free_port())], "", "", keeper=False, ready_seconds=2
    )
    try:
        with pytest.raises(EngineError, match=r"broken does not answer[\s\S]*no such setting"):
            supervision.start()
    finally:
        supervision.stop()
