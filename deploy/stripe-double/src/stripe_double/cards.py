"""The test cards: numbers that everybody may know, and how each of them behaves.

Any other number is declined, so that nobody ever types a real one with success. Only brand and last
four digits go on from here.
"""

from enum import StrEnum

from msgspec import Struct

from stripe_double.objects import CardFace


class Behaviour(StrEnum):
    """How a card answers."""

    WORKS = "works"
    DECLINED = "generic_decline"
    NO_MONEY = "insufficient_funds"
    EXPIRED = "expired_card"
    WRONG_CODE = "incorrect_cvc"
    ASKS_OWNER = "authentication_required"
    WORKS_ONCE = "works_once"  # now, with its owner there; never again without
    DISPUTES = "disputes"
    WARNS = "warns"


class Card(Struct, frozen=True):
    """One test card."""

    number: str
    brand: str
    behaviour: Behaviour
    about: str

    @property
    def face(self) -> CardFace:
        """What may be kept of it."""
        return CardFace(self.brand, self.number[-4:])


CARDS = (
    Card("4242424242424242", "visa", Behaviour.WORKS, "pays"),
    Card("5555555555554444", "mastercard", Behaviour.WORKS, "pays"),
    Card("4000000000000002", "visa", Behaviour.DECLINED, "is declined"),
    Card("4000000000009995", "visa", Behaviour.NO_MONEY, "is declined: not enough money"),
    Card("4000000000000069", "visa", Behaviour.EXPIRED, "is declined: expired"),
    Card("4000000000000127", "visa", Behaviour.WRONG_CODE, "is declined: wrong security code"),
    Card("4000002760003184", "visa", Behaviour.ASKS_OWNER, "asks its owner to confirm"),
    Card("4000000000000341", "visa", Behaviour.WORKS_ONCE, "pays now, is declined when kept"),
    Card("4000000000000259", "visa", Behaviour.DISPUTES, "pays, then its bank disputes it"),
    Card("4000000000005423", "visa", Behaviour.WARNS, "pays, then an early fraud warning comes"),
)
DECLINES = frozenset(
    {Behaviour.DECLINED, Behaviour.NO_MONEY, Behaviour.EXPIRED, Behaviour.WRONG_CODE}
)
_BY_NUMBER = {card.number: card for card in CARDS}


def card_of(typed: str) -> Card | None:
    """The test card of a typed number; None for any other."""
    return _BY_NUMBER.get("".join(c for c in typed if c.isdigit()))
