"""The invariants of the credit domain, over one half of the random histories."""

from tests.unit.domain.histories import HALF, Histories


class OneHalf(Histories):
    """Histories of its own: what is drawn goes by the name."""


OneHalf.TestCase.settings = HALF
TestOneHalf = OneHalf.TestCase
