"""Finance reads the log of events by itself: nothing of the ledger, nothing of the projector."""
