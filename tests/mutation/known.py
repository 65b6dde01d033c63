"""Why a change of the rules that no test notices may stand. The first pattern that fits counts.

A change of a text that nobody reads, of a shortcut whose long way round comes to the same, of a
comparison where both sides being equal comes to the same. What fits no pattern is a test that is
missing.
"""

import re

from msgspec import Struct


class Reason(Struct, frozen=True):
    """Changes of some functions, by what they look like, and why nobody can tell."""

    functions: str
    before: str
    after: str
    why: str

    def fits(self, function: str, before: str, after: str) -> bool:
        return bool(
            re.search(self.functions, function)
            and re.search(self.before, before)
            and re.search(self.after, after)
        )


_SHORT = "A shortcut: the long way round comes to the same"
_SAME = "Both sides being equal comes to the same: nothing is taken, or the same is found"
_BEFORE = "Its only caller asked the same before it calls"
_AFTER = "What the copy is told here, evolve tells the account itself right after"
_DAYS = "Only if another release tells at other days: today a lot is ahead by one of them"
_LOOK = "To do: a test that looks at this field or case is missing"

KNOWN: tuple[Reason, ...] = (
    Reason(r"forgetting\.touch", "at - ", r"at \+ ", _SHORT),
    Reason(r"alerting\.told", r"\* 100", r"\* 101", _SHORT),
    Reason(r"(receive|grant|reserve)$", " if ", "or True", _SHORT),
    Reason(r"sending\.receive", "0 < command.amount", "0 <= command.amount", _SHORT),
    Reason(r"planning\._closed", "<= max", "< max", _SAME),
    Reason(r"planning\._levelled", "missing < 0", "missing < 1", _SAME),
    Reason(r"ending\.next_end", "< due", "<= due", _SAME),
    Reason(r"planning\.renewed", "or not before.renews or", "before.renews and", _BEFORE),
    Reason(r"overrunning\.priced", "return 0", "return 1", _BEFORE),
    Reason(r"coming\.notices", "default=lot.ahead // DAY", "default", _DAYS),
    Reason(r"decide\._after", "is not None", "is None", _AFTER),
    Reason("", "", "", _LOOK),
)


def reason_of(function: str, before: str, after: str) -> str:
    """Why this change may stand; nothing when nobody said."""
    fitting = (known.why for known in KNOWN if known.fits(function, before, after))
    return next(fitting, "")
