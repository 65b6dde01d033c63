"""Finance's view of transfers: what left, what arrived, what came back, side by side.

Sender and receiver lie in different partitions, whose logs are read one after the other: a
transfer that was received while its sending was not read yet is no difference.
"""

from collections.abc import Iterator

from contracts.events import AnyEvent, CreditsReceived, CreditsSent, TransferSettled
from contracts.units import Credits, Ms
from msgspec import Struct


class Transfer(Struct, gc=False):
    """A transfer as its sender tells it."""

    to: str
    amount: Credits
    sent_at: Ms
    returned: Credits | None = None
    settled_at: Ms | None = None


class Transfers:
    """All transfers, by sender and name."""

    def __init__(self) -> None:
        self.sent: dict[tuple[str, str], Transfer] = {}
        self.arrived: dict[tuple[str, str], tuple[str, Credits]] = {}
        self._twice: list[str] = []

    def take(self, event: AnyEvent) -> None:
        """Add an event, if it is one of a transfer."""
        if isinstance(event, CreditsSent):
            key = event.account, event.transfer
            if key in self.sent:
                self._twice.append(f"{key[0]} sent {key[1]} twice")
            self.sent[key] = Transfer(event.to, event.amount, event.at)
        elif isinstance(event, CreditsReceived):
            key = event.sender, event.transfer
            if key in self.arrived:
                self._twice.append(f"{key[1]} of {key[0]} arrived twice")
            self.arrived[key] = event.account, event.amount
        elif isinstance(event, TransferSettled):
            one = self.sent[event.account, event.transfer]
            one.returned, one.settled_at = event.returned, event.at

    def __len__(self) -> int:
        return len(self.sent)

    def differences(self) -> Iterator[str]:
        """Where the two sides tell different stories."""
        yield from self._twice
        for (sender, name), one in self.sent.items():
            arrived = self.arrived.get((sender, name))
            if arrived is not None and arrived != (one.to, one.amount):
                yield f"{name} of {sender}: {one.amount} left for {one.to}, arrived {arrived}"
            if one.returned is not None and (arrived is None) != (one.returned > 0):
                what = "nowhere" if arrived is None else f"at {arrived[0]}"
                yield f"{name} of {sender}: {one.returned} came back, and it arrived {what}"
