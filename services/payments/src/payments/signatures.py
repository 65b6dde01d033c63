"""Whether bytes came from Stripe: HMAC over the raw body, fresh, by one of the secrets in force.

Two secrets are in force while one is being rolled. Pure but for the verification itself, which is
Stripe's own.
"""

import msgspec
import stripe
from msgspec import Struct

TOLERANCE_S = 300  # Stripe's own; a replay after it is refused


class Refused(Exception):
    """These bytes are not taken; the message says why, and nothing of the body."""


class _Named(Struct):
    id: str
    object: str = ""
    payment_intent: str | None = None


class _Carried(Struct):
    object: _Named


class Webhook(Struct):
    """An event as far as the inbox reads it. A thin event names its object as `related_object`."""

    id: str
    type: str
    created: int | str
    object: str = "event"
    livemode: bool = False
    data: _Carried | None = None
    related_object: _Named | None = None

    @property
    def about(self) -> _Named:
        """The object that it is about."""
        if self.data is not None:
            return self.data.object
        return self.related_object or _Named(id="")


_decode = msgspec.json.Decoder(Webhook).decode


def verified(
    raw: bytes, header: str, secrets: tuple[str, ...], *, live: bool, now_s: float
) -> Webhook:
    """The event in these bytes; raises Refused."""
    _fresh(header, now_s)
    if not any(_signed(raw, header, secret) for secret in secrets):
        raise Refused("the signature fits none of the secrets in force")
    try:
        found = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Refused("signed, but not an event") from why
    if found.livemode is not live:
        raise Refused("the event is of the other mode (live or test)")
    return found


def _signed(raw: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(raw, header, secret, TOLERANCE_S)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


def _fresh(header: str, now_s: float) -> None:
    """Stripe's library refuses what is old; what claims to come from the future is refused here."""
    stamps = [part[2:] for part in header.split(",") if part.startswith("t=")]
    if len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit()):
        raise Refused("the Stripe-Signature header is missing or has no timestamp")
    if abs(now_s - int(stamps[0])) > TOLERANCE_S:
        raise Refused("the timestamp is further away than the tolerance")
