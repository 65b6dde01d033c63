"""Faults on demand: what a network and a busy Stripe do to a shop, as numbers to be set.

A count says how many of the next ones; it is used up. A switch stays until it is set back.
"""

from msgspec import Struct, field


class Faults(Struct, rename="camel", forbid_unknown_fields=True):
    """All of them; nothing is wrong by default."""

    down: bool = False  # every call of the API is answered 503
    answers_lost: int = 0  # calls that work, and whose connection breaks before the answer
    errors_after: int = 0  # calls that work and are answered 500; the key remembers the 500
    time_outs: int = 0  # calls that work and are answered far too late
    declines: list[str] = field(default_factory=list)  # of the next payments without their owner
    never_made: int = 0  # events that Stripe fails to create: nobody ever lists them
    drop: int = 0  # events that are never delivered, though they are listed
    duplicate: int = 0  # further copies of each delivery
    delay_ms: int = 0  # before each delivery
    reorder: bool = False  # deliveries overtake each other

    def lose_answer(self) -> bool:
        """Whether this answer is lost."""
        self.answers_lost, lost = _used(self.answers_lost)
        return lost

    def fail_after(self) -> bool:
        """Whether this call ends in a 500 although it worked."""
        self.errors_after, fails = _used(self.errors_after)
        return fails

    def time_out(self) -> bool:
        """Whether this call is answered too late."""
        self.time_outs, late = _used(self.time_outs)
        return late

    def never_make(self) -> bool:
        """Whether this event is not created at all."""
        self.never_made, never = _used(self.never_made)
        return never

    def lose_event(self) -> bool:
        """Whether this event is not delivered."""
        self.drop, lost = _used(self.drop)
        return lost

    def decline(self) -> str | None:
        """The code by which the next payment is declined."""
        return self.declines.pop(0) if self.declines else None


def _used(count: int) -> tuple[int, bool]:
    return (count - 1, True) if count > 0 else (0, False)
