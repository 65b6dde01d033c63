"""The identity token: who calls, as the gateway vouches for it to a service behind the same host.

A JWT, signed with Ed25519: the gateway alone holds the key that signs, so that whoever checks can
vouch for nobody. It makes one per request that it passes on; the service checks algorithm, type,
issuer, audience and expiry, and then knows account, scopes and actor. No name, no address in it.
"""

from msgspec import Struct

from contracts.commands import ActorKind
from contracts.units import Id

ISSUER = "scrip-gateway"
PAYMENTS = "scrip-payments"  # the audience of what is passed on to payments
ALGORITHM = "EdDSA"
TYPE = "scrip-identity+jwt"
LIFETIME_S = 60  # longer than any request that is passed on may take
HEADER = "scrip-identity"  # where the token travels; a caller's own header of this name is dropped


class Identity(Struct, frozen=True):
    """The claims. `account` is the one to act for; `sub` names the key or session that asks."""

    iss: str
    aud: str
    sub: str
    iat: int
    exp: int
    account: Id
    scopes: tuple[str, ...]
    kind: ActorKind
    actor: Id
