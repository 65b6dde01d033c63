"""Forks payments processes that have everything imported, so that a test can kill hundreds.

Each line on standard input asks for one; its pid is the answer. It is an ordinary process of
`scrip payments run` from there on, with the settings of this process's environment.
"""

import os
import signal
import sys

from payments import main
from payments.settings import from_env


def run() -> None:
    """Fork once for every line, until there are no more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    settings = from_env()
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            os.close(1)
            os.dup2(2, 1)
            main.run(settings)
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    run()
