"""How a projecting process is tuned. Called once, by `main`, never by importing."""

import gc
import sys

SWITCH_INTERVAL_S = 0.00002  # a thread that hears from PostgreSQL or the disk gets its turn soon
_GC = (200_000, 50, 1000)  # batches make no cycles; collecting would walk them all for nothing


def tune() -> None:
    """Set what Python's defaults get wrong for batches in threads."""
    gc.set_threshold(*_GC)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
