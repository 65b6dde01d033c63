"""How a projecting process is tuned. Called once, by `main`, never by importing."""

import gc

_GC = (200_000, 50, 1000)  # batches make no cycles; collecting would walk them all for nothing


def tune() -> None:
    """Set what Python's defaults get wrong for large batches of small objects."""
    gc.set_threshold(*_GC)
