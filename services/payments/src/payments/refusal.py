"""A command of no purchase that the ledger refused: remembered until it is settled.

    refused → asked again (by a new name) | let stand

What is refused of a purchase's lots stands with the purchase; everything else that the relay asks
(a plan, a fact of the money side, a report of a top-up) stands here, and waits for a person.
"""

from uuid import UUID, uuid5

from contracts.commands import AnyCommand
from eventsourcing.domain import Aggregate
from msgspec.structs import replace

from contracts import codec
from payments.effects import effect_id

REFUSALS = UUID("5b1f4d9e-20c4-4b0b-8f0d-6a9c2f7d3e11")  # the space of their streams' names


class Refusal(Aggregate):
    """One command, as it was asked, with the reason of the no."""

    class Noted(Aggregate.Created):
        account: str
        command: str
        kind: str
        reason: str
        asked: str
        at: int

    def __init__(
        self, *, account: str, command: str, kind: str, reason: str, asked: str, at: int
    ) -> None:
        self.account = account
        self.command = command
        self.kind = kind
        self.reason = reason
        self.asked = asked  # the command itself, JSON
        self.at = at
        self.settled = ""  # asked_again or let_stand

    @staticmethod
    def create_id(account: str, command: str, **_: object) -> UUID:
        """The stream of a refused command: one, however often the answer is heard."""
        return uuid5(REFUSALS, f"{account}\n{command}")

    class AskedAgain(Aggregate.Event):
        """A person had it asked once more."""

        actor: str

        def apply(self, aggregate: "Refusal") -> None:
            aggregate.settled = "asked_again"

    class LetStand(Aggregate.Event):
        """A person decided that it stays undone."""

        actor: str

        def apply(self, aggregate: "Refusal") -> None:
            aggregate.settled = "let_stand"

    @property
    def anew(self) -> AnyCommand:
        """The same command by a new name: the old one has its answer."""
        command = codec.decode_command(self.asked.encode())
        return replace(command, id=effect_id(self.command, "again"))

    def settle(self, actor: str, *, again: bool) -> bool:
        """What a person decided; false when it was decided before."""
        if self.settled:
            return False
        self.trigger_event(Refusal.AskedAgain if again else Refusal.LetStand, actor=actor)
        return True


def noted(command: AnyCommand, reason: str, at: int) -> Refusal:
    """A refusal that was just heard of."""
    return Refusal(
        account=command.account,
        command=command.id,
        kind=type(command).__name__,
        reason=reason,
        asked=codec.encode(command).decode(),
        at=at,
    )
