"""Free ports below the range the kernel hands out, and a refusal that names the port in use."""

import random
import socket

from engine.errors import EngineError, PortInUse
from engine.places import HOST

LOWEST = 20_000  # above what common servers use by default
HIGHEST = 32_767  # Linux gives 32768 and up to outgoing connections, which would race with us
TRIES = 200  # of 12,768 ports; fewer than 200 free in a row means something else is wrong


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Pick a port that is free now, at random so that parallel sessions rarely meet."""
    for _ in range(TRIES):
        port = random.SystemRandom().randint(LOWEST, HIGHEST)
        if is_free(port):
            return port
    raise EngineError(f"no free port between {LOWEST} and {HIGHEST}; is the loopback up?")


def refuse_used(port: int, what: str, setting: str) -> None:
    """Raise PortInUse unless `port` is free, saying who wanted it and how to move it."""
    if not is_free(port):
        raise PortInUse(
            f"port {port} on {HOST}, wanted for {what}, is in use by another program. "
            f"Stop that program (`ss -ltnp 'sport = :{port}'` names it) or set {setting} "
            "to a free port."
        )
