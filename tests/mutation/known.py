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


KNOWN: tuple[Reason, ...] = ()


def reason_of(function: str, before: str, after: str) -> str:
    """Why this change may stand; nothing when nobody said."""
    fitting = (known.why for known in KNOWN if known.fits(function, before, after))
    return next(fitting, "")
