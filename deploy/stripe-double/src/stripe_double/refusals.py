"""What this Stripe says no with, in the words of the real one.

Refused ── a request that cannot be answered, with its status
└─ Declined ── a card that will not pay
"""

from msgspec import Struct

from stripe_double.objects import Intent


class Error(Struct, omit_defaults=True):
    """The body of a no."""

    type: str
    message: str
    code: str | None = None
    param: str | None = None
    decline_code: str | None = None
    payment_intent: Intent | None = None


class Refused(Exception):
    """A no with its status."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int = 400,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = Error(kind, message, code, param)


class Declined(Refused):
    """The bank says no, or wants to hear from the card's owner. Carries the intent that failed."""

    def __init__(self, code: str, decline_code: str | None, intent: Intent | None = None) -> None:
        super().__init__("Your card was declined.", code=code, status=402, kind="card_error")
        self.error.decline_code = decline_code
        self.error.payment_intent = intent


def missing(kind: str, name: str) -> Refused:
    """There is no such object."""
    return Refused(f"No such {kind}: '{name}'", code="resource_missing", param="id", status=404)
