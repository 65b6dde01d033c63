"""The invariants of the credit domain, over the other half of the random histories."""

from tests.unit.domain.histories import HALF, Histories


class OtherHalf(Histories):
    """Histories of its own: what is drawn goes by the name."""


OtherHalf.TestCase.settings = HALF
TestOtherHalf = OtherHalf.TestCase
