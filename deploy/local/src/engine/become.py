"""Record our own pid, then become the program: the supervisor's child is the service itself.

A pid file written here names a service even after its supervisor was killed, so that `down` can
stop what is left. Usage: `python -m engine.become PID_FILE PROGRAM [ARGUMENT...]`.
"""

import os
import sys
from pathlib import Path

from engine import pidfiles


def main() -> None:
    """Write the pid file and replace this process."""
    pidfiles.write(Path(sys.argv[1]), os.getpid())
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is what we want


if __name__ == "__main__":
    main()
