"""How commands were answered since the takeover, for the metrics."""

from collections import defaultdict

from contracts.events import AnyEvent, CommandRefused, CommandRejected
from contracts.reasons import Reason, RejectReason

_NO = (CommandRefused, CommandRejected)


class Tally:
    """Counts answers by kind, and every no by its reason."""

    def __init__(self) -> None:
        self._answers: defaultdict[type, int] = defaultdict(int)
        self._noes: defaultdict[Reason | RejectReason, int] = defaultdict(int)

    def count(self, answer: AnyEvent) -> None:
        """One more command was answered."""
        self._answers[type(answer)] += 1
        if isinstance(answer, _NO):
            self._noes[answer.reason] += 1

    @property
    def outcomes(self) -> dict[tuple[str, str], int]:
        """How many there were, by answer and reason."""
        counts = {(kind.__name__, ""): count for kind, count in self._answers.items()}
        for reason, count in self._noes.items():
            kind = CommandRejected if isinstance(reason, RejectReason) else CommandRefused
            counts[kind.__name__, reason.value] = count
            counts[kind.__name__, ""] -= count
        return {outcome: count for outcome, count in counts.items() if count}
