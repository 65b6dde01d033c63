"""Checkpoints: the log says now and then what hash the state had, and every replay looks.

The moment is behind the first command whose answer reaches another `every` events. The accounts in
use are frozen then and printed a few at a time, while commands go on; when all are, the event is
written. A replay comes by the same moments, and compares when it comes to the event.
"""

from contracts.events import VERSIONS, Checkpoint
from contracts.units import Ms

from ledger.accounts import Accounts
from ledger.resting import layout

EVERY_EVENTS = 100_000  # a minute of a busy partition
PRINTS_A_TURN = 50  # accounts; a quarter of a millisecond


class StateDiffersError(RuntimeError):
    """A replay came to another state than the ledger that wrote the log: their rules differ."""


class Checkpoints:
    """The checkpoints of one partition, written and read."""

    def __init__(self, every: int = EVERY_EVENTS) -> None:
        self._every = every
        self._next = every  # the `seq` at which the next moment may come
        self._counted = 0  # the `seq` of the moment that was frozen; 0: none
        self._accounts = 0
        self.taken = 0
        self.compared = 0

    def skip_to(self, seq: int) -> None:
        """No moment before this one can be hashed here."""
        self._next = (seq // self._every + 1) * self._every
        self._counted = 0

    def passed(self, seq: int, accounts: Accounts) -> None:
        """A command was answered by the event `seq`: remember this moment if its time has come."""
        if seq >= self._next:
            self.skip_to(seq)
            self._counted, self._accounts = seq, len(accounts)
            accounts.freeze()

    @property
    def is_busy(self) -> bool:
        """Whether a moment waits to be hashed."""
        return self._counted > 0

    def turn(self, accounts: Accounts, prints: int) -> Checkpoint | None:
        """Print so many accounts; gives the event, its header empty, once nothing is left."""
        if not self._counted:
            return None
        accounts.thaw_some(prints)
        if accounts.frozen:
            return None
        counted, self._counted = self._counted, 0
        self.taken += 1
        return Checkpoint(
            state_hash=accounts.frozen_hash(),
            accounts=self._accounts,
            counted=counted,
            layout=layout(),
        )

    def compare(self, event: Checkpoint, accounts: Accounts) -> None:
        """Raises StateDiffersError; a moment that was not seen here, or is of others, is let be."""
        if event.counted != self._counted or event.layout != layout():
            return
        accounts.thaw_some(len(accounts.frozen))
        self._counted = 0
        self.compared += 1
        if event.state_hash != accounts.frozen_hash():
            raise StateDiffersError(
                f"behind event {event.counted} the state was {event.state_hash}, this replay has"
                f" {accounts.frozen_hash()}: the rules that remember were changed"
            )


def stamped(event: Checkpoint, seq: int, token: str, at: Ms) -> Checkpoint:
    """The event with its header: it belongs to no account and to no command."""
    event.v = VERSIONS[Checkpoint.__name__]
    event.seq, event.owner, event.at = seq, token, at
    return event
