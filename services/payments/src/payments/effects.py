"""Names of effects: `stripe:<object>:<effect>`, never an event's id.

So two events about one effect are one.
"""

from hashlib import sha256

from contracts.units import ID_LENGTH_MAX


def effect_id(stripe_object: str, effect: str) -> str:
    """The id of what one Stripe object does to an account; a long object gives way to its hash."""
    whole = f"stripe:{stripe_object}:{effect}"
    if len(whole) <= ID_LENGTH_MAX:
        return whole
    return f"stripe:{sha256(stripe_object.encode()).hexdigest()[:32]}:{effect}"[:ID_LENGTH_MAX]
